//! Journals of earlier days must replay to the digests they had then. A golden journal carries the
//! content it was played with. `UPDATE_EXPECT=1` writes the next one beside those that are there;
//! an old one is never rewritten: what it says was promised.

use dengmi_tests::golden::{Golden, Played, files, folder};

#[test]
fn golden_journals_replay_to_their_digests() {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        let number = files().len() as u64 + 1;
        let packed = Golden::record(number).write();
        std::fs::write(folder().join(format!("{number:04}.golden")), packed).unwrap();
    }
    let files = files();
    assert!(files.len() >= 2, "golden journals are gone");
    let mut whole = 0;
    for path in files {
        let golden = Golden::read(&path);
        match golden.replay(&golden.packs()) {
            // A whole week with mock investing, day by day, to its grades.
            Ok(Played { orders, closes, graded }) if closes >= 7 && graded > 0 => {
                whole += u32::from(orders > 100);
            }
            played => assert!(played.is_ok(), "{}: batch {played:?}", path.display()),
        }
    }
    assert!(whole > 0, "no journal holds a whole course with orders");
}
