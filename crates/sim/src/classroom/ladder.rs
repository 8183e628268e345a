//! What a ladder rewards (domain 2.4): by raw return gamblers crowd its top tenth, by the score of
//! the shipped course they do not. Whole cohorts through the engine, on the shipped market without
//! shocks: a script with a crash would decide who is on top.

use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_core::course::CourseAction;
use dengmi_core::mock::{ClientLevel, Goal, MockAction, MockView, OrderState, Plan, PlanPart};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Action, Actor, CohortId, Command, Fen, MemberId, Ppm, Slug};
use dengmi_engine::Engine;

use super::{BRANCH, Calendar, Classroom, OPENING, Part};
use crate::answering::questionnaire;
use crate::shipped;

const COHORTS: u32 = 24;
const MEMBERS: u32 = 100;

/// Ways of playing, and how many of a hundred play like that; the first three gamble.
const PLAYERS: [(u32, Player); 6] = [
    (12, Player { level: ClientLevel::C5, parts: &["index-growth"], share: 1_000_000, ..GAMBLER }),
    (11, Player { level: ClientLevel::C4, parts: &["index-broad"], share: 1_000_000, ..GAMBLER }),
    (12, Player { switches: true, parts: &["index-growth", "index-broad"], ..GAMBLER }),
    (
        25,
        Player {
            level: ClientLevel::C4,
            parts: &["money-fund", "bond-credit-a", "bond-long", "index-broad"],
            share: 200_000,
            switches: false,
            diligent: true,
        },
    ),
    (
        25,
        Player {
            level: ClientLevel::C2,
            parts: &["money-fund", "wmp-90d", "bond-short", "term-3m"],
            share: 220_000,
            switches: false,
            diligent: true,
        },
    ),
    (
        15,
        Player {
            level: ClientLevel::C3,
            parts: &["balanced", "money-fund"],
            share: 400_000,
            switches: false,
            diligent: false,
        },
    ),
];

const GAMBLERS: u32 = PLAYERS[0].0 + PLAYERS[1].0 + PLAYERS[2].0;

const GAMBLER: Player =
    Player { level: ClientLevel::C5, parts: &[], share: 500_000, switches: false, diligent: false };

/// How somebody plays: all at once by a plan, with sheets and notes or without, or every day from
/// one thing into the other.
#[derive(Clone, Copy)]
struct Player {
    level: ClientLevel,
    parts: &'static [&'static str],
    share: u32,
    switches: bool,
    diligent: bool,
}

/// How the member with a number plays; in every cohort the same shares.
fn player(seq: u32) -> (bool, Player) {
    let mut place = (seq - 1) % MEMBERS;
    let gambles = place < GAMBLERS;
    for (count, player) in PLAYERS {
        if place < count {
            return (gambles, player);
        }
        place -= count;
    }
    unreachable!("the shares are a hundred")
}

/// The fourteen-day course on a market without shocks, its orders from the first day on.
fn without_shocks() -> Arc<Pack> {
    let mut pack = shipped::pack(&shipped::files()).as_ref().clone();
    let course = pack.courses.get_mut(&"journey-14".parse::<Slug>().expect("an id"));
    let mock = &mut Arc::make_mut(course.expect("it is shipped")).course.mock;
    mock.scenario = "quiet".parse().expect("an id");
    mock.orders_from_day = 1;
    Arc::new(pack)
}

fn act(seq: u32, what: MockAction) -> Command {
    let member = MemberId::new(BRANCH, seq);
    let cohort = CohortId::new(BRANCH, (seq - 1) / MEMBERS + 1);
    let action = Action::Course(CourseAction::Mock { member, cohort, what });
    Command { actor: Actor::Member(member), action }
}

fn mock(engine: &Engine, seq: u32) -> MockView {
    let card = engine.member_card(MemberId::new(BRANCH, seq)).expect("everybody is there");
    (*card.courses[0].mock).clone()
}

/// What somebody does on a day.
fn day_of(room: &Classroom, engine: &Engine, seq: u32, day: u8) -> Vec<MockAction> {
    let (_, player) = player(seq);
    let market = room.market();
    let assets: Vec<_> = player.parts.iter().map(|id| id.parse().unwrap()).collect();
    let text = FoldedHash::of("想一想");
    let cash = Fen(10_000_000);
    let mut deeds = Vec::new();
    if day == 1 {
        let name = &room.pack.courses[&room.course].course.assessment;
        let choices = questionnaire(&room.pack.assessments[name], player.level);
        deeds.push(MockAction::Assess { adult: true, choices: choices.expect("there is a way") });
        let part =
            |asset: &dengmi_core::Slug| PlanPart { asset: asset.clone(), share: Ppm(player.share) };
        deeds.push(MockAction::WritePlan(Plan {
            goal: Goal::Learning,
            months: 12,
            loss: Ppm(100_000),
            parts: assets.iter().map(part).collect(),
            text,
        }));
    }
    if player.diligent && day <= 2 {
        deeds.push(MockAction::WriteNote { text });
    }
    let buy = |asset: &dengmi_core::Slug, amount| MockAction::Buy { asset: asset.clone(), amount };
    if player.switches {
        let mock = mock(engine, seq);
        if mock.owes_debrief {
            let about = dengmi_core::mock::DebriefAbout::Loss;
            deeds.push(MockAction::WriteDebrief { about, text });
        }
        let free = mock.holdings.iter().find(|holding| holding.redeemable.0 > 0);
        if let Some(holding) = free {
            let asset = market.assets[usize::from(holding.asset)].id.clone();
            deeds.push(MockAction::Redeem { asset, units: holding.redeemable, fast: false });
        }
        if mock.cash.0 > 100_000 && day < 14 {
            deeds.push(buy(&assets[usize::from(day) % 2], mock.cash));
        }
    } else if day == 1 {
        for asset in &assets {
            let sheet = market.asset(asset).and_then(|asset| asset.sheet.clone());
            if player.diligent {
                deeds.extend(sheet.map(|product| MockAction::ReadSheet { product }));
            }
            deeds.push(buy(asset, Fen(Ppm(player.share).of(cash.0))));
        }
    }
    deeds
}

/// Numbers from the lowest value on; equal values keep the order of members.
fn ranks(values: &[i64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&at| values[at]);
    let mut ranks = vec![0.0; values.len()];
    // Equal values share the mean of their places.
    let mut from = 0;
    while from < order.len() {
        let same = order[from..].iter().take_while(|at| values[**at] == values[order[from]]);
        let to = from + same.count();
        for at in &order[from..to] {
            ranks[*at] = (from + to - 1) as f64 / 2.0;
        }
        from = to;
    }
    ranks
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (of_a, of_b) = (mean(a), mean(b));
    let product = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>()
    };
    let spread = product(a, of_a, a, of_a) * product(b, of_b, b, of_b);
    product(a, of_a, b, of_b) / spread.sqrt()
}

/// The share of gamblers in the top tenth of a cohort, whoever is tied at its edge by their part.
fn gamblers_on_top(first: u32, values: &[i64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let room = values.len() / 10;
    let edge = sorted[room - 1];
    let gambles = |at: usize| f64::from(player(first + at as u32).0);
    let all = || values.iter().enumerate();
    let above: Vec<f64> = all().filter(|(_, v)| **v > edge).map(|(at, _)| gambles(at)).collect();
    let tied: Vec<f64> = all().filter(|(_, v)| **v == edge).map(|(at, _)| gambles(at)).collect();
    let left = (room - above.len()) as f64 / tied.len() as f64;
    (above.iter().sum::<f64>() + tied.iter().sum::<f64>() * left) / room as f64
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are worth seeing where the test passes, too")]
fn a_ladder_of_scores_is_not_topped_by_gamblers() {
    let pack = without_shocks();
    let course = "journey-14".parse().unwrap();
    let mut room = Classroom::new(pack, course, COHORTS, MEMBERS).expect("it is shipped");
    let mut engine = room.engine();
    room.set_up(&mut engine).unwrap();
    let apply = &mut |engine: &mut Engine, batch: &dengmi_core::Batch, _| engine.apply(batch);
    for day in 1..=14 {
        let today = OPENING.plus(6 + i32::from(day));
        let noon = Calendar::default().start_of(today).plus_ms(12 * 3_600_000);
        room.wait(&mut engine, noon, apply).unwrap();
        let deeds = (1..=room.enrolled()).flat_map(|seq| {
            day_of(&room, &engine, seq, day).into_iter().map(move |what| act(seq, what))
        });
        let deeds = deeds.collect();
        room.send(&mut engine, Part::Orders, deeds, apply).unwrap();
    }
    let evening = Calendar::default().start_of(OPENING.plus(20)).plus_ms(20 * 3_600_000);
    room.wait(&mut engine, evening, apply).unwrap();
    assert_eq!(room.refused, 0, "everybody may do what they do");

    let [mut by_return, mut by_score, mut rank] = [0.0; 3];
    for cohort in 0..COHORTS {
        let first = cohort * MEMBERS + 1;
        let views: Vec<MockView> = (first..first + MEMBERS).map(|seq| mock(&engine, seq)).collect();
        let done = |view: &MockView| view.orders.iter().any(|o| o.state == OrderState::Settled);
        assert!(views.iter().all(done), "everybody invests");
        let returns: Vec<i64> = views.iter().map(|view| view.value.0).collect();
        let scores: Vec<i64> = views.iter().map(|view| i64::from(view.score.total())).collect();
        by_return += gamblers_on_top(first, &returns) / f64::from(COHORTS);
        by_score += gamblers_on_top(first, &scores) / f64::from(COHORTS);
        rank += correlation(&ranks(&returns), &ranks(&scores)) / f64::from(COHORTS);
    }
    let told = format!(
        "gamblers are {GAMBLERS} % of players; in the top tenth by return {:.0} %, by score {:.0} %; \
         rank correlation of score and return {rank:.2}",
        by_return * 100.0,
        by_score * 100.0
    );
    println!("{told}");
    assert!(by_return > 1.4 * f64::from(GAMBLERS) / 100.0, "{told}");
    assert!(by_score < 0.05, "{told}");
    assert!(rank < 0.5, "{told}");
}
