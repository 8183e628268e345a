//! What comes through the door: bodies of requests, session tokens, invites.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, HeaderValue};
use dengmi_api::backend::{InviteError, InviteTarget};
use dengmi_core::random::Seed;
use dengmi_core::{BranchId, CommunityId, MemberId};
use dengmi_host::{Content, Host, HostConfig};
use dengmi_sim::workload::{files, packs};
use dengmi_store::MemoryStore;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::fake::{self, Api, token};
use super::{Reached, invites};

/// Requests after which the host in memory begins anew: it remembers every one.
const REQUESTS_MOST: u32 = 2_000;

thread_local! {
    static API: RefCell<(u32, Option<Api>)> = const { RefCell::new((0, None)) };
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        threads.worker_threads(1).enable_all().build().expect("a runtime starts")
    })
}

/// Asks the interface over a host in memory.
fn ask(request: Request<Body>) -> fake::Got {
    API.with_borrow_mut(|(count, api)| {
        *count += 1;
        if *count > REQUESTS_MOST {
            (*count, *api) = (0, None);
        }
        runtime().block_on(api.get_or_insert_with(Api::default).send(request))
    })
}

/// Every answer is sound: not the server's fault, and a refusal is a problem with a code.
fn sound(got: &fake::Got) -> String {
    assert!(got.status.as_u16() < 500, "{}: {}", got.status, String::from_utf8_lossy(&got.body));
    if got.status.is_client_error() {
        assert_eq!(got.header("content-type"), "application/problem+json");
        let code = got.code();
        assert!(!code.is_empty(), "a problem has a code");
        return format!("{} {code}", got.status.as_u16());
    }
    format!("{}", got.status.as_u16())
}

/// A first line with method and path, then the body, as a member and as an operator.
pub(super) fn body(input: &[u8]) -> Reached {
    let line = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len());
    let (line, body) = (&input[..line], input.get(line + 1..).unwrap_or_default());
    let Ok(line) = std::str::from_utf8(line) else { return vec!["no request".to_owned()] };
    let known = known_lines();
    // Most changes of the first line lead nowhere: for three of four, a line that leads somewhere.
    let spread: usize = line.bytes().map(usize::from).sum();
    let stray = !known.iter().any(|known| known == line) && !spread.is_multiple_of(4);
    let line = if stray { known[spread % known.len()].as_str() } else { line };
    let Some((method, path)) = line.split_once(' ') else { return vec!["no request".to_owned()] };
    // Reading is not about bodies, and an event stream does not end.
    if !["POST", "PUT", "DELETE"].contains(&method) || !path.starts_with('/') {
        return vec!["no request".to_owned()];
    }
    let mut reached = Vec::new();
    for token in [token::M1, token::HEAD] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header("idempotency-key", fake::key().to_string())
            .header("content-type", "application/json")
            .body(Body::from(body.to_vec()));
        let Ok(request) = request else { return vec!["no request".to_owned()] };
        reached.push(sound(&ask(request)));
    }
    if path.contains("sessions/current") {
        // The sessions have ended: what follows would be told so and nothing else.
        API.with_borrow_mut(|(count, api)| (*count, *api) = (0, None));
    }
    reached
}

/// First lines of the committed inputs: requests that lead somewhere.
fn known_lines() -> &'static [String] {
    static KNOWN: OnceLock<Vec<String>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let target = super::Target::find("body").expect("a target");
        let line = |input: Vec<u8>| {
            let text = String::from_utf8_lossy(&input).into_owned();
            text.lines().next().unwrap_or_default().to_owned()
        };
        let lines: Vec<String> = target.committed().into_values().map(line).collect();
        lines.into_iter().filter(|line| line.contains(" /v1/")).collect()
    })
}

/// Every token that the host in memory knows.
const KNOWN: [&str; 10] = [
    token::M1,
    token::M2,
    token::M3,
    token::FOREIGN,
    token::HEAD,
    token::BRANCH,
    token::BRANCH2,
    token::MANAGER,
    token::MANAGER2,
    token::ANALYST,
];

/// The `Authorization` header. Only a token that is known, spelled as it was given, opens.
pub(super) fn token(input: &[u8]) -> Reached {
    let Ok(value) = HeaderValue::from_bytes(input) else { return vec!["no header".to_owned()] };
    let request = Request::builder().uri("/v1/me").header(AUTHORIZATION, value);
    let got = ask(request.body(Body::empty()).expect("a request"));
    let reached = sound(&got);
    let known = KNOWN.iter().any(|known| {
        input.len() == 7 + known.len()
            && input[..7].eq_ignore_ascii_case(b"bearer ")
            && &input[7..] == known.as_bytes()
    });
    assert_eq!(got.status == 200, known, "{:?} was told {reached}", String::from_utf8_lossy(input));
    assert!(known || reached == "401 unauthenticated", "{reached}");
    vec![reached]
}

pub(super) fn tokens() -> Vec<Vec<u8>> {
    KNOWN
        .iter()
        .flat_map(|token| [format!("Bearer {token}"), format!("bearer {token}")])
        .chain(["Basic bTE6eA==".to_owned(), "Bearer eyJhbGciOiJub25lIn0.e30.".to_owned()])
        .map(String::into_bytes)
        .collect()
}

/// A host in memory, its store, and two invites that are good: to a group, and of a member.
struct Issuer {
    host: Host<MemoryStore>,
    store: Arc<MemoryStore>,
    good: [String; 2],
}

fn issuer() -> &'static Issuer {
    static ISSUER: OnceLock<Issuer> = OnceLock::new();
    ISSUER.get_or_init(|| {
        runtime().block_on(async {
            let store = Arc::new(MemoryStore::new());
            let [pack, _] = packs().expect("the workload's content is sound");
            let [files, _] = files();
            let checked = "2026-11-16".parse().expect("a day");
            let content = Some(Content { pack, files, checked });
            let config = HostConfig::default();
            let host = Host::open(store.clone(), config, content, &mut |_, _, _| {}).await;
            let host = host.expect("an empty store opens");
            let branch = BranchId(1);
            host.create_branch(branch, Seed([7; 32]), 1).await.expect("a branch can be created");
            let expires = host.now().plus_ms(1 << 40);
            let issue = |target| invites::issue(&host, target, expires);
            let group = issue(InviteTarget::Community(CommunityId::new(branch, 1)));
            let member = issue(InviteTarget::Member(MemberId::new(branch, 42)));
            let good = [group, member].map(|invite| invite.expect("an invite is issued"));
            Issuer { host, store, good }
        })
    })
}

/// An invite. Only one that was issued, unchanged, is taken; of whatever branch it speaks.
pub(super) fn invite(input: &[u8]) -> Reached {
    let issuer = issuer();
    let text = String::from_utf8_lossy(input);
    let redeemed = runtime().block_on(invites::redeem(
        &issuer.host,
        &*issuer.store,
        &text,
        Uuid::from_u128(1),
    ));
    let result = redeemed.expect("the store answers");
    let issued = issuer.good.iter().position(|good| *good == *text);
    match (&result, issued) {
        (Ok(invite), Some(0)) => assert!(matches!(invite.target, InviteTarget::Community(_))),
        (Ok(invite), Some(_)) => assert!(matches!(invite.target, InviteTarget::Member(_))),
        (Err(InviteError::Invalid), None) => {}
        _ => panic!("{text:?} was told {result:?}"),
    }
    vec![match (result, issued) {
        (Ok(_), _) => "taken".to_owned(),
        (Err(error), _) if text.len() == issuer.good[0].len() => {
            format!("{}, of the right length", super::kind(&error))
        }
        (Err(error), _) => super::kind(&error),
    }]
}

pub(super) fn invites() -> Vec<Vec<u8>> {
    issuer().good.iter().map(|good| good.as_bytes().to_vec()).collect()
}
