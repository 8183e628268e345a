//! What goes wrong: every kind is on or off for a campaign, each with a rate of its own.

use std::fmt;

use dengmi_core::command::{Answer, Choice, Key, Person, Reaction, RepairReason};
use dengmi_core::course::{CourseAction, ItemAnswer, Occasion, StayWish};
use dengmi_core::id::Id;
use dengmi_core::mock::{Goal, MockAction, Plan as Written, PlanPart, Units};
use dengmi_core::text::FoldedHash;
use dengmi_core::{
    Action, Actor, BranchId, CohortId, Command, CommunityId, Day, Decimal, Digest, Fen, MemberId,
    Points, PostId, Ppm, RoundId, RunId, Timestamp,
};

use crate::dice::Dice;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Every kind there is.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// Its name.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

faults! {
    /// A command does not arrive.
    Loss = "loss",
    /// A command arrives some batches later.
    Delay = "delay",
    /// A command arrives again in the same batch.
    Double = "double",
    /// A command arrives again some batches later.
    Replay = "replay",
    /// The commands of a batch arrive in another order.
    Reorder = "reorder",
    /// A channel reports what happened long before.
    Late = "late report",
    /// A channel's clock is ahead, or absurd.
    Skew = "skewed clock",
    /// A member acts for another.
    Impostor = "impostor",
    /// A command for another branch.
    Stray = "stray",
    /// A command with impossible numbers.
    Garbage = "garbage",
    /// Everything of several batches at once.
    Burst = "burst",
    /// A batch without commands.
    Silence = "silence",
    /// The host is down for hours or days.
    Outage = "outage",
    /// Batches a millisecond apart.
    Crawl = "crawl",
    /// A batch at the very instant at which something falls due, or a millisecond beside it.
    Brink = "brink",
    /// Other content becomes current in mid-round.
    Reload = "reload",
    /// A run is stopped.
    Abort = "abort",
    /// Saved and restored; both engines go on for twenty batches.
    Restart = "restart",
    /// A batch that does not continue the journal.
    Stale = "stale batch",
    /// A saved state that is cut off.
    Torn = "torn state",
}

/// Which faults a campaign has, in millionths of the batches or commands that can have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan([u32; Fault::ALL.len()]);

impl Plan {
    /// Half of the kinds, each rare, common or frequent.
    pub(super) fn drawn(dice: &mut Dice) -> Self {
        Self(std::array::from_fn(|_| match dice.percent(50) {
            true => *dice.pick(&[3_000, 15_000, 60_000, 200_000]).unwrap_or(&0),
            false => 0,
        }))
    }

    /// The same without any fault.
    #[must_use]
    pub fn calm() -> Self {
        Self([0; Fault::ALL.len()])
    }

    pub(super) fn strikes(&self, dice: &mut Dice, fault: Fault) -> bool {
        let rate = self.0[fault as usize];
        rate > 0 && dice.chance(rate)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = Fault::ALL.iter().filter(|fault| self.0[**fault as usize] > 0);
        let on: Vec<&str> = on.map(|fault| fault.text()).collect();
        f.write_str(&on.join(", "))
    }
}

/// How often each kind struck.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Struck([u64; Fault::ALL.len()]);

impl Struck {
    pub(super) fn mark(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    /// How often it struck.
    #[must_use]
    pub fn count(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// Adds another campaign's.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own += other;
        }
    }
}

/// What a batch's faults are drawn with.
pub(super) struct Mishaps<'a> {
    pub(super) plan: &'a Plan,
    pub(super) struck: &'a mut Struck,
    pub(super) dice: &'a mut Dice,
    /// Commands on their way, with the batch they arrive in.
    pub(super) held: &'a mut Vec<(u64, Command)>,
    pub(super) members: u32,
    pub(super) runs: &'a [RunId],
    pub(super) packs: &'a [Digest],
}

impl Mishaps<'_> {
    fn strikes(&mut self, fault: Fault) -> bool {
        let strikes = self.plan.strikes(self.dice, fault);
        if strikes {
            self.struck.mark(fault);
        }
        strikes
    }

    /// The commands of batch `seq` at `at` as they arrive.
    pub(super) fn befall(
        &mut self,
        seq: u64,
        at: Timestamp,
        sent: Vec<Command>,
        branch: BranchId,
    ) -> Vec<Command> {
        let mut arrived = Vec::with_capacity(sent.len() + 4);
        for mut command in sent {
            if self.strikes(Fault::Loss) {
                continue;
            }
            if let Action::CheckIn { occurred, .. } | Action::React { occurred, .. } =
                &mut command.action
            {
                if self.strikes(Fault::Late) {
                    *occurred = Some(self.before(at));
                }
                if self.strikes(Fault::Skew) {
                    *occurred = Some(self.never(at));
                }
            }
            if self.strikes(Fault::Impostor) {
                let somebody = 1 + self.dice.below(self.members.max(1));
                command.actor = Actor::Member(MemberId::new(branch, somebody));
            }
            if self.plan.strikes(self.dice, Fault::Stray) && stray(&mut command.action) {
                self.struck.mark(Fault::Stray);
            }
            if self.strikes(Fault::Replay) {
                let later = seq + u64::from(self.dice.between(1, 30));
                self.held.push((later, command.clone()));
            }
            if self.strikes(Fault::Delay) {
                let later = seq + u64::from(self.dice.between(1, 12));
                self.held.push((later, command));
                continue;
            }
            if self.strikes(Fault::Double) {
                arrived.push(command.clone());
            }
            arrived.push(command);
            if self.strikes(Fault::Garbage) {
                let garbage = self.garbage(branch);
                arrived.extend(garbage);
            }
        }
        let burst = !self.held.is_empty() && self.strikes(Fault::Burst);
        self.held.retain(|(due, command)| {
            let due = burst || *due <= seq;
            if due {
                arrived.push(command.clone());
            }
            !due
        });
        if self.strikes(Fault::Reload)
            && let Some(&digest) = self.dice.pick(self.packs)
        {
            self.insert(&mut arrived, Action::AdoptContent { digest });
        }
        if let Some(&run) = self.dice.pick(self.runs)
            && self.strikes(Fault::Abort)
        {
            self.insert(&mut arrived, Action::Stop { run });
        }
        if arrived.len() > 1 && self.strikes(Fault::Reorder) {
            for last in (1..arrived.len()).rev() {
                arrived.swap(last, self.dice.below(last as u32 + 1) as usize);
            }
        }
        if self.strikes(Fault::Silence) {
            let later = seq + 1;
            self.held.extend(arrived.drain(..).map(|command| (later, command)));
        }
        arrived
    }

    fn insert(&mut self, commands: &mut Vec<Command>, action: Action) {
        let place = self.dice.below(commands.len() as u32 + 1) as usize;
        commands.insert(place, Command { actor: Actor::Operator(2), action });
    }

    /// Some hours before `at`.
    fn before(&mut self, at: Timestamp) -> Timestamp {
        let hours = if self.dice.percent(70) { 4 } else { 20 };
        Timestamp(at.0 - i64::from(self.dice.below(hours * 3_600_000)))
    }

    /// When nothing can have happened.
    fn never(&mut self, at: Timestamp) -> Timestamp {
        let ahead = at.0 + 1 + i64::from(self.dice.below(86_400_000));
        Timestamp(*self.dice.pick(&[ahead, ahead, i64::MIN, i64::MAX, 0]).unwrap_or(&ahead))
    }

    /// A command that nothing sensible sends.
    fn garbage(&mut self, branch: BranchId) -> Option<Command> {
        let member = MemberId::new(branch, self.dice.below(self.members + 2));
        let run = RunId::new(branch, self.dice.below(40));
        let round = RoundId::new(branch, self.dice.below(60));
        let cohort = CohortId::new(branch, self.dice.below(8));
        let low = Decimal::from_micros(-1).unwrap_or_default();
        let mock = |what| Action::Course(CourseAction::Mock { member, cohort, what });
        let all = [
            Action::MakeUp { member, run, day: Day(i32::MIN) },
            Action::MakeUp { member, run, day: Day(i32::MAX) },
            Action::RepairStreak { member, run, days: u16::MAX, reason: RepairReason::Hardship },
            Action::CheckIn { member, run, phrase: None, occurred: Some(Timestamp(i64::MIN)) },
            Action::Answer { member, round, answers: Vec::new() },
            Action::Answer {
                member,
                round,
                answers: vec![Answer { question: 255, choice: Choice::Many(u32::MAX) }; 50],
            },
            Action::GrantTime { member, round, seconds: u32::MAX },
            Action::CorrectKey { round, question: 255, key: Key::One(255), dry_run: false },
            Action::CorrectKey { round, question: 0, key: Key::Many(u32::MAX), dry_run: false },
            Action::CorrectKey { round, question: 0, key: Key::Text(Vec::new()), dry_run: false },
            Action::CorrectKey {
                round,
                question: 3,
                key: Key::Number { value: low, tolerance: low },
                dry_run: false,
            },
            Action::Launch {
                quest: "quiz-once".parse().ok()?,
                communities: (0..40).map(|n| CommunityId::new(branch, n)).collect(),
                start: Day(i32::MAX),
            },
            Action::Launch {
                quest: "streak-total".parse().ok()?,
                communities: Vec::new(),
                start: Day(i32::MIN),
            },
            Action::Course(CourseAction::Start {
                course: "week".parse().ok()?,
                communities: (0..40).map(|n| CommunityId::new(branch, n)).collect(),
                start: Day(i32::MAX),
            }),
            Action::Course(CourseAction::Start {
                course: "week".parse().ok()?,
                communities: vec![CommunityId::new(branch, 1); 300],
                start: Day(i32::MIN),
            }),
            Action::Course(CourseAction::FinishLesson { member, cohort, day: 255, computed: low }),
            Action::Course(CourseAction::FinishLesson { member, cohort, day: 0, computed: low }),
            Action::Course(CourseAction::Amend {
                cohort,
                digest: *self.packs.first()?,
                from_day: 255,
            }),
            Action::Course(CourseAction::AnswerItems {
                member,
                cohort,
                occasion: Occasion::Review,
                answers: vec![ItemAnswer { item: u16::MAX, choice: Choice::Many(u32::MAX) }; 50],
            }),
            Action::Course(CourseAction::Wish {
                member,
                cohort,
                wish: StayWish::Group(CommunityId::new(branch, u32::MAX)),
            }),
            mock(MockAction::Assess { adult: true, choices: vec![u8::MAX; 300] }),
            mock(MockAction::WritePlan(Written {
                goal: Goal::Learning,
                months: u16::MAX,
                loss: Ppm(u32::MAX),
                parts: vec![PlanPart { asset: "index".parse().ok()?, share: Ppm(u32::MAX) }; 300],
                text: FoldedHash::of(""),
            })),
            mock(MockAction::Buy { asset: "demand".parse().ok()?, amount: Fen(i64::MAX) }),
            mock(MockAction::Redeem {
                asset: "cash".parse().ok()?,
                units: Units(i64::MIN),
                fast: true,
            }),
            mock(MockAction::Cancel { order: u16::MAX }),
            Action::Redeem { member, points: Points(i64::MIN), order: u64::MAX },
            Action::Move { member, to: CommunityId::new(branch, u32::MAX) },
            Action::React {
                post: PostId::new(branch, self.dice.below(30)),
                person: Person::Member(member),
                reaction: Reaction::Like,
                occurred: Some(Timestamp(i64::MAX)),
            },
        ];
        let action = self.dice.pick(&all)?.clone();
        Some(Command { actor: Actor::Channel, action })
    }
}

/// Turns one id of a command into another branch's, where it has one that is easily turned.
fn stray(action: &mut Action) -> bool {
    fn turn<K>(id: &mut Id<K>) {
        *id = Id::new(BranchId(id.branch.0 ^ 1), id.seq);
    }
    match action {
        Action::Join { community } | Action::Move { to: community, .. } => turn(community),
        Action::CheckIn { run, .. }
        | Action::MakeUp { run, .. }
        | Action::RepairStreak { run, .. }
        | Action::Publish { run, .. }
        | Action::Stop { run } => turn(run),
        Action::Answer { round, .. }
        | Action::GrantTime { round, .. }
        | Action::CorrectKey { round, .. } => turn(round),
        Action::React { post, .. } => turn(post),
        Action::OpenCommunity { manager, .. } => turn(manager),
        Action::Leave { member }
        | Action::Tag { member, .. }
        | Action::Consent { member, .. }
        | Action::ShowOnBoards { member, .. }
        | Action::Erase { member }
        | Action::Redeem { member, .. }
        | Action::Reverse { member, .. } => turn(member),
        Action::Course(action) => match action.cohort_mut() {
            Some(cohort) => turn(cohort),
            None => return false,
        },
        Action::AddManager | Action::AdoptContent { .. } | Action::Launch { .. } => return false,
    }
    true
}
