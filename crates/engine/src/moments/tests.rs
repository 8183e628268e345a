use dengmi_core::BranchId;
use proptest::prelude::*;

use super::*;

#[test]
fn three_posts_a_day_and_no_more() {
    let mut log = SenderLog::default();
    let mut post = |day, week, per_week| log.post(Day(day), Day(week), 3, per_week).is_ok();
    assert_eq!([1, 1, 1, 1, 2].map(|day| post(day, 0, 0)), [true, true, true, false, true]);
    assert_eq!([3, 3].map(|day| post(day, 0, 5)), [true, false]);
    assert!(post(8, 7, 5));
}

fn reaction() -> impl Strategy<Value = Reaction> {
    prop_oneof![
        Just(Reaction::Like),
        Just(Reaction::Unlike),
        Just(Reaction::Uncomment),
        Just(Reaction::Comment(None)),
        Just(Reaction::Comment(Some(FoldedHash::of("right")))),
        Just(Reaction::Comment(Some(FoldedHash::of("wrong")))),
    ]
}

proptest! {
    /// However reactions repeat and alternate: counts are zero or one, a like is told once, a
    /// comment once and its answer once more at most, and repeating the last one changes nothing.
    #[test]
    fn reactions_are_idempotent(reactions in proptest::collection::vec(reaction(), 0..30)) {
        let id = PostId::new(BranchId(1), 1);
        let mut post = Post {
            seq: 1, run: 1, manager: 1, at: Timestamp(0), closes: Timestamp(9), closed: false, likes: 0, comments: 0,
        };
        let mut row = Reacted::default();
        let answers = [FoldedHash::of("right")];
        let (mut likes, mut comments, mut answered) = (0, 0, 0);
        for reaction in reactions {
            let change = apply(reaction, &mut post, id, &mut row, &answers);
            match change.fact {
                Some(FactKind::Liked { .. }) => likes += 1,
                Some(FactKind::Commented { again, answered: right, .. }) => {
                    comments += 1;
                    answered += u32::from(right);
                    prop_assert_eq!(again, comments > 1);
                }
                _ => {}
            }
            prop_assert_eq!(post.likes, u32::from(row.has(Did::Like)));
            prop_assert_eq!(post.comments, u32::from(row.has(Did::Comment)));
            let (row_before, post_before) = (row, post.clone());
            let again = apply(reaction, &mut post, id, &mut row, &answers);
            prop_assert!(!again.counted && again.fact.is_none() && !again.unpaid);
            prop_assert_eq!((row_before, post_before), (row, post.clone()));
        }
        prop_assert!(likes <= 1 && comments <= 2 && answered <= 1);
    }
}
