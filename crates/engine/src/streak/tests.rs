use std::collections::BTreeSet;

use dengmi_content::model::quest::{Freezes, Leniency, MakeUps};
use proptest::prelude::*;

use super::*;

fn plan(edit: impl FnOnce(&mut CheckInStreak)) -> StreakPlan {
    let mut rules = CheckInStreak {
        mode: StreakMode::Consecutive,
        freezes: Freezes::default(),
        make_ups: MakeUps::default(),
        comeback_after: 0,
        leniency: Vec::new(),
        phrases: Vec::new(),
        phrase_required: false,
        prompt: None,
    };
    edit(&mut rules);
    StreakPlan::of(&rules)
}

/// `days` are check-ins in order of arrival; `expected` the length after each, `-` for a refusal,
/// `!` after a comeback.
#[track_caller]
fn check(plan: &StreakPlan, days: &[i32], expected: &str) {
    let mut streak = Streak::begin(plan, Day(days[0]));
    let lengths: Vec<String> = days
        .iter()
        .map(|day| match streak.advance(plan, Day(*day), false) {
            Ok(Counted { comeback, .. }) => {
                format!("{}{}", streak.length, if comeback { "!" } else { "" })
            }
            Err(_) => "-".to_owned(),
        })
        .collect();
    assert_eq!(lengths.join(" "), expected);
}

#[test]
fn days_in_a_row_count() {
    let plain = plan(|_| {});
    check(&plain, &[1, 2, 3, 3, 5, 6], "1 2 3 - 1 2");
    check(&plain, &[1, 3, 2], "1 1 3");
    check(&plain, &[5, 4], "1 -");
    let comeback = plan(|rules| rules.comeback_after = 2);
    check(&comeback, &[1, 3, 6, 7], "1 1 1! 2");
    let cumulative = plan(|rules| rules.mode = StreakMode::Cumulative);
    check(&cumulative, &[1, 4, 9, 9], "1 2 3 -");
}

#[test]
fn freezes_are_used_up_and_earned() {
    let frozen = plan(|rules| rules.freezes = Freezes { start: 2, every_days: 3, max: 2 });
    check(&frozen, &[1, 4, 5, 8, 9], "1 2 3 1 2");
    check(&frozen, &[1, 2, 3, 5, 7, 9], "1 2 3 4 5 1");
    check(&frozen, &[1, 5], "1 1");
}

#[test]
fn who_came_far_is_forgiven_more() {
    let lenient = plan(|rules| {
        rules.leniency = vec![
            Leniency { from_length: 3, forgiven_days: 1 },
            Leniency { from_length: 5, forgiven_days: 2 },
        ];
    });
    check(&lenient, &[1, 2, 4], "1 2 1");
    check(&lenient, &[1, 2, 3, 5, 7, 10, 14], "1 2 3 4 5 6 1");
}

#[test]
fn a_repair_goes_on_from_yesterday() {
    let plain = plan(|_| {});
    let mut streak = Streak::begin(&plain, Day(1));
    assert_eq!(streak.repair(Day(9), 5), Err(Reject::BadRepair));
    streak.advance(&plain, Day(1), false).unwrap();
    streak.repair(Day(9), 30).unwrap();
    assert_eq!((streak.length, streak.last), (30, Day(8)));
    streak.advance(&plain, Day(9), false).unwrap();
    assert_eq!((streak.length, streak.longest, streak.total), (31, 31, 2));
    assert_eq!(streak.repair(Day(9), 0), Err(Reject::BadRepair));
    assert_eq!(streak.repair(Day(9), u16::MAX), Err(Reject::BadRepair));
    streak.repair(Day(9), 40).unwrap();
    streak.advance(&plain, Day(10), false).unwrap();
    assert_eq!(streak.length, 41);
}

#[test]
fn a_gap_behind_a_long_streak_is_joined_too() {
    let plain = plan(|rules| rules.make_ups = MakeUps { per_run: 9, within_days: 9 });
    let mut streak = Streak::begin(&plain, Day(1));
    for day in (1..=150).chain([153]) {
        streak.advance(&plain, Day(day), false).unwrap();
    }
    assert_eq!((streak.length, streak.longest), (1, 150));
    assert_eq!(streak.make_up(&plain, Day(153), Day(151)).map(|c| c.streak), Ok(151));
    assert_eq!(streak.length, 1);
    assert_eq!(streak.make_up(&plain, Day(153), Day(152)).map(|c| c.streak), Ok(153));
    assert_eq!((streak.length, streak.longest), (153, 153));
}

#[test]
fn filling_a_gap_never_shortens_what_an_operator_repaired() {
    for days in [5, 30, 64, 90] {
        let plain = plan(|rules| rules.make_ups = MakeUps { per_run: 9, within_days: 9 });
        let mut streak = Streak::begin(&plain, Day(1));
        streak.advance(&plain, Day(1), false).unwrap();
        streak.repair(Day(9), days).unwrap();
        streak.advance(&plain, Day(9), false).unwrap();
        // The operator counted day 8 already.
        streak.make_up(&plain, Day(9), Day(8)).unwrap();
        assert_eq!(streak.length, days + 1);
        streak.advance(&plain, Day(11), false).unwrap();
        assert_eq!(streak.length, 1);
        streak.make_up(&plain, Day(11), Day(10)).unwrap();
        assert!(streak.length >= days + 3, "{}", streak.length);
    }
    let cumulative = plan(|rules| rules.mode = StreakMode::Cumulative);
    let mut streak = Streak::begin(&cumulative, Day(1));
    streak.advance(&cumulative, Day(1), false).unwrap();
    streak.repair(Day(5), 4).unwrap();
    streak.advance(&cumulative, Day(9), false).unwrap();
    assert_eq!((streak.length, streak.total), (5, 2));
}

#[test]
fn a_day_far_back_earns_nothing_twice() {
    let frozen = plan(|rules| {
        rules.freezes = Freezes { start: 0, every_days: 3, max: 3 };
        rules.make_ups = MakeUps { per_run: 3, within_days: 30 };
    });
    let mut streak = Streak::begin(&frozen, Day(1));
    for day in [1, 5, 9, 10, 11] {
        streak.advance(&frozen, Day(day), false).unwrap();
    }
    assert_eq!((streak.length, streak.freezes), (3, 1));
    // Days 2 and 7 do not touch the streak of three: no freeze again, no three in a row again.
    assert_eq!(streak.make_up(&frozen, Day(11), Day(2)).map(|c| c.streak), Ok(2));
    assert_eq!(streak.make_up(&frozen, Day(11), Day(7)).map(|c| c.streak), Ok(1));
    assert_eq!((streak.length, streak.freezes), (3, 1));
}

/// Days in a row up to the last, by looking at all of them.
fn model(days: &BTreeSet<i32>) -> u16 {
    let last = days.iter().next_back().copied().unwrap_or(0);
    (0..).take_while(|back| days.contains(&(last - back))).count() as u16
}

proptest! {
    /// Whatever order days arrive in: the length is the days in a row up to the last one.
    #[test]
    fn the_length_is_what_a_calendar_shows(
        span in prop_oneof![Just(40i32), Just(90), Just(200)],
        seeds in proptest::collection::vec(0i32..1_000, 1..160), sorted in any::<bool>(),
    ) {
        let mut arrivals: Vec<i32> = seeds.into_iter().map(|seed| seed % span).collect();
        if sorted {
            // Mostly in order, as real days are, so that long streaks come about.
            arrivals.sort_unstable();
            let last = arrivals.len() - 1;
            arrivals.swap(last, last / 2);
        }
        let plain = plan(|_| {});
        let mut streak = Streak::begin(&plain, Day(arrivals[0]));
        let mut days = BTreeSet::new();
        let mut longest = 0;
        for day in arrivals {
            let before = streak;
            // Nothing before the first day that counted is taken.
            let last = days.last().copied().unwrap_or(day);
            let admissible = days.first().is_none_or(|first| day >= *first) && day > last - 64;
            match streak.advance(&plain, Day(day), false) {
                Ok(_) => prop_assert!(admissible && days.insert(day)),
                Err(_) => {
                    prop_assert!(!admissible || days.contains(&day));
                    prop_assert_eq!(streak, before);
                }
            }
            prop_assert_eq!(streak.length, model(&days));
            prop_assert_eq!(usize::from(streak.total), days.len());
            longest = longest.max(streak.length);
            prop_assert_eq!(streak.longest, longest);
        }
    }

    /// With every kind of help: one day adds one at most, a broken streak starts at one, freezes
    /// stay within their limit and the longest never falls.
    #[test]
    fn help_never_makes_a_streak_grow_faster(
        steps in proptest::collection::vec(1i32..6, 1..80), start in 0u8..3, every in 0u16..5, max in 0u8..4,
    ) {
        let helped = plan(|rules| {
            rules.freezes = Freezes { start: start.min(max), every_days: every, max };
            rules.leniency = vec![Leniency { from_length: 4, forgiven_days: 1 }];
        });
        let mut day = 0;
        let mut streak = Streak::begin(&helped, Day(day));
        let _ = streak.advance(&helped, Day(day), false);
        for step in steps {
            let before = streak;
            day += step;
            streak.advance(&helped, Day(day), false).unwrap();
            prop_assert!(streak.length == before.length + 1 || streak.length == 1);
            prop_assert!(step > 1 || streak.length == before.length + 1);
            prop_assert!(streak.freezes <= max && streak.longest >= before.longest.max(streak.length));
            let alive = before.state(&helped).alive_until;
            prop_assert_eq!(Day(day) <= alive, streak.length == before.length + 1);
        }
    }
}

/// A streak of days in a row from the first day on.
fn in_a_row(plan: &StreakPlan, days: std::ops::RangeInclusive<i32>) -> Streak {
    let mut streak = Streak::begin(plan, Day(*days.start()));
    for day in days {
        streak.advance(plan, Day(day), false).unwrap();
    }
    streak
}

#[test]
fn what_lies_just_behind_64_days_is_joined_too() {
    let plain = plan(|_| {});
    for (last, length) in [(63, 63), (64, 64), (65, 65), (66, 64)] {
        let mut streak = in_a_row(&plain, 1..=1);
        streak.advance(&plain, Day(last), false).unwrap();
        for day in (2..last).rev().filter(|day| last - day < 64) {
            streak.advance(&plain, Day(day), false).unwrap();
        }
        assert_eq!((streak.length, streak.longest), (length, length), "{last}");
        assert_eq!(streak.advance(&plain, Day(last - 64), false), Err(Reject::TooLate), "{last}");
    }
}

#[test]
fn a_made_up_day_tells_the_streak_it_ends_over_bridged_days() {
    let helped = plan(|rules| {
        rules.freezes = Freezes { start: 1, every_days: 0, max: 1 };
        rules.make_ups = MakeUps { per_run: 2, within_days: 3 };
    });
    let mut streak = in_a_row(&helped, 1..=2);
    for (day, length) in [(4, 3), (7, 1)] {
        streak.advance(&helped, Day(day), false).unwrap();
        assert_eq!(streak.length, length, "{day}");
    }
    assert_eq!(streak.state(&helped).make_ups, 2);
    // Days 1, 2 and 4, over day 3, which a freeze bridged.
    assert_eq!(streak.make_up(&helped, Day(7), Day(5)).map(|c| c.streak), Ok(4));
    assert_eq!((streak.length, streak.state(&helped).make_ups), (1, 1));
    assert_eq!(streak.make_up(&helped, Day(7), Day(6)).map(|c| c.streak), Ok(6));
    assert_eq!((streak.length, streak.total, streak.state(&helped).make_ups), (6, 6, 0));
    assert_eq!(streak.make_up(&helped, Day(7), Day(3)), Err(Reject::NothingToMakeUp));
    streak.advance(&helped, Day(9), false).unwrap();
    assert_eq!(streak.make_up(&helped, Day(9), Day(8)), Err(Reject::NoMakeUps));
}

#[test]
fn what_can_be_made_up_has_two_ends() {
    let helped = plan(|rules| rules.make_ups = MakeUps { per_run: 9, within_days: 3 });
    for (day, possible) in [(4, true), (6, true), (3, false), (7, false), (8, false)] {
        let mut streak = in_a_row(&helped, 1..=1);
        let made_up = streak.make_up(&helped, Day(7), Day(day)).map(|_| ());
        let expected = if possible { Ok(()) } else { Err(Reject::NothingToMakeUp) };
        assert_eq!(made_up, expected, "{day}");
    }
    let mut late = in_a_row(&helped, 5..=5);
    assert_eq!(late.make_up(&helped, Day(7), Day(4)), Err(Reject::NothingToMakeUp));
}

#[test]
fn the_phrases_take_turns() {
    let words = ["一", "二", "三"];
    let mut with = plan(|rules| rules.phrases = words.map(str::to_owned).to_vec());
    for day in 0..9 {
        for (place, word) in words.iter().enumerate() {
            let expected = if day % 3 == place { Ok(()) } else { Err(Reject::WrongPhrase) };
            assert_eq!(with.accepts(Some(FoldedHash::of(word)), day), expected, "{day} {word}");
        }
        assert_eq!(with.accepts(None, day), Ok(()));
    }
    with.rules.phrase_required = true;
    assert_eq!(with.accepts(None, 0), Err(Reject::PhraseNeeded));
    assert_eq!(plan(|_| {}).accepts(Some(FoldedHash::of("一")), 0), Err(Reject::WrongPhrase));
}

#[test]
fn a_repair_forgets_what_was_long_before() {
    let plain = plan(|rules| rules.make_ups = MakeUps { per_run: 9, within_days: 9 });
    for days in [64, 65, 3_650] {
        let mut streak = in_a_row(&plain, 1..=100);
        streak.repair(Day(101), days).unwrap();
        assert_eq!((streak.length, streak.longest), (days, days.max(100)));
        streak.advance(&plain, Day(101), false).unwrap();
        streak.advance(&plain, Day(103), false).unwrap();
        streak.make_up(&plain, Day(103), Day(102)).unwrap();
        assert_eq!(streak.length, days + 3);
    }
    let mut streak = in_a_row(&plain, 1..=1);
    assert_eq!(streak.repair(Day(1), REPAIR_DAYS_MAX + 1), Err(Reject::BadRepair));
}

#[test]
fn a_streak_lives_as_long_as_it_says() {
    let helped = plan(|rules| {
        rules.freezes = Freezes { start: 2, every_days: 0, max: 2 };
        rules.leniency = vec![Leniency { from_length: 3, forgiven_days: 1 }];
    });
    for (length, alive_until) in [(1, 4), (2, 5), (3, 7), (9, 13)] {
        let state = in_a_row(&helped, 1..=length).state(&helped);
        assert_eq!((state.day, state.alive_until), (Day(length), Day(alive_until)));
        assert_eq!((state.freezes, i32::from(state.total)), (2, length));
    }
    let cumulative = plan(|rules| rules.mode = StreakMode::Cumulative);
    let state = in_a_row(&cumulative, 1..=2).state(&cumulative);
    assert_eq!(state.alive_until, Day(3 + i32::from(u16::MAX)));
}

#[test]
fn a_made_up_day_is_no_comeback() {
    let helped = plan(|rules| {
        rules.comeback_after = 2;
        rules.make_ups = MakeUps { per_run: 1, within_days: 3 };
    });
    let streak = in_a_row(&helped, 1..=1);
    let counted = |comeback, made_up| Ok(Counted { comeback, made_up, streak: 1 });
    assert_eq!({ streak }.advance(&helped, Day(5), false), counted(true, false));
    assert_eq!({ streak }.make_up(&helped, Day(7), Day(5)), counted(false, true));
}

#[test]
fn a_filled_gap_earns_the_freeze_that_it_leads_to() {
    let frozen = plan(|rules| rules.freezes = Freezes { start: 0, every_days: 3, max: 2 });
    let mut streak = in_a_row(&frozen, 1..=1);
    streak.advance(&frozen, Day(3), false).unwrap();
    assert_eq!((streak.length, streak.freezes), (1, 0));
    streak.advance(&frozen, Day(2), false).unwrap();
    assert_eq!((streak.length, streak.freezes), (3, 1));
}

#[test]
fn repaired_days_that_were_checked_in_too_count_once_for_ever() {
    let plain = plan(|rules| rules.make_ups = MakeUps { per_run: 1, within_days: 3 });
    let mut streak = in_a_row(&plain, 1..=100);
    streak.repair(Day(101), 80).unwrap();
    for day in (101..=120).chain([122]) {
        streak.advance(&plain, Day(day), false).unwrap();
    }
    assert_eq!(streak.length, 1);
    // Days 21 to 100 by the operator, and 22 more.
    streak.make_up(&plain, Day(122), Day(121)).unwrap();
    assert_eq!(streak.length, 102);
}

/// `days` are check-ins in order of arrival, after which an operator sets the streak once for each
/// of `repairs`, as of the last day; then a check-in of `late` arrives, and the length of the streak
/// and of the part that day belongs to are `expected`.
#[track_caller]
fn check_late(plan: &StreakPlan, days: &[i32], repairs: &[u16], late: i32, expected: (u16, u16)) {
    let mut streak = Streak::begin(plan, Day(days[0]));
    for day in days {
        streak.advance(plan, Day(*day), false).unwrap();
    }
    for length in repairs {
        streak.repair(streak.last, *length).unwrap();
    }
    let counted = streak.advance(plan, Day(late), false).unwrap();
    assert_eq!((streak.length, counted.streak), expected, "{days:?} {repairs:?} {late}");
}

#[test]
fn a_late_day_tells_the_streak_it_belongs_to() {
    let plain = plan(|_| {});
    check_late(&plain, &[1, 3], &[], 2, (3, 3));
    check_late(&plain, &[1, 4, 5], &[], 2, (2, 2));
    check_late(&plain, &[1, 7, 9], &[], 4, (1, 1));
    // Within what was set, before it, and within what was set before something shorter was.
    check_late(&plain, &[5, 10], &[3], 9, (3, 3));
    check_late(&plain, &[1, 20], &[3], 15, (3, 1));
    check_late(&plain, &[1, 20], &[10, 3], 15, (3, 1));
    // A freeze from before goes on bridging its day.
    let frozen = plan(|rules| rules.freezes = Freezes { start: 1, every_days: 0, max: 1 });
    check_late(&frozen, &[1, 6, 8, 11], &[3], 5, (4, 4));
}
