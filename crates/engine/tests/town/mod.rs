//! A small branch for tests: one manager, two groups, four members, and content of its own.
#![allow(dead_code, reason = "every test binary uses its own part")]

use std::collections::BTreeMap;
use std::sync::Arc;

use dengmi_content::CheckOptions;
use dengmi_content::{Pack, SourceFile};
use dengmi_core::command::{Answer, Choice, ConsentPurpose, Person, Reaction};
use dengmi_core::random::Seed;
use dengmi_core::*;
use dengmi_engine::{Applied, Engine, EngineConfig, layout};

const BRANCH: BranchId = BranchId(1);

/// The pack of these tests, with `quest` added as `quests/NAME.ron`.
pub(crate) fn pack(rules: &[(&str, &str)], quests: &[(&str, &str)]) -> Arc<Pack> {
    pack_with(rules, quests, &[])
}

/// [`pack`] with pieces of its files replaced: (old, new).
fn pack_with(
    rules: &[(&str, &str)],
    quests: &[(&str, &str)],
    changes: &[(&str, &str)],
) -> Arc<Pack> {
    let approval = r#"approval: (id: "T-1", approver: "合规", valid_to: "2099-12-31")"#;
    let mut files = vec![
        file("content/rewards/points.ron", "(schema: 1, fen_per_point: 1, expire_after_months: 1)"),
        file(
            "content/notices/standard.ron",
            &format!(
                r#"(schema: 1, {approval}, notices: [(id: "n7", text: {{"zh-CN": "投资者教育"}})])"#
            ),
        ),
        file("content/questions/sums.ron", QUESTIONS),
    ];
    for (name, kind, capacity) in [("managed", "Managed", 3), ("long", "LongTerm", 500)] {
        let text = format!(
            r#"(schema: 1, title: {{"zh-CN": "群"}}, kind: {kind}, purpose: {{"zh-CN": "测试"}},
            capacity: {capacity}, calendar: (utc_offset_minutes: 480, late_minutes: 120),
            touch: (private_per_week: 2, mass_per_day: 1, moments_per_day: 3, quiet_from: "21:00", quiet_to: "08:30"),
            notices: ["n7"])"#
        );
        files.push(file(&format!("content/communities/{name}.ron"), &text));
    }
    for (name, versions) in rules {
        let text = format!(
            r#"(schema: 1, title: {{"zh-CN": "奖励"}}, {approval}, versions: [{versions}])"#
        );
        files.push(file(&format!("content/rewards/{name}.ron"), &text));
    }
    for (name, body) in quests {
        let text = format!(
            r#"(schema: 1, title: {{"zh-CN": "活动"}}, summary: {{"zh-CN": "测试活动"}}, purpose: Education,
            audience: [Managed, LongTerm], members_max: 100, budget_fen: 100000000, notices: ["n7"], {approval}, {body})"#
        );
        files.push(file(&format!("quests/{name}.ron"), &text));
    }
    for file in &mut files {
        for (old, new) in changes {
            file.text = file.text.replace(old, new);
        }
    }
    let (pack, diagnostics) =
        dengmi_content::load(&files, &CheckOptions { today: "2026-10-01".parse().unwrap() });
    let text: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    Arc::new(pack.unwrap_or_else(|| panic!("{}", text.join("\n"))))
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

/// Three questions: which is even (right: 4), 2 + 2 (4), is 9 prime (false).
const QUESTIONS: &str = r#"(schema: 1, title: {"zh-CN": "算术"}, questions: [
    (id: "even", purpose: Education, concept: "sums/even", difficulty: 1,
     stem: {"zh-CN": "下面哪个数是双数?"},
     body: Single(answer: Plain({"zh-CN": "肆"}), distractors: [(text: {"zh-CN": "叁"}), (text: {"zh-CN": "伍"})]),
     source: Lesson({"zh-CN": "第1课"}),
     feedback: (right: {"zh-CN": "对"}, wrong: {"zh-CN": "能被二整除的是双数"})),
    (id: "plus", purpose: Education, concept: "sums/plus", difficulty: 1,
     stem: {"zh-CN": "两个二相加得几?"},
     body: Number(answer: Plain("4"), unit: Plain, tolerance: "0.5"),
     source: Lesson({"zh-CN": "第1课"}),
     feedback: (right: {"zh-CN": "对"}, wrong: {"zh-CN": "数一数"})),
    (id: "prime", purpose: Education, concept: "sums/prime", difficulty: 1,
     stem: {"zh-CN": "九是质数。"},
     body: TrueFalse(answer: Plain(false)),
     source: Lesson({"zh-CN": "第1课"}),
     feedback: (right: {"zh-CN": "对"}, wrong: {"zh-CN": "三乘三"})),
    (id: "word", purpose: Education, concept: "sums/word", difficulty: 1,
     stem: {"zh-CN": "利滚利叫什么?"},
     body: Typed(answer: Plain("复利")),
     source: Lesson({"zh-CN": "第1课"}),
     feedback: (right: {"zh-CN": "对"}, wrong: {"zh-CN": "复利"})),
])"#;

/// A branch at work.
pub(crate) struct Town {
    pub(crate) engine: Engine,
    pub(crate) pack: Arc<Pack>,
    pub(crate) entries: Vec<LedgerEntry>,
    pub(crate) closed: Vec<dengmi_core::view::ClosedBoard>,
    pub(crate) last: Applied,
}

/// `"10-03 09:00"` in China, of the year 2026.
pub(crate) fn at(text: &str) -> Timestamp {
    let (date, time) = text.split_once(' ').unwrap();
    let day: Day = format!("2026-{date}").parse().unwrap();
    let time: dengmi_core::time::TimeOfDay = time.to_owned().try_into().unwrap();
    Calendar::default().at(day, time)
}

pub(crate) fn day(text: &str) -> Day {
    format!("2026-{text}").parse().unwrap()
}

/// Members are called A, B, C ... in order of joining.
pub(crate) fn member(name: &str) -> MemberId {
    MemberId::new(BRANCH, name.bytes().next().map_or(0, |b| u32::from(b - b'A') + 1))
}

pub(crate) fn community(seq: u32) -> CommunityId {
    CommunityId::new(BRANCH, seq)
}

pub(crate) fn manager() -> ManagerId {
    ManagerId::new(BRANCH, 1)
}

pub(crate) fn run() -> RunId {
    RunId::new(BRANCH, 1)
}

pub(crate) fn round(seq: u32) -> RoundId {
    RoundId::new(BRANCH, seq)
}

pub(crate) fn post(seq: u32) -> PostId {
    PostId::new(BRANCH, seq)
}

pub(crate) fn config() -> EngineConfig {
    EngineConfig { branch: BRANCH, seed: Seed::from_number(7), branches: 1 }
}

impl Town {
    /// Opened on 2026-10-01 at 08:00: group 1 (managed) with A and B, group 2 (long-term) with C
    /// and D, everyone consented; then `quest` is launched for all from that day.
    pub(crate) fn new(rules: &[(&str, &str)], quest: &str) -> Self {
        Self::of(pack(rules, &[("quest", quest)]))
    }

    /// With one rule that had another id before.
    pub(crate) fn with_renamed(rule: (&str, &str), earlier: &str, quest: &str) -> Self {
        let was = format!("was: [\"{earlier}\"], versions:");
        Self::of(pack_with(&[rule], &[("quest", quest)], &[("versions:", &was)]))
    }

    /// With groups whose days begin later than midnight.
    pub(crate) fn with_day_start(minutes: u16, rules: &[(&str, &str)], quest: &str) -> Self {
        let start = format!("utc_offset_minutes: 480, day_start_minutes: {minutes}");
        let changes = [("utc_offset_minutes: 480", start.as_str())];
        Self::of(pack_with(rules, &[("quest", quest)], &changes))
    }

    fn of(pack: Arc<Pack>) -> Self {
        let mut town = Self {
            engine: Engine::new(config(), pack.clone()),
            pack,
            entries: Vec::new(),
            closed: Vec::new(),
            last: Applied::default(),
        };
        let mut setup = vec![Action::AddManager];
        for template in ["managed", "long"] {
            let template = template.parse().unwrap();
            setup.push(Action::OpenCommunity { template, manager: manager() });
        }
        for group in [1, 1, 2, 2] {
            setup.push(Action::Join { community: community(group) });
        }
        for name in ["A", "B", "C", "D"] {
            setup.push(consent(name, ConsentPurpose::Activities));
            setup.push(consent(name, ConsentPurpose::PublicName));
        }
        let quest = "quest".parse().unwrap();
        setup.push(Action::Launch { quest, communities: Vec::new(), start: day("10-01") });
        let outcomes = town.operate("10-01 08:00", setup);
        assert!(outcomes.iter().all(|o| matches!(o, Outcome::Done(_))), "{outcomes:?}");
        town
    }

    /// Applies actions as one batch; `actor` decides who acts.
    pub(crate) fn batch(
        &mut self,
        when: &str,
        actions: Vec<Action>,
        actor: impl Fn(&Action) -> Actor,
    ) -> Vec<Outcome> {
        let at = at(when).max(Timestamp(self.engine.at().0 + 1));
        let commands: Vec<Command> =
            actions.into_iter().map(|action| Command { actor: actor(&action), action }).collect();
        let batch = Batch { seq: self.engine.seq() + 1, at, commands: commands.into() };
        let applied = self.engine.apply(&batch).unwrap();
        self.entries.extend(&applied.entries);
        self.closed.extend(applied.closed_boards.clone());
        self.last = applied;
        self.last.outcomes.clone()
    }

    pub(crate) fn operate(&mut self, when: &str, actions: Vec<Action>) -> Vec<Outcome> {
        self.batch(when, actions, |_| Actor::Operator(1))
    }

    pub(crate) fn one(&mut self, when: &str, action: Action) -> Outcome {
        self.operate(when, vec![action]).remove(0)
    }

    /// What a member earned less what was taken back.
    pub(crate) fn balance(&self, name: &str) -> i64 {
        self.engine.member_card(member(name)).unwrap().balance.0
    }

    /// `"A 5, B 2"`: members with points.
    pub(crate) fn balances(&self) -> String {
        let names = ["A", "B", "C", "D"];
        let held = names.iter().filter(|name| self.balance(name) != 0);
        held.map(|name| format!("{name} {}", self.balance(name))).collect::<Vec<_>>().join(", ")
    }

    /// Saves, restores, and checks that both are the same.
    pub(crate) fn reload(&mut self) {
        let packs = BTreeMap::from([(self.pack.digest, self.pack.clone())]);
        let bytes = self.engine.save();
        let mut restored = Engine::restore(config(), &packs, &bytes).unwrap();
        assert_eq!(restored.save(), bytes);
        assert_eq!(restored.next_due(), self.engine.next_due());
        self.engine = restored;
    }

    /// An answer to the content's `question`, given as `member` sees it: right, or wrong.
    pub(crate) fn answer(
        &self,
        name: &str,
        round: RoundId,
        question: u8,
        choice: Choice,
    ) -> Action {
        let catalog = self.engine.catalog();
        let view = catalog.rounds.iter().find(|r| r.id == round);
        let options =
            view.map_or(vec![3, 0, 0], |view| view.questions.iter().map(|q| q.options).collect());
        let seen = layout(&config().seed, round, member(name), true, true, options.into_iter());
        let place = |order: &[u8], of: u8| order.iter().position(|x| *x == of).unwrap() as u8;
        let choice = match choice {
            Choice::One(option) => Choice::One(place(&seen.options[usize::from(question)], option)),
            other => other,
        };
        let question = place(&seen.questions, question);
        Action::Answer { member: member(name), round, answers: vec![Answer { question, choice }] }
    }
}

pub(crate) fn consent(name: &str, purpose: ConsentPurpose) -> Action {
    Action::Consent { member: member(name), purpose, version: 1, given: true }
}

pub(crate) fn check_in(name: &str) -> Action {
    Action::CheckIn { member: member(name), run: run(), phrase: None, occurred: None }
}

pub(crate) fn react(name: &str, post: PostId, reaction: Reaction) -> Action {
    Action::React { post, person: Person::Member(member(name)), reaction, occurred: None }
}

/// `"ok"` or the code of the refusal.
pub(crate) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "ok",
        Outcome::Rejected(reject) => reject.code(),
    }
}
