//! The checked-in description is the one the code gives. `UPDATE_EXPECT=1` rewrites it.

#[test]
fn the_description_is_checked_in() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let text = dengmi_api::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == text,
        "crates/api/openapi.json is not what the code describes; look at the change, then run \
         `UPDATE_EXPECT=1 cargo test -p dengmi-api --test openapi`"
    );
}

#[test]
fn the_description_is_whole() {
    let text = dengmi_api::openapi().to_json().unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["openapi"], "3.1.0");
    // Every reference leads somewhere.
    for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = &part[..part.find('"').unwrap()];
        assert!(!json["components"]["schemas"][name].is_null(), "{name}");
    }
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in json["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert!(operation["summary"].is_string(), "{method} {path}");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let keyed = parameters.iter().any(|one| one["name"] == "Idempotency-Key");
            assert_eq!(keyed, method != "get", "{method} {path}");
        }
    }
}
