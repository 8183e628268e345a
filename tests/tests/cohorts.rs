//! A shipped course from its start to its graduates' new group, through the engine's commands.

#[path = "cohorts/invest.rs"]
mod invest;

use std::collections::BTreeMap;
use std::sync::Arc;

use dengmi_content::{CheckOptions, Pack, SourceFile};
use dengmi_core::command::{Answer, Choice, ConsentPurpose, Key};
use dengmi_core::course::{
    CohortStage, CohortView, CourseAction, CourseEvent, CourseReceipt, ItemAnswer, Occasion,
    PlacedBy, PupilStage, PupilView, StayWish,
};
use dengmi_core::random::Seed;
use dengmi_core::view::EventKind;
use dengmi_core::{
    Action, Actor, Batch, BranchId, Calendar, CohortId, Command, CommunityId, Day, Decimal, Digest,
    ManagerId, MemberId, Outcome, Receipt, Reject, RoundId, Timestamp,
};
use dengmi_engine::{Applied, Engine, EngineConfig, item_order, layout};

const BRANCH: BranchId = BranchId(1);
const COURSE: &str = "basics-7";

fn files() -> Vec<SourceFile> {
    dengmi_tests::content_files(&dengmi_tests::root())
}

fn pack_of(files: &[SourceFile]) -> Arc<Pack> {
    let options = CheckOptions { today: "2026-11-22".parse().unwrap() };
    let (pack, faults) = dengmi_content::load(files, &options);
    Arc::new(pack.unwrap_or_else(|| panic!("{faults:?}")))
}

/// A branch with one course group, two long-term groups and a cohort of members.
struct Class {
    engine: Engine,
    packs: BTreeMap<Digest, Arc<Pack>>,
    config: EngineConfig,
    pack: Arc<Pack>,
    seq: u64,
    at: Timestamp,
    cohort: CohortId,
    group: CommunityId,
    homes: [CommunityId; 2],
    first: Day,
    events: Vec<(Option<CommunityId>, EventKind)>,
}

impl Class {
    /// `members` in the course group, the cohort starting in ten days.
    fn new(members: u32) -> Self {
        let pack = pack_of(&files());
        let config = EngineConfig { branch: BRANCH, seed: Seed::from_number(7), branches: 1 };
        let calendar = Calendar::default();
        let today: Day = "2026-11-22".parse().unwrap();
        let first = today.plus(10);
        let id = |seq| CommunityId::new(BRANCH, seq);
        let mut class = Self {
            engine: Engine::new(config.clone(), pack.clone()),
            packs: BTreeMap::from([(pack.digest, pack.clone())]),
            config,
            pack,
            seq: 0,
            at: calendar.start_of(today),
            cohort: CohortId::new(BRANCH, 1),
            group: id(1),
            homes: [id(2), id(3)],
            first,
            events: Vec::new(),
        };
        class.done(Action::AddManager);
        class.done(Action::AddManager);
        for (template, manager) in [("investor-education", 2), ("long-term", 1), ("long-term", 2)] {
            let manager = ManagerId::new(BRANCH, manager);
            class.done(Action::OpenCommunity { template: template.parse().unwrap(), manager });
        }
        for _ in 0..members {
            class.done(Action::Join { community: class.group });
        }
        for seq in 1..=members {
            let member = member(seq);
            let purpose = ConsentPurpose::Activities;
            class.done(Action::Consent { member, purpose, version: 1, given: true });
        }
        let communities = vec![class.group];
        let course = COURSE.parse().unwrap();
        let start = CourseAction::Start { course, communities, start: first };
        match class.course(Actor::Operator(1), start) {
            Ok(Receipt::Course(CourseReceipt::Started { cohort, .. })) => {
                assert_eq!(cohort, class.cohort);
            }
            other => panic!("{other:?}"),
        }
        class
    }

    fn apply(&mut self, commands: Vec<Command>) -> Applied {
        self.seq += 1;
        self.at = self.at.plus_ms(1_000);
        let applied = self
            .engine
            .apply(&Batch { seq: self.seq, at: self.at, commands: commands.into() })
            .expect("in order");
        let told = applied.events.iter().map(|event| (event.community, event.kind.clone()));
        self.events.extend(told);
        applied
    }

    /// What is due is done in batches of its own, at its time, as a host does it.
    fn wait_until(&mut self, day: u8, time: &str) {
        let day = self.first.plus(i32::from(day) - 1);
        let until = Calendar::default().at(day, time.to_owned().try_into().unwrap());
        while let Some(due) = self.engine.next_due().filter(|due| *due <= until) {
            self.at = due.max(self.at).plus_ms(-1_000);
            self.apply(Vec::new());
        }
        self.at = until.max(self.at);
        self.apply(Vec::new());
    }

    fn try_as(&mut self, actor: Actor, action: Action) -> Result<Receipt, Reject> {
        match self.apply(vec![Command { actor, action }]).outcomes.remove(0) {
            Outcome::Done(receipt) => Ok(receipt),
            Outcome::Rejected(reject) => Err(reject),
        }
    }

    fn done(&mut self, action: Action) -> Receipt {
        self.try_as(Actor::System, action.clone()).unwrap_or_else(|e| panic!("{action:?}: {e:?}"))
    }

    fn course(&mut self, actor: Actor, action: CourseAction) -> Result<Receipt, Reject> {
        self.try_as(actor, Action::Course(action))
    }

    /// A member does something for themselves.
    fn own(&mut self, action: CourseAction) -> Result<Receipt, Reject> {
        let member = action.member().expect("about a member");
        self.course(Actor::Member(member), action)
    }

    fn enrol(&mut self, seq: u32) -> Result<Receipt, Reject> {
        self.own(CourseAction::Enrol { member: member(seq), cohort: self.cohort })
    }

    fn finish(&mut self, seq: u32, day: u8, right: bool) -> Result<Receipt, Reject> {
        let answer = self.pack.courses[&COURSE.parse().unwrap()].lessons
            [usize::from(day).saturating_sub(1)]
        .compute
        .answer;
        let computed = if right { answer } else { Decimal::from_micros(-1).unwrap() };
        let cohort = self.cohort;
        self.own(CourseAction::FinishLesson { member: member(seq), cohort, day, computed })
    }

    fn view(&self) -> CohortView {
        self.engine.catalog().cohorts[0].clone()
    }

    fn pupil(&self, seq: u32) -> PupilView {
        self.engine.member_card(member(seq)).unwrap().courses[0].clone()
    }

    /// Answers the open round, each question right or not.
    fn quiz(&mut self, seq: u32, right: impl Fn(usize) -> bool) {
        let catalog = self.engine.catalog();
        let round = catalog.rounds.iter().find(|round| !round.closed).expect("a round is open");
        let keys = self.engine.round_keys(round.id).expect("it is kept");
        let options = round.questions.iter().map(|question| question.options);
        let seen = layout(&self.config.seed, round.id, member(seq), true, true, options);
        let answers = seen.questions.iter().enumerate().map(|(shown, content)| {
            let content = usize::from(*content);
            let choice = choose(&keys[content], &seen.options[content], right(content));
            Answer { question: shown as u8, choice }
        });
        let answers = answers.collect();
        let (round, member): (RoundId, MemberId) = (round.id, member(seq));
        let action = Action::Answer { member, round, answers };
        self.try_as(Actor::Member(member), action).expect("the quiz of the day");
    }

    /// Answers to items by the keys in the pack.
    fn items(
        &mut self,
        seq: u32,
        occasion: Occasion,
        items: &[u16],
        right: bool,
    ) -> Result<Receipt, Reject> {
        let slugs = self.view().items;
        let answers = items.iter().map(|item| {
            let slug = &slugs[usize::from(*item)];
            let question = &self.pack.questions[slug];
            let options = question.option_count();
            let shown = item_order(&self.config.seed, self.cohort, member(seq), *item, options);
            ItemAnswer { item: *item, choice: choose(&question.key, &shown, right) }
        });
        let answers = answers.collect();
        let cohort = self.cohort;
        self.own(CourseAction::AnswerItems { member: member(seq), cohort, occasion, answers })
    }

    /// The state, saved, restored and saved again.
    fn turn_over(&mut self) {
        let bytes = self.engine.save();
        self.engine = Engine::restore(self.config.clone(), &self.packs, &bytes).expect("sound");
        assert!(self.engine.save() == bytes, "another state came back");
    }
}

fn member(seq: u32) -> MemberId {
    MemberId::new(BRANCH, seq)
}

/// A right or wrong answer as the member sees it.
fn choose(key: &Key, shown: &[u8], right: bool) -> Choice {
    let at = |option: u8| shown.iter().position(|place| *place == option).unwrap() as u8;
    match key {
        Key::One(option) if right => Choice::One(at(*option)),
        Key::One(option) => Choice::One(at((*option + 1) % shown.len() as u8)),
        Key::Many(bits) => {
            let wanted = if right { *bits } else { !*bits & ((1 << shown.len()) - 1) };
            let bits = (0..shown.len() as u8).filter(|option| wanted >> option & 1 == 1);
            Choice::Many(bits.map(|option| 1 << at(option)).sum())
        }
        Key::Bool(is) => Choice::Bool(*is == right),
        Key::Number { value, .. } => {
            Choice::Number(if right { *value } else { Decimal::from_micros(-7).unwrap() })
        }
        Key::Text(texts) if right => Choice::Text(texts[0]),
        Key::Text(_) => Choice::Text(dengmi_core::text::FoldedHash::of("nothing of the kind")),
        Key::Everyone => Choice::Bool(true),
    }
}

/// The diligent do everything right, the hasty read and answer wrong, the rest only enrol.
const DILIGENT: std::ops::RangeInclusive<u32> = 1..=4;
const HASTY: u32 = 5;
const IDLE: u32 = 6;

/// Plays the course with six members up to its last evening.
fn seven_days(class: &mut Class) {
    class.wait_until(0, "12:00");
    for seq in 1..=6 {
        assert_eq!(class.enrol(seq), Ok(Receipt::Ok));
    }
    for day in 1..=7 {
        class.wait_until(day, "08:30");
        if day == 1 {
            let pairs: Vec<u16> = class.paired(0);
            class.items(1, Occasion::Before, &pairs, false).unwrap();
            class.items(2, Occasion::Before, &pairs, true).unwrap();
        }
        for seq in DILIGENT {
            class.finish(seq, day, true).unwrap();
            let due = class.pupil(seq).review;
            if !due.is_empty() {
                class.items(seq, Occasion::Review, &due, true).unwrap();
            }
            class.quiz(seq, |_| true);
            class.invests(seq, day);
        }
        class.finish(HASTY, day, false).unwrap();
        class.quiz(HASTY, |_| false);
        class.assert_books_balance();
        class.turn_over();
        class.wait_until(day, "20:00");
        class.assert_books_balance();
        class.turn_over();
    }
    let pairs: Vec<u16> = class.paired(1);
    class.items(1, Occasion::After, &pairs, true).unwrap();
    class.items(2, Occasion::After, &pairs, true).unwrap();
}

impl Class {
    /// Numbers of the paired items, those asked before (0) or after (1).
    fn paired(&self, half: usize) -> Vec<u16> {
        let slugs = self.view().items;
        let pairs = &self.pack.courses[&COURSE.parse().unwrap()].course.paired;
        let wanted = pairs.iter().map(|pair| if half == 0 { &pair.before } else { &pair.after });
        wanted.map(|slug| slugs.iter().position(|known| known == slug).unwrap() as u16).collect()
    }

    fn stages(&self) -> Vec<CohortStage> {
        let stage = |(_, event): &(_, EventKind)| match event {
            EventKind::Course(CourseEvent::Stage(_, stage)) => Some(*stage),
            _ => None,
        };
        self.events.iter().filter_map(stage).collect()
    }
}

#[test]
fn a_course_runs_from_its_announcement_to_its_archive() {
    let mut class = Class::new(6);
    let tag = Action::Tag { member: member(3), tag: "long-term".parse().unwrap(), on: true };
    class.done(tag);
    class.wait_until(0, "08:00");
    seven_days(&mut class);
    let wish = StayWish::Group(class.homes[0]);
    let cohort = class.cohort;
    assert_eq!(class.own(CourseAction::Wish { member: member(1), cohort, wish }), Ok(Receipt::Ok));
    class.wait_until(8, "03:00");
    let view = class.view();
    assert_eq!(view.stage, CohortStage::Placing);
    assert_eq!(view.sent, 7);
    let gain = view.gain.expect("two members answered both halves");
    assert_eq!((gain.members, gain.before.0, gain.after.0), (2, 500_000, 1_000_000));
    assert_eq!(gain.normalised.unwrap().0, 1_000_000);
    for seq in DILIGENT {
        assert_eq!(class.pupil(seq).stage, PupilStage::Invited, "{seq}");
    }
    class.assert_invested();
    assert_eq!(class.pupil(HASTY).stage, PupilStage::Unfinished);
    assert_eq!(class.pupil(IDLE).stage, PupilStage::Unfinished);
    // Wish, interest, then the manager they know.
    let placed = |seq| class.pupil(seq).invitation.map(|(to, _, by)| (to, by));
    assert_eq!(placed(1), Some((class.homes[0], PlacedBy::Wish)));
    assert_eq!(placed(2), Some((class.homes[1], PlacedBy::Manager)));
    assert_eq!(placed(3).unwrap().1, PlacedBy::Interest);
    // Nobody is moved by an invitation, nor by accepting it.
    let here = |class: &Class, seq| class.engine.member_card(member(seq)).unwrap().community;
    let answer = |member, accept| CourseAction::AnswerInvitation { member, cohort, accept };
    let arrive = |member| CourseAction::Arrive { member, cohort };
    assert_eq!(class.course(Actor::Channel, arrive(member(1))), Err(Reject::NoInvitation));
    class.own(answer(member(1), true)).unwrap();
    assert_eq!(here(&class, 1), class.group);
    assert_eq!(class.own(arrive(member(1))), Err(Reject::NotYours));
    let before = class.engine.member_card(member(1)).unwrap();
    class.course(Actor::Channel, arrive(member(1))).unwrap();
    let after = class.engine.member_card(member(1)).unwrap();
    assert_eq!(after.community, class.homes[0]);
    assert!(before.balance.0 > 0, "diligence was rewarded");
    assert_eq!((before.balance, before.scores), (after.balance, after.scores));
    class.own(answer(member(2), false)).unwrap();
    assert_eq!(class.own(answer(member(2), true)), Err(Reject::NoInvitation));
    class.turn_over();
    // Members 3 and 4 let it run out. While they can be invited again, the group stays.
    class.wait_until(16, "12:00");
    assert_eq!(class.pupil(3).stage, PupilStage::Lapsed);
    assert_eq!(class.view().stage, CohortStage::Placing);
    class.wait_until(30, "12:00");
    assert_eq!(class.view().stage, CohortStage::Archived);
    assert_eq!(
        class.try_as(Actor::System, Action::Join { community: class.group }),
        Err(Reject::CommunityClosed)
    );
    use dengmi_core::view::MemberStatus::{Active, Left};
    let status = |seq| class.engine.member_card(member(seq)).unwrap().status;
    assert_eq!([1, 2, 4, 6].map(status), [Active, Left, Left, Left]);
    assert_eq!(class.stages(), CohortStage::ALL);
}

#[test]
fn every_message_goes_to_every_group_in_order() {
    let mut class = Class::new(1);
    class.wait_until(3, "12:00");
    let course = &class.pack.courses[&COURSE.parse().unwrap()];
    let expected: Vec<(u8, u8)> = (1..=3)
        .flat_map(|day| {
            let blocks = course.lessons[usize::from(day) - 1].blocks.len() as u8;
            (0..blocks).map(move |block| (day, block))
        })
        .collect();
    let message = |(group, event): &(Option<CommunityId>, EventKind)| match event {
        EventKind::Course(CourseEvent::Message { day, block, .. }) => {
            assert_eq!(*group, Some(class.group));
            Some((*day, *block))
        }
        _ => None,
    };
    let sent: Vec<(u8, u8)> = class.events.iter().filter_map(message).collect();
    assert_eq!(sent, expected);
}

#[test]
fn lessons_and_enrolment_keep_their_turn() {
    let mut class = Class::new(3);
    let cohort = class.cohort;
    assert_eq!(class.enrol(1), Err(Reject::EnrolmentClosed));
    class.wait_until(0, "12:00");
    assert_eq!(class.enrol(1), Ok(Receipt::Ok));
    assert_eq!(class.enrol(1), Err(Reject::AlreadyEnrolled));
    assert_eq!(class.finish(1, 1, true), Err(Reject::WrongStage));
    class.wait_until(1, "09:00");
    assert_eq!(class.finish(1, 0, true), Err(Reject::LessonNotSent));
    assert_eq!(class.finish(1, 2, true), Err(Reject::LessonNotSent));
    assert_eq!(class.finish(2, 1, true), Err(Reject::NotEnrolled));
    let finished = |right, lessons| Ok(Receipt::Course(CourseReceipt::Finished { right, lessons }));
    assert_eq!(class.finish(1, 1, false), finished(false, 1));
    assert_eq!(class.finish(1, 1, true), Err(Reject::LessonFinished));
    // Late, and out again, and in again.
    class.wait_until(2, "09:00");
    assert_eq!(class.enrol(2), Ok(Receipt::Ok));
    assert_eq!(class.finish(2, 1, true), finished(true, 1));
    let withdraw = CourseAction::Withdraw { member: member(2), cohort };
    assert_eq!(class.own(withdraw.clone()), Ok(Receipt::Ok));
    assert_eq!(class.own(withdraw), Err(Reject::NotEnrolled));
    assert_eq!(class.enrol(2), Ok(Receipt::Ok));
    assert_eq!(class.finish(2, 2, true), finished(true, 2));
    // Who leaves the group leaves the course.
    class.done(Action::Move { member: member(2), to: class.homes[0] });
    assert_eq!(class.pupil(2).stage, PupilStage::Left);
    class.wait_until(3, "09:00");
    assert_eq!(class.enrol(3), Err(Reject::EnrolmentClosed));
    let elsewhere = CourseAction::Enrol { member: member(2), cohort };
    assert_eq!(class.own(elsewhere), Err(Reject::NotInCohortGroup));
    let unknown = CohortId::new(BRANCH, 9);
    let nowhere = CourseAction::Enrol { member: member(3), cohort: unknown };
    assert_eq!(class.own(nowhere), Err(Reject::UnknownCohort));
    let foreign = CohortId::new(BranchId(2), 1);
    let nowhere = CourseAction::Enrol { member: member(3), cohort: foreign };
    assert_eq!(class.own(nowhere), Err(Reject::WrongBranch));
}

#[test]
fn what_was_wrong_comes_back_and_what_was_right_waits() {
    let mut class = Class::new(1);
    class.wait_until(0, "12:00");
    class.enrol(1).unwrap();
    class.wait_until(1, "09:00");
    class.quiz(1, |question| question == 0);
    class.wait_until(2, "09:00");
    let due = class.pupil(1).review;
    assert_eq!(due.len(), 5, "as many as the course allows a day");
    assert!(!due.contains(&0), "what was right is not due after a day");
    assert_eq!(class.items(1, Occasion::Review, &[0], true), Err(Reject::ItemsNotDue));
    match class.items(1, Occasion::Review, &due[..2], true) {
        Ok(Receipt::Course(CourseReceipt::Reviewed { marks })) => {
            let today = class.first.plus(1);
            assert!(marks.iter().all(|mark| mark.right && mark.due > today), "{marks:?}");
        }
        other => panic!("{other:?}"),
    }
    let rest = class.pupil(1).review;
    assert_eq!(rest.len(), 3);
    assert!(rest.iter().all(|item| !due[..2].contains(item)));
    assert_eq!(class.items(1, Occasion::Review, &due[..1], true), Err(Reject::ItemsNotDue));
    let twice = [rest[0], rest[0]];
    assert_eq!(class.items(1, Occasion::Review, &twice, true), Err(Reject::ItemsNotDue));
    assert_eq!(class.items(1, Occasion::Review, &[], true), Err(Reject::BadAnswers));
    // Paired items have their days.
    let pairs = class.paired(0);
    assert_eq!(class.items(1, Occasion::Before, &pairs, true), Err(Reject::ItemsNotDue));
    assert_eq!(class.items(1, Occasion::After, &class.paired(1), true), Err(Reject::ItemsNotDue));
}

#[test]
fn an_invitation_is_repeated_as_often_as_the_course_allows() {
    let mut class = Class::new(6);
    seven_days(&mut class);
    let cohort = class.cohort;
    let reinvite = CourseAction::Reinvite { member: member(1), cohort };
    assert_eq!(class.course(Actor::Operator(1), reinvite.clone()), Err(Reject::WrongStage));
    class.wait_until(8, "12:00");
    assert_eq!(class.course(Actor::Operator(1), reinvite.clone()), Err(Reject::NoReinvitation));
    for again in [16, 24] {
        class.wait_until(again, "03:00");
        assert_eq!(class.pupil(1).stage, PupilStage::Lapsed);
        let receipt = class.course(Actor::Operator(1), reinvite.clone());
        assert!(matches!(receipt, Ok(Receipt::Course(CourseReceipt::Invitation { .. }))));
        assert_eq!(class.pupil(1).stage, PupilStage::Invited);
    }
    // No invitation reaches beyond the time for placing.
    let (_, until, _) = class.pupil(1).invitation.unwrap();
    let placed = class.view().since[CohortStage::Placing as usize].unwrap();
    assert_eq!(until, placed.plus_ms(21 * 86_400_000));
    class.wait_until(30, "03:00");
    assert_eq!(class.pupil(1).stage, PupilStage::Lapsed);
    assert_eq!(class.course(Actor::Operator(1), reinvite), Err(Reject::WrongStage));
}

#[test]
fn a_dissolved_course_lets_everybody_go() {
    let mut class = Class::new(2);
    class.wait_until(0, "12:00");
    class.enrol(1).unwrap();
    class.wait_until(2, "12:00");
    let dissolve = CourseAction::Dissolve { cohort: class.cohort };
    assert_eq!(class.own_as_member(dissolve.clone()), Err(Reject::NotYours));
    assert_eq!(class.course(Actor::Operator(1), dissolve.clone()), Ok(Receipt::Ok));
    assert_eq!(class.course(Actor::Operator(1), dissolve), Err(Reject::WrongStage));
    assert_eq!(class.pupil(1).stage, PupilStage::Left);
    let sent = class.view().sent;
    class.wait_until(5, "12:00");
    assert_eq!(class.view().sent, sent, "no more lessons");
    assert_eq!(class.view().stage, CohortStage::Archived);
    assert!(class.engine.catalog().rounds.iter().all(|round| round.closed));
    class.turn_over();
}

impl Class {
    fn own_as_member(&mut self, action: CourseAction) -> Result<Receipt, Reject> {
        self.course(Actor::Member(member(1)), action)
    }
}

#[test]
fn a_running_course_changes_from_a_day_that_is_not_sent() {
    let mut class = Class::new(1);
    class.wait_until(0, "12:00");
    class.enrol(1).unwrap();
    let mut files = files();
    let day = files.iter_mut().find(|file| file.path == "courses/basics-7/day-05.ron").unwrap();
    let old = class.pack.courses[&COURSE.parse().unwrap()].lessons[4].questions.clone();
    let last = format!("\"{}\",", old.last().unwrap());
    assert!(day.text.contains(&last), "the list ends its lines with commas");
    day.text = day.text.replacen(&last, "", 1);
    let changed = pack_of(&files);
    class.engine.offer(changed.clone());
    class.packs.insert(changed.digest, changed.clone());
    class.wait_until(3, "12:00");
    let amend = |from_day, digest| {
        let cohort = CohortId::new(BRANCH, 1);
        CourseAction::Amend { cohort, digest, from_day }
    };
    let operator = Actor::Operator(1);
    let unknown = Digest::of(b"none");
    assert_eq!(class.course(operator, amend(5, unknown)), Err(Reject::UnknownContent));
    assert_eq!(class.course(operator, amend(3, changed.digest)), Err(Reject::BadAmendment));
    // The fifth day's quiz would change before the day from which the change holds.
    assert_eq!(class.course(operator, amend(6, changed.digest)), Err(Reject::BadAmendment));
    assert_eq!(class.course(operator, amend(5, changed.digest)), Ok(Receipt::Ok));
    class.turn_over();
    class.wait_until(5, "12:00");
    let catalog = class.engine.catalog();
    let round = catalog.rounds.iter().find(|round| !round.closed).unwrap();
    let review = &changed.courses[&COURSE.parse().unwrap()].lessons[4].review;
    assert_eq!(round.questions.len(), old.len() - 1 + review.len());
    class.pack = changed;
    class.finish(1, 5, true).unwrap();
    class.quiz(1, |_| true);
    class.wait_until(6, "03:00");
    assert_eq!(class.pupil(1).quizzes, 1 << 4);
}

#[test]
fn the_market_is_bound_before_anybody_enrols_and_told_after_the_end() {
    use dengmi_engine::market::{MarketSeed, Terms, verify};
    let mut class = Class::new(6);
    let bound = class.view().commitment;
    assert_eq!(class.view().secret, None);
    seven_days(&mut class);
    assert_eq!((class.view().secret, class.view().commitment), (None, bound));
    class.wait_until(8, "12:00");
    let told = class.view().secret.expect("the course is over");
    let seed = MarketSeed::from_secret(told.0);
    let scenario = &class.pack.courses[&COURSE.parse().unwrap()].course.mock.scenario;
    let market = &class.pack.scenarios[scenario].market;
    let terms = Terms { market, scenario, pack: class.pack.digest };
    assert!(verify(&seed, &terms, &bound));
    assert!(!verify(&seed, &Terms { pack: Digest::default(), ..terms }, &bound));
}
