//! Every feature from outside: what is asked, what is answered, who has which points.

mod town;

use dengmi_core::command::{Choice, Key, Person, Reaction};
use dengmi_core::outcome::{Receipt, RegradeReport};
use dengmi_core::text::FoldedHash;
use dengmi_core::view::board::BoardKey;
use dengmi_core::*;
use town::*;

const CHECK_IN: (&str, &str) = (
    "check-in",
    r#"(version: 1, from: "2026-01-01", on: CheckedIn, pay: Fixed(1), caps: [(scope: Member, per: Day, points: 1)])"#,
);
const STREAK_3: (&str, &str) = (
    "streak-3",
    r#"(version: 1, from: "2026-01-01", on: CheckedIn, when: StreakIs(3), pay: Fixed(5), caps: [(scope: Member, per: Run, points: 10)])"#,
);
const COMEBACK: (&str, &str) = (
    "comeback",
    r#"(version: 1, from: "2026-01-01", on: CheckedIn, when: Comeback, pay: Fixed(100), caps: [(scope: Member, per: Run, points: 100)])"#,
);

fn streak_quest(rules: &str, extra: &str) -> String {
    format!("days: 30, kind: CheckInStreak(({rules})), rewards: [{extra}]")
}

/// `script` is lines of `when who, who, ... -> answers | balances`.
#[track_caller]
fn check(town: &mut Town, script: &str, act: impl Fn(&Town, &str) -> Action) {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (left, right) = line.split_once("->").unwrap();
        let (when, whos) = left.trim().split_at(11);
        let (answers, balances) = right.split_once('|').unwrap_or((right, ""));
        let actions = whos.split(',').map(str::trim).filter(|who| !who.is_empty());
        let actions = actions.map(|who| act(town, who)).collect();
        let outcomes = town.operate(when, actions);
        let words: Vec<&str> = outcomes.iter().map(word).collect();
        assert_eq!(words.join(", "), answers.trim(), "answers: {line}");
        if right.contains('|') {
            assert_eq!(town.balances(), balances.trim(), "balances: {line}");
        }
    }
}

#[test]
fn a_streak_grows_breaks_and_pays() {
    let quest = streak_quest("comeback_after: 1", r#""check-in", "streak-3", "comeback""#);
    let mut town = Town::new(&[CHECK_IN, STREAK_3, COMEBACK], &quest);
    check(
        &mut town,
        "10-01 09:00 A, A, B -> ok, duplicate-check-in, ok | A 1, B 1
         10-02 00:00 A       -> ok | A 2, B 1
         10-03 23:59 A, B    -> ok, ok | A 8, B 102
         10-04 12:00 Z       -> unknown-member | A 8, B 102
         10-31 12:00 A       -> run-ended |A 8, B 102",
        |_, who| check_in(who),
    );
}

#[test]
fn freezes_fill_a_gap_once() {
    let quest = streak_quest("freezes: (start: 1, every_days: 0, max: 2)", r#""check-in""#);
    let mut town = Town::new(&[CHECK_IN], &quest);
    let length = |town: &Town| town.engine.member_card(member("A")).unwrap().streaks[0].1;
    for (when, expected) in
        [("10-01 09:00", 1), ("10-03 09:00", 2), ("10-04 09:00", 3), ("10-06 09:00", 1)]
    {
        town.one(when, check_in("A"));
        assert_eq!(length(&town).length, expected, "{when}");
        town.reload();
    }
    assert_eq!((length(&town).longest, length(&town).total), (3, 4));
}

#[test]
fn a_make_up_card_joins_what_a_miss_parted() {
    let quest = streak_quest("make_ups: (per_run: 1, within_days: 2)", r#""check-in""#);
    let mut town = Town::new(&[CHECK_IN], &quest);
    for when in ["10-01 09:00", "10-02 09:00", "10-04 09:00"] {
        town.one(when, check_in("A"));
    }
    let make_up = |day_text| Action::MakeUp { member: member("A"), run: run(), day: day(day_text) };
    assert_eq!(word(&town.one("10-04 10:00", make_up("10-04"))), "nothing-to-make-up");
    assert_eq!(word(&town.one("10-04 10:01", make_up("10-01"))), "nothing-to-make-up");
    match town.one("10-04 10:02", make_up("10-03")) {
        Outcome::Done(Receipt::CheckedIn(state)) => {
            assert_eq!((state.length, state.make_ups), (4, 0))
        }
        other => panic!("{other:?}"),
    }
    town.one("10-06 10:00", check_in("A"));
    assert_eq!(word(&town.one("10-06 10:01", make_up("10-05"))), "no-make-ups");
}

#[test]
fn a_late_report_counts_on_its_own_day() {
    let mut town = Town::new(&[CHECK_IN], &streak_quest("", r#""check-in""#));
    let late = |when: &str| Action::CheckIn {
        member: member("A"),
        run: run(),
        phrase: None,
        occurred: Some(at(when)),
    };
    town.one("10-01 09:00", check_in("A"));
    assert_eq!(word(&town.one("10-02 02:00", late("10-01 23:50"))), "too-late");
    assert_eq!(word(&town.one("10-03 00:30", late("10-02 23:50"))), "ok");
    assert_eq!(word(&town.one("10-03 00:31", late("10-03 00:40"))), "too-late");
    assert_eq!(town.engine.member_card(member("A")).unwrap().streaks[0].1.length, 2);
    assert_eq!(town.entries.last().unwrap().day, day("10-02"));
}

#[test]
fn the_phrase_of_the_day_turns() {
    let quest = streak_quest(
        r#"phrases: ["今天学一点", "明天再来", "积少成多", "看看风险"], phrase_required: true"#,
        r#""check-in""#,
    );
    let mut town = Town::new(&[CHECK_IN], &quest);
    let typed = |text: &str| Action::CheckIn {
        member: member("A"),
        run: run(),
        phrase: Some(FoldedHash::of(text)),
        occurred: None,
    };
    assert_eq!(word(&town.one("10-01 09:00", check_in("A"))), "phrase-needed");
    assert_eq!(word(&town.one("10-01 09:01", typed("明天再来"))), "wrong-phrase");
    assert_eq!(word(&town.one("10-01 09:02", typed(" 今天学一点! "))), "ok");
    assert_eq!(word(&town.one("10-02 09:02", typed("明天再来"))), "ok");
}

const ANSWERED: (&str, &str) = (
    "answered",
    r#"(version: 1, from: "2026-01-01", on: Answered, when: Right, pay: Scored(10), caps: [(scope: Member, per: Day, points: 100)])"#,
);
const ALL_RIGHT: (&str, &str) = (
    "all-right",
    r#"(version: 1, from: "2026-01-01", on: RoundCompleted, when: AllRight, pay: Fixed(7), caps: [(scope: Member, per: Week, points: 70)])"#,
);

fn quiz_quest(rules: &str) -> String {
    format!(
        r#"days: 3, kind: QuizSeries((rounds: [
            (day: 1, opens: "09:00", closes: "21:00", grace_seconds: 30, questions: ["sums/even", "sums/plus", "sums/prime"]),
            (day: 2, opens: "09:00", closes: "21:00", questions: ["sums/word"]),
        ], {rules})), rewards: ["answered", "all-right"]"#
    )
}

/// `"A even"` answers right, `"A even!"` wrong.
fn quiz_act(town: &Town, text: &str) -> Action {
    let (who, what) = text.split_once(' ').unwrap();
    let (what, wrong) = match what.strip_suffix('!') {
        Some(what) => (what, true),
        None => (what, false),
    };
    let number = |text: &str| text.parse().unwrap();
    let (question, choice) = match what {
        "even" => (0, Choice::One(u8::from(wrong))),
        "plus" => (1, Choice::Number(number(if wrong { "5" } else { "4.5" }))),
        _ => (2, Choice::Bool(wrong)),
    };
    town.answer(who, round(1), question, choice)
}

#[test]
fn nothing_moves_before_the_close() {
    let mut town = Town::new(&[ANSWERED, ALL_RIGHT], &quiz_quest(""));
    check(
        &mut town,
        "10-01 08:59 A even -> unknown-round |
         10-01 09:00 A even, A even, B even! -> ok, no-attempts, ok |
         10-01 12:00 A plus, A prime, C plus -> ok, ok, ok |
         10-01 21:00 B plus -> ok |
         10-01 21:01 D plus -> round-closed | A 37, B 10, C 10",
        quiz_act,
    );
    let catalog = town.engine.catalog();
    let stats: Vec<(u32, u32)> =
        catalog.rounds[0].questions.iter().map(|q| (q.answers, q.right)).collect();
    assert_eq!(stats, [(2, 1), (3, 3), (1, 1)]);
}

#[test]
fn right_and_wrong_get_the_same_receipt() {
    let mut town = Town::new(&[ANSWERED, ALL_RIGHT], &quiz_quest(""));
    town.operate("10-01 09:00", Vec::new());
    let answers = ["A even", "B even!"].map(|text| quiz_act(&town, text));
    let outcomes = town.operate("10-01 09:01", answers.to_vec());
    assert_eq!(outcomes[0], outcomes[1]);
    assert!(town.last.entries.is_empty() && town.last.events.is_empty());
}

#[test]
fn the_curve_and_attempts_decide_what_counts() {
    let rules = "curve: Linear(floor: 500000), attempts: (max: 2, counts: Highest), reveal: AtOnce";
    let mut town = Town::new(&[ANSWERED, ALL_RIGHT], &quiz_quest(rules));
    check(
        &mut town,
        "10-01 09:00 A even!, B even -> ok, ok |
         10-01 15:00 A even, B even!, C even -> ok, ok, ok |
         10-01 21:01 A even -> round-closed | A 7, B 10, C 7",
        quiz_act,
    );
}

#[test]
fn a_wrong_key_is_corrected_and_both_grades_stay() {
    let mut town = Town::new(&[ANSWERED, ALL_RIGHT], &quiz_quest(""));
    check(
        &mut town,
        "10-01 09:00 A even, A plus, A prime -> ok, ok, ok |
         10-01 09:01 B even!, B plus, B prime -> ok, ok, ok |
         10-01 22:00 C even -> round-closed | A 37, B 20",
        quiz_act,
    );
    let correct =
        |dry_run| Action::CorrectKey { round: round(1), question: 0, key: Key::One(1), dry_run };
    let report = |dry_run| {
        let report =
            RegradeReport { dry_run, answers: 2, now_right: 1, now_wrong: 1, score_changed: 0 };
        Outcome::Done(Receipt::Regraded(report))
    };
    assert_eq!(town.one("10-01 22:01", correct(true)), report(true));
    assert_eq!(town.balances(), "A 37, B 20");
    town.reload();
    assert_eq!(town.one("10-01 22:02", correct(false)), report(false));
    assert_eq!(town.balances(), "A 20, B 37");
    assert_eq!(word(&town.one("10-01 22:03", correct(false))), "same-key");
    let wrong =
        Action::CorrectKey { round: round(1), question: 0, key: Key::Bool(true), dry_run: false };
    assert_eq!(word(&town.one("10-01 22:04", wrong)), "wrong-key");
    assert_eq!(word(&town.one("10-05 22:04", correct(false))), "correction-over");
    let kinds: Vec<EntryKind> = town.entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == EntryKind::Reversal).count(), 2);
}

#[test]
fn a_correction_gives_back_what_the_cap_counted() {
    let tight = (
        "answered",
        r#"(version: 1, from: "2026-01-01", on: Answered, when: Right, pay: Fixed(10), caps: [(scope: Member, per: Day, points: 20)])"#,
    );
    let mut town = Town::new(&[tight, ALL_RIGHT], &quiz_quest(""));
    check(
        &mut town,
        "10-01 09:00 A even!, A plus, A prime -> ok, ok, ok |
         10-01 09:01 B even, B plus, B prime -> ok, ok, ok |
         10-01 22:00 C even -> round-closed | A 20, B 27",
        quiz_act,
    );
    let everyone = |question| Action::CorrectKey {
        round: round(1),
        question,
        key: Key::Everyone,
        dry_run: false,
    };
    town.one("10-01 22:01", everyone(0));
    assert_eq!(town.balances(), "A 27, B 27");
    town.one(
        "10-01 22:02",
        Action::CorrectKey {
            round: round(1),
            question: 1,
            key: Key::Number { value: "9".parse().unwrap(), tolerance: Decimal::default() },
            dry_run: false,
        },
    );
    assert_eq!(town.balances(), "A 10, B 10");
    town.one("10-01 22:03", everyone(1));
    assert_eq!(town.balances(), "A 27, B 27");
}

#[test]
fn extra_time_is_for_one_member_only() {
    let mut town = Town::new(&[ANSWERED, ALL_RIGHT], &quiz_quest(""));
    town.operate("10-01 09:00", Vec::new());
    let more = Action::GrantTime { member: member("B"), round: round(1), seconds: 3_600 };
    assert_eq!(word(&town.one("10-01 20:00", more.clone())), "ok");
    check(
        &mut town,
        "10-01 21:30 A plus, B plus -> round-closed, ok |
         10-01 21:59 A plus -> round-closed |
         10-01 22:00 B even -> round-closed | B 10",
        quiz_act,
    );
    assert_eq!(word(&town.one("10-01 22:02", more)), "round-closed");
}

const COMMENT_ANSWER: (&str, &str) = (
    "comment-answer",
    r#"(version: 1, from: "2026-01-01", on: Commented, when: AnsweredInComment, pay: Fixed(20), caps: [(scope: Member, per: Week, points: 40)])"#,
);
const COMMENT: (&str, &str) = (
    "comment",
    r#"(version: 1, from: "2026-01-01", on: Commented, pay: Fixed(2), caps: [(scope: Member, per: Week, points: 40)])"#,
);

const MOMENTS: &str = r#"days: 7, kind: MomentsChallenge((sender_role: LicensedStaff, card: {"zh-CN": "利滚利叫什么?"},
    question: "sums/word", window_hours: 24, posts_per_day: 2)), rewards: ["comment-answer", "comment"]"#;

#[test]
fn a_comment_counts_once_and_undoing_takes_it_back() {
    let mut town = Town::new(&[COMMENT_ANSWER, COMMENT], MOMENTS);
    let publish = || Action::Publish { run: run(), manager: manager() };
    let posted: Vec<_> = ["10-01 09:00", "10-01 09:01", "10-01 09:02", "10-02 09:00"]
        .map(|t| town.one(t, publish()))
        .iter()
        .map(word)
        .collect();
    assert_eq!(posted, ["ok", "ok", "too-many-posts", "ok"]);
    let comment = |text: &str| Reaction::Comment(Some(FoldedHash::of(text)));
    let mut step = |when: &str, who: &str, reaction, expected: &str, balances: &str| {
        let outcome = town.one(when, react(who, post(3), reaction));
        let word = match &outcome {
            Outcome::Done(Receipt::Reacted { counted: false }) => "known",
            other => word(other),
        };
        assert_eq!((word, town.balances().as_str()), (expected, balances), "{when}");
    };
    step("10-02 10:00", "A", comment("复 利!"), "ok", "A 22");
    step("10-02 10:01", "A", comment("复利"), "known", "A 22");
    step("10-02 10:02", "B", comment("单利"), "ok", "A 22, B 2");
    step("10-02 10:03", "B", comment("复利"), "known", "A 22, B 2");
    step("10-02 10:04", "C", Reaction::Comment(None), "ok", "A 22, B 2, C 2");
    step("10-02 10:05", "C", comment("复利"), "ok", "A 22, B 2, C 22");
    step("10-02 10:06", "A", Reaction::Uncomment, "ok", "B 2, C 22");
    step("10-02 10:07", "A", Reaction::Uncomment, "known", "B 2, C 22");
    step("10-02 10:08", "A", comment("复利"), "ok", "B 2, C 22");
    step("10-02 10:09", "D", Reaction::Like, "ok", "B 2, C 22");
    step("10-02 10:10", "D", Reaction::Like, "known", "B 2, C 22");
    step("10-03 09:01", "D", comment("复利"), "post-closed", "B 2, C 22");
    let staff = Action::React {
        post: post(3),
        person: Person::Staff(manager()),
        reaction: Reaction::Like,
        occurred: None,
    };
    assert_eq!(word(&town.one("10-03 09:02", staff)), "staff-excluded");
}

/// Points on the standing of the first run.
fn run_points(town: &Town) -> Vec<i32> {
    let (_, scores) = town.engine.run_scores(RunId::new(BranchId(1), 1)).unwrap();
    scores.iter().map(|(_, score)| score.points).collect()
}

#[test]
fn points_are_spent_expire_and_are_taken_back() {
    let mut town = Town::new(&[CHECK_IN, STREAK_3], &streak_quest("", r#""check-in", "streak-3""#));
    for when in ["10-01 09:00", "10-02 09:00", "10-03 09:00"] {
        town.one(when, check_in("A"));
    }
    assert_eq!(town.balances(), "A 8");
    let redeem =
        |points, order| Action::Redeem { member: member("A"), points: Points(points), order };
    assert_eq!(word(&town.one("10-04 09:00", redeem(9, 1))), "not-enough-points");
    assert_eq!(word(&town.one("10-04 09:01", redeem(0, 1))), "bad-points");
    assert_eq!(word(&town.one("10-04 09:02", redeem(6, 1))), "ok");
    assert_eq!(word(&town.one("10-04 09:03", redeem(1, 1))), "order-booked");
    let bonus = town.entries.iter().find(|entry| entry.points.0 == 5).copied().unwrap();
    let reverse = Action::Reverse {
        entry: bonus.id,
        member: member("A"),
        points: bonus.points,
        cause: bonus.cause,
    };
    assert_eq!(run_points(&town), [8]);
    assert_eq!(word(&town.one("10-04 09:04", reverse.clone())), "ok");
    assert_eq!(town.balances(), "");
    assert_eq!(run_points(&town), [6], "what the member gives back no longer counts in its run");
    assert_eq!(word(&town.one("10-04 09:05", reverse)), "already-reversed");
    town.one("10-05 09:00", check_in("A"));
    assert_eq!(town.balances(), "A 1");
    // October's points live through November.
    assert_eq!(word(&town.one("12-01 00:00", redeem(1, 2))), "not-enough-points");
    let sum: i64 =
        town.entries.iter().filter(|e| e.from == Account::House).map(|e| e.points.0).sum();
    assert_eq!(sum, 3, "what was already spent is borne by the house");
}

#[test]
fn caps_and_budgets_cut() {
    let rule = (
        "check-in",
        r#"(version: 1, from: "2026-01-01", on: CheckedIn, pay: Fixed(4), budget: 13, caps: [
            (scope: Member, per: Week, points: 6), (scope: Community, per: Day, points: 7), (scope: Bank, per: Run, points: 100)])"#,
    );
    let mut town = Town::new(&[rule], &streak_quest("", r#""check-in""#));
    check(
        &mut town,
        "10-01 09:00 A, B -> ok, ok | A 4, B 3
         10-02 09:00 A, C -> ok, ok | A 6, B 3, C 4
         10-03 09:00 A, C, D -> ok, ok, ok | A 6, B 3, C 4",
        |_, who| check_in(who),
    );
}

#[test]
fn a_standing_closes_with_its_period_and_stays() {
    let mut town = Town::new(&[CHECK_IN, STREAK_3], &streak_quest("", r#""check-in", "streak-3""#));
    for (when, whos) in [("10-02 09:00", "BA"), ("10-03 09:00", "AC"), ("10-04 09:00", "A")] {
        for who in whos.chars() {
            town.one(when, check_in(&who.to_string()));
        }
        town.reload();
    }
    town.operate("10-05 00:00", Vec::new());
    let lines: Vec<String> = town
        .closed
        .iter()
        .map(|board| {
            let BoardKey::Community(group, period) = board.key else { panic!("{board:?}") };
            let rows: Vec<String> = board
                .rows
                .iter()
                .map(|row| format!("{} {} {}", row.rank, row.member, row.points))
                .collect();
            format!("{group} {:?} {}: {}", period.kind, period.first, rows.join(", "))
        })
        .collect();
    assert_eq!(
        lines,
        [
            "c1-1 Day 2026-10-02: 1 m1-2 1, 1 m1-1 1",
            "c1-1 Day 2026-10-03: 1 m1-1 1",
            "c1-2 Day 2026-10-03: 1 m1-3 1",
            "c1-1 Day 2026-10-04: 1 m1-1 6",
            "c1-1 Week 2026-09-28: 1 m1-1 8, 2 m1-2 1",
            "c1-2 Week 2026-09-28: 1 m1-3 1",
        ]
    );
}

#[test]
fn refusals_change_nothing() {
    let mut town = Town::new(&[CHECK_IN], &streak_quest("", r#""check-in""#));
    let before = town.engine.save();
    let other = MemberId::new(BranchId(2), 1);
    let refused = vec![
        (Action::Join { community: community(9) }, "unknown-community"),
        (Action::Leave { member: other }, "wrong-branch"),
        (Action::Move { member: member("A"), to: community(1) }, "already-there"),
        (
            Action::MakeUp { member: member("A"), run: run(), day: day("10-01") },
            "nothing-to-make-up",
        ),
        (Action::Stop { run: RunId::new(BranchId(1), 7) }, "unknown-run"),
        (Action::AdoptContent { digest: Digest::default() }, "unknown-content"),
        (Action::Publish { run: run(), manager: manager() }, "wrong-kind"),
        (
            Action::Launch {
                quest: "quest".parse().unwrap(),
                communities: Vec::new(),
                start: day("09-30"),
            },
            "bad-start",
        ),
    ];
    let expected: Vec<&str> = refused.iter().map(|(_, code)| *code).collect();
    let actions = refused.into_iter().map(|(action, _)| action).collect();
    let outcomes = town.operate("10-01 10:00", actions);
    assert_eq!(outcomes.iter().map(word).collect::<Vec<_>>(), expected);
    assert!(
        town.last.entries.is_empty() && town.last.events.is_empty() && town.last.touched.is_empty()
    );
    let mine = town.batch("10-01 10:01", vec![check_in("B"), Action::AddManager], |_| {
        Actor::Member(member("A"))
    });
    assert_eq!(mine.iter().map(word).collect::<Vec<_>>(), ["not-yours", "not-yours"]);
    // Only number, time and chain of the batches differ: the state behind the header is the same.
    let after = town.engine.save();
    let tail = |bytes: &[u8]| bytes[bytes.len() - 200..].to_vec();
    assert_eq!((tail(&before), before.len()), (tail(&after), after.len()));
}
