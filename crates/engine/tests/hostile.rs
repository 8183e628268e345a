//! What nobody should send: absurd commands, absurd times, damaged snapshots. Nothing panics, no
//! award or standing comes twice, the books balance, and a restored twin stays a twin.

mod town;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dengmi_core::command::{Choice, ConsentPurpose};
use dengmi_core::text::FoldedHash;
use dengmi_core::*;
use dengmi_engine::Engine;
use town::*;

/// Campaigns that are drawn.
const SEEDS: u64 = 24;

const ANSWERED: (&str, &str) = (
    "answered",
    r#"(version: 1, from: "2026-01-01", on: Answered, when: Right, pay: Fixed(10), caps: [(scope: Member, per: Run, points: 100)])"#,
);
const QUIZ: &str = r#"days: 3, kind: QuizSeries((rounds: [
    (day: 1, opens: "09:00", closes: "21:00", questions: ["sums/even", "sums/plus", "sums/prime"]),
])), rewards: ["answered"]"#;
const MOMENTS: &str = r#"days: 7, kind: MomentsChallenge((sender_role: LicensedStaff, card: {"zh-CN": "利滚利叫什么?"},
    question: "sums/word", window_hours: 48, posts_per_day: 2)), rewards: [REWARDS]"#;

#[test]
fn damaged_bytes_are_refused_or_harmless() {
    let mut town = Town::new(&[ANSWERED], QUIZ);
    town.operate("10-01 09:00", vec![]);
    let a = ["A", "B"].map(|who| town.answer(who, round(1), 0, Choice::One(0))).to_vec();
    town.operate("10-01 09:01", a);
    town.operate(
        "10-01 21:30",
        vec![Action::Tag { member: member("A"), tag: "x".parse().unwrap(), on: true }],
    );
    let bytes = town.engine.save();
    let packs = BTreeMap::from([(town.pack.digest, town.pack.clone())]);
    let (mut restored, mut refused) = (0u32, 0u32);
    for i in (0..bytes.len()).step_by(7) {
        for v in [0u8, 1, 0x7f, 0x80, 0xff, bytes[i] ^ 1, bytes[i] ^ 0x10] {
            let mut damaged = bytes.clone();
            damaged[i] = v;
            let Ok(mut engine) = Engine::restore(config(), &packs, &damaged) else {
                refused += 1;
                continue;
            };
            restored += 1;
            let batch =
                Batch { seq: engine.seq() + 1, at: at("12-30 09:00"), commands: Arc::default() };
            let _ = engine.apply(&batch);
            engine.save();
        }
    }
    assert!(restored > 100 && refused > 100, "{restored} {refused}");
}

struct Dice(u64);
impl Dice {
    fn next(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
    fn odd_u32(&mut self) -> u32 {
        match self.next(12) {
            0 => 0,
            1 => u32::MAX,
            2 => u32::MAX / 2,
            n => n as u32 - 2,
        }
    }
    fn odd_i64(&mut self) -> i64 {
        match self.next(6) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => 0,
            3 => -1,
            _ => self.next(2_000) as i64,
        }
    }
}
fn hostile(d: &mut Dice, now: Timestamp) -> Action {
    use dengmi_core::command::*;
    let b = BranchId(1);
    let member = MemberId::new(b, if d.next(8) == 0 { d.odd_u32() } else { 1 + d.next(6) as u32 });
    let run = RunId::new(b, if d.next(8) == 0 { d.odd_u32() } else { 1 + d.next(4) as u32 });
    let round = RoundId::new(b, if d.next(8) == 0 { d.odd_u32() } else { 1 + d.next(4) as u32 });
    let post = PostId::new(b, if d.next(8) == 0 { d.odd_u32() } else { 1 + d.next(4) as u32 });
    let community =
        CommunityId::new(b, if d.next(8) == 0 { d.odd_u32() } else { 1 + d.next(3) as u32 });
    let manager = ManagerId::new(b, if d.next(8) == 0 { d.odd_u32() } else { 1 });
    let occurred = match d.next(5) {
        0 => Some(Timestamp(d.odd_i64())),
        1 => Some(Timestamp(now.0 - d.next(8_000_000) as i64)),
        _ => None,
    };
    let text = || [None, Some(FoldedHash::of("复利")), Some(FoldedHash::of("x"))];
    match d.next(40) {
        0 => Action::Join { community },
        1 => Action::Move { member, to: community },
        2 if d.next(4) == 0 => Action::Leave { member },
        3 if d.next(20) == 0 => Action::Erase { member },
        4 => Action::Tag {
            member,
            tag: format!("t{}", d.next(70)).parse().unwrap(),
            on: d.next(2) == 0,
        },
        5 => Action::Consent {
            member,
            purpose: ConsentPurpose::Activities,
            version: d.odd_u32() as u16,
            given: d.next(5) > 0,
        },
        6 => Action::Launch {
            quest: ["quest", "s", "m"][d.next(3) as usize].parse().unwrap(),
            communities: if d.next(2) == 0 { vec![] } else { vec![community] },
            start: if d.next(4) == 0 {
                Day(d.odd_u32() as i32)
            } else {
                Calendar::default().day_of(now).plus(d.next(3) as i32)
            },
        },
        7 if d.next(10) == 0 => Action::Stop { run },
        8..=15 => Action::CheckIn { member, run, phrase: None, occurred },
        16 => Action::MakeUp {
            member,
            run,
            day: if d.next(4) == 0 {
                Day(d.odd_u32() as i32)
            } else {
                Calendar::default().day_of(now).plus(-(d.next(5) as i32))
            },
        },
        17 => Action::RepairStreak {
            member,
            run,
            days: d.odd_u32() as u16 % 200,
            reason: RepairReason::Hardship,
        },
        18..=25 => Action::Answer {
            member,
            round,
            answers: (0..1 + d.next(3))
                .map(|_| Answer {
                    question: d.next(4) as u8,
                    choice: match d.next(5) {
                        0 => Choice::One(d.next(3) as u8),
                        1 => Choice::Number("4".parse().unwrap()),
                        2 => Choice::Bool(d.next(2) == 0),
                        3 => Choice::Many(d.odd_u32()),
                        _ => Choice::Text(FoldedHash::of("复利")),
                    },
                })
                .collect(),
        },
        26 => Action::GrantTime {
            member,
            round,
            seconds: if d.next(3) == 0 { d.odd_u32() } else { 1 + d.next(200_000) as u32 },
        },
        27 | 28 => Action::CorrectKey {
            round,
            question: d.next(4) as u8,
            dry_run: d.next(3) == 0,
            key: match d.next(6) {
                0 => Key::Everyone,
                1 => Key::Bool(d.next(2) == 0),
                2 => Key::Many(d.odd_u32()),
                3 => Key::Number { value: "5".parse().unwrap(), tolerance: "1".parse().unwrap() },
                _ => Key::One(d.next(4) as u8),
            },
        },
        29 => Action::Publish { run, manager },
        30..=36 => Action::React {
            post,
            person: if d.next(9) == 0 { Person::Staff(manager) } else { Person::Member(member) },
            occurred,
            reaction: match d.next(5) {
                0 => Reaction::Like,
                1 => Reaction::Unlike,
                2 => Reaction::Uncomment,
                _ => Reaction::Comment(text()[d.next(3) as usize]),
            },
        },
        37 => Action::Redeem { member, points: Points(d.odd_i64()), order: d.next(50) },
        _ => Action::Reverse {
            entry: if d.next(3) == 0 { u64::MAX } else { d.next(60) },
            member,
            points: Points(if d.next(2) == 0 { d.odd_i64() } else { 3 }),
            cause: Cause::CheckIn(run, Day(d.odd_u32() as i32)),
        },
    }
}

#[test]
fn nothing_breaks_under_hostile_commands() {
    let rule = |on: &str, when: &str, pay: &str, cap: &str| {
        format!(
            r#"(version: 1, from: "2026-01-01", to: "2026-10-03", on: {on}, when: {when}, pay: {pay}, budget: 900, caps: [{cap}]),
        (version: 2, from: "2026-10-04", on: {on}, pay: {pay}, caps: [{cap}])"#
        )
    };
    let cap = "(scope: Member, per: Week, points: 40), (scope: Community, per: Day, points: 60)";
    let texts = [
        ("answered", rule("Answered", "Right", "Scored(10)", cap)),
        ("done", rule("RoundCompleted", "Always", "PerRight(3)", cap)),
        ("check-in", rule("CheckedIn", "Always", "Fixed(1)", cap)),
        ("s3", rule("CheckedIn", "StreakIs(3)", "Fixed(5)", cap)),
        ("c1", rule("Commented", "AnsweredInComment", "Fixed(2)", cap)),
        ("c2", rule("Commented", "Always", "Fixed(2)", cap)),
        ("c3", rule("Commented", "Not(AnsweredInComment)", "Fixed(1)", cap)),
    ];
    let rules: Vec<(&str, &str)> = texts.iter().map(|(n, t)| (*n, t.as_str())).collect();
    for seed in 1..=SEEDS {
        let mut d = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let quiz = |r: &str| {
            format!(
                r#"days: 3, kind: QuizSeries((rounds: [
            (day: 1, opens: "09:00", closes: "21:00", grace_seconds: 30, questions: ["sums/even", "sums/plus", "sums/prime"]),
            (day: 3, opens: "09:00", closes: "24:00", grace_seconds: 600, questions: ["sums/word"]),
        ], {r})), rewards: ["answered", "done"]"#
            )
        };
        let variants = [
            "",
            "reveal: AtOnce",
            "reveal: AtOnce, correction_days: 0, curve: Linear(floor: 500000)",
            "attempts: (max: 3, counts: Average), late_joiners: Prorated",
            "correction_days: 30, curve: HalfLife(seconds: 7, floor: 3)",
        ];
        let q = quiz(variants[d.next(5) as usize]);
        let s = r#"days: 20, kind: CheckInStreak((make_ups: (per_run: 3, within_days: 5), freezes: (start: 1, every_days: 2, max: 2), comeback_after: 1)), rewards: ["check-in", "s3"]"#;
        let m = MOMENTS.replace("REWARDS", r#""c1", "c2", "c3""#);
        let pack = pack(&rules, &[("quest", &q), ("s", s), ("m", &m)]);
        let mut engine = Engine::new(config(), pack.clone());
        let packs = BTreeMap::from([(pack.digest, pack.clone())]);
        let mut twin = Engine::new(config(), pack.clone());
        let mut now = at("10-01 08:00");
        let (mut awards, mut boards, mut balance) =
            (BTreeSet::new(), BTreeSet::new(), BTreeMap::<Account, i64>::new());
        let mut first = vec![Action::AddManager];
        for t in ["managed", "long"] {
            first.push(Action::OpenCommunity { template: t.parse().unwrap(), manager: manager() });
        }
        for g in [1, 1, 2, 2] {
            first.push(Action::Join { community: community(g) });
        }
        for n in ["A", "B", "C", "D"] {
            first.push(consent(n, ConsentPurpose::Activities));
        }
        for n in ["quest", "s", "m"] {
            first.push(Action::Launch {
                quest: n.parse().unwrap(),
                communities: vec![],
                start: day("10-01"),
            });
        }
        for step in 0..150u64 {
            let commands: Vec<Command> = if step == 0 {
                std::mem::take(&mut first)
            } else {
                (0..d.next(12)).map(|_| hostile(&mut d, now)).collect()
            }
            .into_iter()
            .map(|action| Command { actor: Actor::Operator(1), action })
            .collect();
            let batch = Batch { seq: step + 1, at: now, commands: commands.into() };
            let applied = engine.apply(&batch).unwrap();
            if d.next(5) == 0 {
                let bytes = twin.save();
                twin = Engine::restore(config(), &packs, &bytes).unwrap();
                assert_eq!(twin.save(), bytes);
            }
            assert_eq!(twin.apply(&batch).unwrap(), applied);
            assert_eq!(twin.digest(), engine.digest());
            for e in &applied.entries {
                *balance.entry(e.from).or_default() -= e.points.0;
                *balance.entry(e.to).or_default() += e.points.0;
                if e.kind == EntryKind::Award {
                    assert!(
                        awards.insert((e.rule.unwrap().code, e.cause, e.to)),
                        "seed {seed} step {step}: twice {e:?}"
                    );
                }
            }
            for b in &applied.closed_boards {
                assert!(boards.insert(b.key), "seed {seed} step {step}: {b:?}");
            }
            for n in 1..=engine.members() {
                let id = MemberId::new(BranchId(1), n);
                assert_eq!(
                    engine.member_card(id).unwrap().balance.0,
                    balance.get(&Account::Member(id)).copied().unwrap_or(0)
                );
            }
            let _ = engine.catalog();
            now = Timestamp(
                now.0
                    + match d.next(9) {
                        0 => 40 * 86_400_000,
                        1 => 86_400_000,
                        2 => 30_000_000,
                        3 => 9_000_000,
                        _ => 1 + d.next(3_600_000) as i64,
                    },
            );
            if step == 148 {
                now = Timestamp::MAX;
            }
        }
    }
}
