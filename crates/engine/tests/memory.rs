//! The memory model against its reference implementation, against itself, and to the bit.

use dengmi_core::{Day, Digest, Ppm};
use dengmi_engine::memory::{Grade, Horizon, Memory, UNIT};
use proptest::prelude::*;

/// What the crate `fsrs` says; the file's head tells how it came about.
const VECTORS: &str = include_str!("memory/vectors.txt");

/// Any day will do: the model knows differences only.
const START: Day = Day(20_000);

fn grade(number: u32) -> Grade {
    Grade::ALL[number as usize - 1]
}

/// The memory after (days since the review before, grade from 1 to 4).
fn replay(history: &[(i32, u32)]) -> Memory {
    let mut reviews = history.iter();
    let &(_, first) = reviews.next().expect("a first review");
    let memory = Memory::first(grade(first), START);
    reviews.fold(memory, |m, &(gap, number)| m.review(grade(number), m.last().plus(gap)))
}

/// Recall 1, 7, 30 and 365 days after the last review.
fn recalls(memory: Memory) -> [u32; 4] {
    [1, 7, 30, 365].map(|days| memory.retrievability(memory.last().plus(days)).0)
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

fn vectors() -> impl Iterator<Item = &'static str> {
    VECTORS.lines().filter(|line| !line.starts_with('#'))
}

fn read_history(text: &str) -> Vec<(i32, u32)> {
    let reviews = text.split_whitespace().map(|review| review.split_once(':').unwrap());
    reviews.map(|(gap, grade)| (gap.parse().unwrap(), grade.parse().unwrap())).collect()
}

/// The promise is 0.5 % of stability and 0.2 points of retrievability. Held here is what is reached:
/// 0.005 % of stability, or one unit (0.864 s) for rounding where that is more, and 0.01 points.
#[test]
fn the_reference_implementation_agrees() {
    let mut lines = 0;
    for line in vectors() {
        lines += 1;
        let [history, state, recall, intervals] =
            line.split('|').collect::<Vec<_>>().try_into().unwrap();
        let memory = replay(&read_history(history));
        let near = |what: &str, got: u64, expected: u64, allowed: u64| {
            let off = got.abs_diff(expected);
            assert!(off <= allowed, "{what} is {got}, not {expected}, after {line}");
        };
        let [stability, difficulty] = numbers(state).try_into().unwrap();
        near("stability", memory.stability().into(), stability, (stability / 20_000).max(1));
        near("difficulty", memory.difficulty().into(), difficulty, 5);
        for (got, expected) in recalls(memory).into_iter().zip(numbers(recall)) {
            near("retrievability", got.into(), expected, 100);
        }
        for (retention, expected) in [950_000, 900_000, 800_000].into_iter().zip(numbers(intervals))
        {
            // Rounded to whole days, at least one; the expectation has 24 bits.
            let days = memory.due(&Horizon::of(Ppm(retention))).0 - memory.last().0;
            near("interval", days as u64 * 100, expected.max(100), 50 + expected / 20_000);
        }
    }
    assert_eq!(lines, 419);
}

/// The anchor of our domain notes: remembered at first sight, a concept is recalled by 95 %, 81 %
/// and 67 % after 1, 7 and 30 days.
#[test]
fn a_good_first_review_is_forgotten_as_measured() {
    let memory = Memory::first(Grade::Good, START);
    assert_eq!(memory.retrievability(START), Ppm::ONE);
    assert_eq!(recalls(memory).map(|recall| (recall + 5_000) / 10_000), [95, 81, 67, 46]);
}

/// To the bit: every platform must come to these numbers.
#[test]
fn golden_memories() {
    type Row = (&'static str, u32, u32, [u32; 4], i32);
    // Reviews, stability, difficulty, recall after 1, 7, 30, 365 days, days until 90 %.
    let table: &[Row] = &[
        ("0:1", 21_200, 641_330, [766_196, 582_235, 466_871, 317_911], 1),
        ("0:2", 129_310, 511_217, [916_670, 752_779, 613_606, 419_948], 1),
        ("0:3", 230_650, 211_810, [946_847, 808_310, 667_526, 458_945], 2),
        ("0:4", 829_560, 100_000, [982_923, 911_237, 791_779, 557_667], 8),
        ("0:3 0:3", 230_650, 211_121, [946_847, 808_310, 667_526, 458_945], 2),
        ("0:3 1:3", 731_530, 211_121, [980_794, 902_998, 779_734, 547_184], 7),
        ("0:3 3:1 0:2 1:3 4:3 10:4", 2_383_962, 762_316, [993_805, 961_742, 883_448, 652_055], 24),
        ("0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1", 100, 997_652, [345_669, 256_098, 204_623, 139_195], 1),
        ("0:2 60:4 400:1 0:4 21:2", 1_840_924, 805_965, [992_031, 952_319, 863_124, 627_961], 18),
        (
            "0:4 30:4 90:4 270:4 810:4 2430:4 7290:4 21870:4",
            3_650_000_000,
            100_000,
            [999_996, 999_971, 999_876, 998_497],
            36_500,
        ),
    ];
    for &(history, stability, difficulty, recall, days) in table {
        let memory = replay(&read_history(history));
        let due = memory.due(&Horizon::of(Ppm(900_000))).0 - memory.last().0;
        let got = (memory.stability(), memory.difficulty(), recalls(memory), due);
        assert_eq!(got, (stability, difficulty, recall, days), "{history}");
    }
    // And all histories of the vectors in one number.
    let all: Vec<(Memory, [u32; 4], Day)> = vectors()
        .map(|line| replay(&read_history(line.split('|').next().unwrap())))
        .map(|memory| (memory, recalls(memory), memory.due(&Horizon::of(Ppm(850_000)))))
        .collect();
    let digest = Digest::of(&postcard::to_allocvec(&all).unwrap());
    assert_eq!(
        digest.to_string(),
        "247654cf9f0b52fe6559f2692b1823f9a6cf9994807f6a118de80c59c48d6800"
    );
}

#[test]
fn days_out_of_order_count_as_one_day() {
    let memory = replay(&[(0, 3), (4, 3)]);
    for (grade, past) in Grade::ALL.into_iter().zip([1, 4, 20_000, i32::MAX]) {
        let early = memory.review(grade, memory.last().plus(-past));
        assert_eq!(early, memory.review(grade, memory.last()));
        assert_eq!(memory.retrievability(memory.last().plus(-past)), Ppm::ONE);
    }
}

/// Whatever bytes may hold, out of bounds too.
fn any_memory() -> impl Strategy<Value = Memory> {
    let stability = prop_oneof![any::<u32>(), 0..10 * UNIT, Just(0), Just(u32::MAX)];
    let difficulty = prop_oneof![any::<u32>(), UNIT..=10 * UNIT];
    let last = prop_oneof![any::<i32>(), 0..84_006];
    (stability, difficulty, last).prop_map(|(stability, difficulty, last)| {
        let bytes = postcard::to_allocvec(&(stability, difficulty, Day(last))).unwrap();
        postcard::from_bytes(&bytes).unwrap()
    })
}

fn any_grade() -> impl Strategy<Value = Grade> {
    prop::sample::select(Grade::ALL.to_vec())
}

proptest! {
    #[test]
    fn memory_fades(memory in any_memory(), days in 0..100_000, more in 0..100_000) {
        let (day, later) = (memory.last().plus(days), memory.last().plus(days).plus(more));
        prop_assert!(memory.retrievability(later) <= memory.retrievability(day));
        prop_assert!(memory.retrievability(day) <= Ppm::ONE);
    }

    #[test]
    fn success_strengthens_and_failure_weakens(
        memory in any_memory(), grade in any_grade(), days in any::<i32>(),
    ) {
        let after = memory.review(grade, memory.last().plus(days));
        if grade == Grade::Again {
            prop_assert!(after.stability() <= memory.stability());
            // But for the pull towards an easy first review's difficulty: 0.001 (10 + 4.77).
            prop_assert!(after.difficulty() + 1_478 >= memory.difficulty());
        } else {
            prop_assert!(after.stability() >= memory.stability());
        }
        prop_assert!((UNIT / 1_000..=36_500 * UNIT).contains(&after.stability()));
        prop_assert!((UNIT..=10 * UNIT).contains(&after.difficulty()));
        prop_assert!(after.last() >= memory.last());
    }

    #[test]
    fn better_grades_leave_more(memory in any_memory(), days in 0..100_000) {
        let after = Grade::ALL.map(|grade| memory.review(grade, memory.last().plus(days)));
        prop_assert!(after.is_sorted_by_key(|memory| memory.stability()));
        prop_assert!(after.is_sorted_by(|worse, better| worse.difficulty() >= better.difficulty()));
    }

    #[test]
    fn a_longer_wait_strengthens_more(
        memory in any_memory(), grade in any_grade(), days in 1..100_000, more in 0..100_000,
    ) {
        let soon = memory.review(grade, memory.last().plus(days));
        let late = memory.review(grade, memory.last().plus(days).plus(more));
        prop_assert!(soon.stability() <= late.stability());
    }

    #[test]
    fn due_is_the_day_on_which_retention_is_reached(
        stability in UNIT / 1_000..20_000 * UNIT, retention in 300_000_u32..1_000_000,
    ) {
        let bytes = postcard::to_allocvec(&(stability, 5 * UNIT, START)).unwrap();
        let memory: Memory = postcard::from_bytes(&bytes).unwrap();
        let due = memory.due(&Horizon::of(Ppm(retention)));
        let days = due.0 - START.0;
        prop_assert!(days >= 1);
        // To the nearest day; time is told apart up to 2^20 days only.
        if days < 1 << 20 {
            prop_assert!(memory.retrievability(due.plus(1)).0 <= retention + 1);
        }
        if days > 1 {
            prop_assert!(memory.retrievability(due.plus(-1)).0 + 1 >= retention);
        }
        prop_assert!(memory.due(&Horizon::of(Ppm(retention - 1))) >= due);
    }

    #[test]
    fn a_horizon_is_where_retention_is_lost(
        memory in any_memory(), other in any_memory(),
        days in 0..4_000, retention in 300_000_u32..1_000_000,
    ) {
        let day = memory.last().plus(days);
        let chance = memory.retrievability(day).0;
        let holds = memory.holds(&Horizon::of(Ppm(retention)), day);
        prop_assert!(holds || chance <= retention + 1, "{chance}");
        prop_assert!(!holds || chance + 1 >= retention, "{chance}");
        for day in [day, memory.due(&Horizon::of(Ppm(retention))), Day(i32::MAX)] {
            let horizon = Horizon::of(Ppm(retention));
            prop_assert_eq!(memory.is_due(&horizon, day), memory.due(&horizon) <= day);
        }
        // Whatever has faded more is remembered less.
        if memory.faded(day) > other.faded(day) {
            prop_assert!(memory.retrievability(day).0 <= other.retrievability(day).0 + 1);
        }
    }

    #[test]
    fn nothing_overflows(
        memory in any_memory(), day in any::<i32>(), retention in any::<u32>(), grade in any_grade(),
    ) {
        let first = Memory::first(grade, Day(day));
        for memory in [memory, first, memory.review(grade, Day(day))] {
            let _ = memory.retrievability(Day(day));
            let due = memory.due(&Horizon::of(Ppm(retention)));
            prop_assert!(due > memory.last() || memory.last().0 == i32::MAX);
            let _ = (memory.faded(Day(day)), memory.holds(&Horizon::of(Ppm(retention)), due));
        }
    }

    #[test]
    fn saved_and_restored_it_is_the_same(memory in any_memory()) {
        let bytes = postcard::to_allocvec(&memory).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Memory>(&bytes).unwrap(), memory);
        prop_assert!(bytes.len() <= 15);
    }
}
