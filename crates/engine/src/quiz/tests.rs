use dengmi_content::model::quest::{Counts, Curve};
use dengmi_core::command::{Choice, Key};
use dengmi_core::random::Seed;
use dengmi_core::text::FoldedHash;
use dengmi_core::{BranchId, Decimal, MemberId, Ppm, RoundId, Timestamp};
use proptest::prelude::*;

use super::grade::{Marked, credit, curve, late_share, settle, unshuffle};
use super::layout;
use super::round::Item;

fn item(key: Key, options: u8, partial: bool) -> Item {
    Item { question: "a/b".parse().unwrap(), options, partial, shape: key.clone(), key }
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[track_caller]
fn check_credit(item: &Item, choice: Choice, expected: u32) {
    assert_eq!(credit(choice, item), Ppm(expected), "{choice:?}");
}

#[test]
fn credit_follows_the_key() {
    let one = item(Key::One(0), 3, false);
    check_credit(&one, Choice::One(0), 1_000_000);
    check_credit(&one, Choice::One(2), 0);
    let range = item(Key::Number { value: number("0.34"), tolerance: number("0.01") }, 0, false);
    check_credit(&range, Choice::Number(number("0.35")), 1_000_000);
    check_credit(&range, Choice::Number(number("0.350001")), 0);
    check_credit(&range, Choice::Number(number("-0.34")), 0);
    let text = item(Key::Text(vec![FoldedHash::of("复利"), FoldedHash::of("compound")]), 0, false);
    check_credit(&text, Choice::Text(FoldedHash::of("Compound ")), 1_000_000);
    check_credit(&text, Choice::Text(FoldedHash::of("单利")), 0);
    // Options 0 and 1 are right, 2 to 4 are wrong.
    let parts = item(Key::Many(0b00011), 5, true);
    check_credit(&parts, Choice::Many(0b00011), 1_000_000);
    check_credit(&parts, Choice::Many(0b00001), 500_000);
    check_credit(&parts, Choice::Many(0b00111), 666_667);
    check_credit(&parts, Choice::Many(0b11101), 0);
    check_credit(&parts, Choice::Many(0b11111), 0);
    let all = item(Key::Many(0b00011), 5, false);
    check_credit(&all, Choice::Many(0b00001), 0);
    let void = Item { key: Key::Everyone, ..one };
    check_credit(&void, Choice::One(2), 1_000_000);
}

#[test]
fn a_choice_must_fit_the_question() {
    let one = item(Key::One(0), 3, false);
    let many = item(Key::Many(0b101), 3, false);
    let shown = [2, 0, 1];
    let ok = |item: &Item, choice| unshuffle(choice, &shown, item).ok();
    assert_eq!(ok(&one, Choice::One(1)), Some(Choice::One(0)));
    assert_eq!(ok(&one, Choice::One(3)), None);
    assert_eq!(ok(&one, Choice::Bool(true)), None);
    assert_eq!(ok(&many, Choice::Many(0b011)), Some(Choice::Many(0b101)));
    assert_eq!(ok(&many, Choice::Many(0)), None);
    assert_eq!(ok(&many, Choice::Many(0b1000)), None);
}

#[track_caller]
fn check_curve(of: Curve, expected: &[(u32, u32)]) {
    let got: Vec<_> = expected.iter().map(|(at, _)| (*at, curve(of, *at, 100).0)).collect();
    assert_eq!(got, expected);
}

#[test]
fn the_curve_falls_as_written() {
    check_curve(Curve::Flat, &[(0, 1_000_000), (100, 1_000_000)]);
    check_curve(Curve::None, &[(0, 0), (100, 0)]);
    let linear = Curve::Linear { floor: Ppm(200_000) };
    check_curve(linear, &[(0, 1_000_000), (50, 600_000), (100, 200_000), (900, 200_000)]);
    let half = Curve::HalfLife { seconds: 20, floor: Ppm(100_000) };
    check_curve(
        half,
        &[(0, 1_000_000), (10, 750_000), (20, 500_000), (40, 250_000), (90, 100_000)],
    );
}

#[test]
fn joining_late_is_no_advantage() {
    let share = |joined| late_share(Timestamp(1_000), Timestamp(2_000), Timestamp(joined)).0;
    assert_eq!(
        [500, 1_000, 1_500, 1_999, 2_000, 3_000].map(share),
        [1_000_000, 1_000_000, 500_000, 1_000, 0, 0]
    );
}

#[test]
fn the_attempt_that_counts_is_the_one_named() {
    let marks = [(false, 100_000), (true, 900_000), (true, 500_000)];
    let settled = |counts| {
        let marks = marks.iter().map(|(right, score)| Marked { right: *right, score: Ppm(*score) });
        settle(marks, counts).map(|mark| (mark.right, mark.score.0))
    };
    assert_eq!(settled(Counts::First), Some((false, 100_000)));
    assert_eq!(settled(Counts::Last), Some((true, 500_000)));
    assert_eq!(settled(Counts::Highest), Some((true, 900_000)));
    assert_eq!(settled(Counts::Average), Some((true, 500_000)));
    assert_eq!(settle([].into_iter(), Counts::Last), None);
}

proptest! {
    #[test]
    fn curves_never_rise_and_stay_in_range(a in 0u32..5_000, b in 0u32..5_000, floor in 0u32..=1_000_000, half in 1u32..900) {
        let (early, late) = (a.min(b), a.max(b));
        for of in [Curve::Linear { floor: Ppm(floor) }, Curve::HalfLife { seconds: half, floor: Ppm(floor) }] {
            prop_assert!(curve(of, early, 3_600) >= curve(of, late, 3_600));
            prop_assert!(curve(of, late, 3_600).0 >= floor && curve(of, early, 3_600) <= Ppm::ONE);
        }
    }

    /// The order is the member's own, holds every question and option once, and is the same on
    /// every look.
    #[test]
    fn a_layout_is_a_permutation(seed in any::<u64>(), member in 1u32..9_999, options in proptest::collection::vec(0u8..9, 1..12)) {
        let (round, member) = (RoundId::new(BranchId(1), 4), MemberId::new(BranchId(1), member));
        let look = || layout(&Seed::from_number(seed), round, member, true, true, options.iter().copied());
        let seen = look();
        prop_assert_eq!(&seen, &look());
        let sorted = |order: &[u8]| { let mut order = order.to_vec(); order.sort_unstable(); order };
        prop_assert_eq!(sorted(&seen.questions), (0..options.len() as u8).collect::<Vec<_>>());
        for (order, count) in seen.options.iter().zip(&options) {
            prop_assert_eq!(sorted(order), (0..*count).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_right_option_is_not_always_first() {
    let round = RoundId::new(BranchId(1), 4);
    for shuffle in [true, false] {
        let firsts = (1..=400u32).filter(|n| {
            let (round, member) = match shuffle {
                true => (round, MemberId::new(BranchId(1), *n)),
                false => (RoundId::new(BranchId(1), *n), MemberId::new(BranchId(1), 1)),
            };
            let seen =
                layout(&Seed::from_number(1), round, member, shuffle, shuffle, [4].into_iter());
            seen.options[0][0] == 0
        });
        let firsts = firsts.count();
        assert!((60..140).contains(&firsts), "{firsts} of 400, 100 expected");
    }
}
