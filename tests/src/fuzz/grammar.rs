//! Rules: a drawn rule in a pack that is otherwise sound, against the facts of a drawn campaign.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use dengmi_content::model::reward::Condition;
use dengmi_content::{Pack, SourceFile};
use dengmi_core::{Action, Batch, BranchId, Cause, Digest, EntryKind, LedgerEntry};
use dengmi_engine::Applied;
use dengmi_sim::workload::{Workload, community_files, pack};

use super::Reached;
use super::mutate::Dice;

const BRANCH: BranchId = BranchId(1);
/// Batches of a campaign; the first three bring people, members and runs.
const BATCHES: usize = 10;

/// Bytes taken one by one as choices; zeros when they are used up, so that every input ends.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn below(&mut self, most: u8) -> u8 {
        self.byte() % most
    }

    /// Mostly small, now and then at an edge.
    fn number(&mut self) -> u32 {
        match self.byte() {
            byte @ 0..200 => u32::from(byte % 12),
            byte @ 200..250 => u32::from(byte),
            _ => u32::from(u16::MAX),
        }
    }
}

/// What is rewarded, and the file of a rule that a quest uses for it.
const PLACES: [(&str, &str); 4] = [
    ("CheckedIn", "in-a-row"),
    ("Answered", "right"),
    ("RoundCompleted", "round"),
    ("Commented", "answered"),
];

/// A condition, mostly of those that fit what is rewarded.
fn condition(choices: &mut Choices<'_>, place: usize, depth: u8) -> String {
    let fitting: &[&str] = match place {
        0 => &["StreakIs", "StreakAtLeast", "StreakEvery", "TotalIs", "Comeback", "MadeUp"],
        1 => &["Right"],
        2 => &["RightAtLeast", "AllRight"],
        _ => &["AnsweredInComment"],
    };
    let drawn = choices.below(16);
    match drawn {
        0..=2 if depth > 0 => {
            let count = 1 + choices.below(3);
            let parts: Vec<_> = (0..count).map(|_| condition(choices, place, depth - 1)).collect();
            format!("{}([{}])", if drawn == 0 { "All" } else { "Any" }, parts.join(", "))
        }
        3 if depth > 0 => format!("Not({})", condition(choices, place, depth - 1)),
        4 => "Always".to_owned(),
        5 => "HasTag(\"vip\")".to_owned(),
        6 => {
            let kinds = ["Affinity", "Payroll", "InvestorEducation", "LongTerm"];
            format!("InGroup({})", kinds[usize::from(choices.below(4))])
        }
        7 => format!("NewMember(days: {})", choices.number()),
        8 => "Weekend".to_owned(),
        9 => {
            let (from, days) = (choices.below(28), choices.below(28));
            format!("Between(\"2026-11-{:02}\", \"2026-12-{:02}\")", from + 1, days + 1)
        }
        10 => format!("RunDay({})", choices.number()),
        _ => match fitting[usize::from(choices.byte()) % fitting.len()] {
            with @ ("StreakIs" | "StreakAtLeast" | "StreakEvery" | "TotalIs" | "RightAtLeast") => {
                format!("{with}({})", choices.number())
            }
            without => without.to_owned(),
        },
    }
}

/// A drawn rule.
struct Drawn {
    /// Its file, with `WHEN` for the condition.
    text: String,
    /// Points it may pay in all.
    budget: Option<i64>,
    /// Points a member may get in a run.
    cap: i64,
}

fn file(choices: &mut Choices<'_>, place: usize) -> Drawn {
    let pays = ["Fixed", "Fixed", "Scored", "PerRight"];
    let pay = match place {
        1 => pays[usize::from(choices.below(3))],
        2 => pays[usize::from(choices.below(2)) * 3],
        _ => "Fixed",
    };
    let points = 1 + choices.number() % 50;
    let scopes = ["Member", "Community", "Bank"];
    let periods = ["Day", "Week", "Run"];
    // The first bounds the cost of a member, without which no rule passes the checks.
    let cap = i64::from(1 + choices.number() % 60);
    let mut caps = vec![format!("(scope: Member, per: Run, points: {cap})")];
    for _ in 0..choices.below(3) {
        let (scope, period) = (choices.below(3), choices.below(3));
        let (scope, period) = (scopes[usize::from(scope)], periods[usize::from(period)]);
        let points = 1 + choices.number() % 60;
        caps.push(format!("(scope: {scope}, per: {period}, points: {points})"));
    }
    let budget = (choices.below(2) == 0).then(|| i64::from(1 + choices.number()));
    let limit = budget.map_or(String::new(), |points| format!("budget: {points},"));
    let on = PLACES[place].0;
    let text = format!(
        "(schema: 1, title: {{\"zh-CN\": \"试\"}},\n\
         approval: (id: \"TEST-1\", approver: \"合规部\", valid_to: \"2099-12-31\"),\n\
         versions: [(version: 1, from: \"2026-01-01\", on: {on}, when: WHEN,\n\
         pay: {pay}({points}), caps: [{}], {limit})])",
        caps.join(", ")
    );
    Drawn { text, budget, cap }
}

/// The workload's pack with the drawn rule in the place of one of its own; without its course, which
/// would take half of the time and come to nothing in so few batches.
fn pack_with(place: usize, text: &str) -> Result<Arc<Pack>, Vec<String>> {
    let path = format!("content/rewards/{}.ron", PLACES[place].1);
    static FILES: LazyLock<Vec<SourceFile>> = LazyLock::new(community_files);
    let mut files = FILES.clone();
    for file in files.iter_mut().filter(|file| file.path == path) {
        text.clone_into(&mut file.text);
    }
    pack(&files).map_err(|found| found.iter().map(|one| one.code.to_owned()).collect())
}

/// What a campaign asked, what was done, and the id of every rule that paid.
struct Played {
    steps: Vec<(Batch, Applied)>,
    entries: Vec<LedgerEntry>,
    ours: BTreeSet<u64>,
}

fn play(seed: u64, pack: &Arc<Pack>, place: usize) -> Played {
    let mut workload = Workload::new(seed, BRANCH, std::slice::from_ref(pack));
    let mut engine = workload.engine();
    let mut steps = Vec::new();
    for _ in 0..BATCHES {
        let batch = workload.next_batch(&engine);
        let applied = engine.apply(&batch).expect("batches follow each other");
        workload.observe(&applied);
        steps.push((batch, applied));
    }
    let entries: Vec<LedgerEntry> =
        steps.iter().flat_map(|(_, applied)| applied.entries.iter().copied()).collect();
    let named = |entry: &&LedgerEntry| {
        let id = entry.rule.and_then(|rule| engine.rule_id(rule.code));
        entry.kind == EntryKind::Award && id.is_some_and(|id| id.as_str() == PLACES[place].1)
    };
    let ours = entries.iter().filter(named).map(|entry| entry.id).collect();
    Played { steps, entries, ours }
}

/// Plays the same commands on another pack; gives what was booked.
fn follow(seed: u64, pack: &Arc<Pack>, of: Digest, steps: &[(Batch, Applied)]) -> Vec<LedgerEntry> {
    let mut engine = Workload::new(seed, BRANCH, std::slice::from_ref(pack)).engine();
    let mut entries = Vec::new();
    for (batch, _) in steps {
        let mut batch = batch.clone();
        for command in Arc::make_mut(&mut batch.commands) {
            if let Action::AdoptContent { digest } = &mut command.action
                && *digest == of
            {
                *digest = pack.digest;
            }
        }
        entries.extend(engine.apply(&batch).expect("batches follow each other").entries);
    }
    entries
}

/// What the drawn rule paid keeps to its budget, and each member's part of a run to the first of
/// its caps; counted from the entries alone, without what was taken back.
fn keeps_to_limits(played: &Played, drawn: &Drawn) {
    let (mut paid, mut parts) = (0, BTreeMap::<_, i64>::new());
    for entry in &played.entries {
        let (of, sign) = match (entry.kind, entry.cause) {
            (EntryKind::Reversal, Cause::Entry(id)) => (id, -1),
            _ => (entry.id, 1),
        };
        if !played.ours.contains(&of) {
            continue;
        }
        assert!(entry.points.0 > 0, "an entry of nothing: {entry:?}");
        paid += sign * entry.points.0;
        let given = played.entries.iter().find(|one| one.id == of);
        let run = given.and_then(|one| one.cause.run());
        let member = given.and_then(LedgerEntry::member_change).map(|(member, _)| member);
        let part = parts.entry((run, member)).or_default();
        *part += sign * entry.points.0;
        assert!(*part <= drawn.cap, "a member got {part} of at most {}: {entry:?}", drawn.cap);
        assert!(drawn.budget.is_none_or(|most| paid <= most), "{paid} of {:?}", drawn.budget);
    }
}

/// Two bytes choose the campaign, the others the rule. What the rule pays keeps to its limits, and
/// a condition that says the same in more words pays the same.
pub(super) fn rule(input: &[u8]) -> Reached {
    let mut choices = Choices(input.iter());
    let seed = u64::from(choices.byte()) << 8 | u64::from(choices.byte());
    let place = usize::from(choices.below(4));
    let drawn = file(&mut choices, place);
    let when = condition(&mut choices, place, 3);
    let more = choices.below(3);
    let pack = match pack_with(place, &drawn.text.replace("WHEN", &when)) {
        Ok(pack) => pack,
        Err(codes) => return codes,
    };
    let played = play(seed, &pack, place);
    keeps_to_limits(&played, &drawn);
    let paid = if played.ours.is_empty() { "nothing" } else { "paid" };
    let mut reached = vec![format!("{}: {paid}", PLACES[place].0)];
    let other = in_more_words(&pack, place, more);
    let said = follow(seed, &other, pack.digest, &played.steps);
    assert!(said == played.entries, "`{when}` and the same in more words ({more}) pay differently");
    reached.push("said in more words".to_owned());
    reached
}

/// The pack with the same condition for the drawn rule, in more words.
fn in_more_words(pack: &Pack, place: usize, more: u8) -> Arc<Pack> {
    let mut pack = pack.clone();
    pack.digest = Digest::of(&[more]);
    let rule = pack.rules.iter_mut().find(|(id, _)| id.as_str() == PLACES[place].1);
    for version in &mut rule.expect("the drawn rule is there").1.versions {
        let when = version.when.clone();
        version.when = match more {
            0 => Condition::All(vec![when.clone(), when]),
            1 => Condition::Any(vec![when]),
            _ => Condition::Any(vec![when.clone(), Condition::All(vec![when])]),
        };
    }
    Arc::new(pack)
}

pub(super) fn rules() -> Vec<Vec<u8>> {
    let mut dice = Dice::new(1);
    (0..24).map(|_| (0..48).map(|_| dice.next() as u8).collect()).collect()
}
