//! Members who take a course: they enrol, read the lesson, compute its number, answer the quiz,
//! review, see to their mock account, wish for a group, accept an invitation and arrive. Shares are invented for trying things
//! out, not measured.

use dengmi_content::PackCourse;
use dengmi_content::pack::PackQuestion;
use dengmi_core::course::{
    CohortStage, CohortView, CourseAction, ItemAnswer, Occasion, PupilStage, PupilView, StayWish,
};
use dengmi_core::view::MemberCard;
use dengmi_core::{CommunityId, Decimal};
use dengmi_engine::item_order;

use super::invest::Desk;
use super::*;

/// Chance that a member of the course's group looks in on a day. Who enrols is keen.
const COMES: u32 = 880_000;
/// Chance that who looks in and takes no part yet enrols.
const ENROLS: u32 = 600_000;
/// Of a hundred, those who wish for no more messages, and those who name a group.
const WISHES: [u32; 2] = [12, 40];
/// Of a hundred invited on a day they look in: those who accept, and those who decline.
const ANSWERS: [u32; 2] = [60, 10];
/// Hours between which the quiz of the day can be answered after reading the lesson.
const OPEN_HOURS: [u32; 2] = [9, 20];
/// Minutes after which somebody goes on who began with what comes first: what is asked before the
/// course, or enrolling. Further apart than the ten minutes at a time in which members are played.
const SECOND_STEP: u8 = 10;

impl Crowd {
    /// What members do for their courses in the hour that `now` lies in, by minute, then by member.
    /// `card` gives what is published of a member.
    #[must_use]
    pub fn course_hour(
        &self,
        catalog: &Catalog,
        packs: &BTreeMap<Digest, Arc<Pack>>,
        now: Timestamp,
        card: impl Fn(MemberId) -> Option<Arc<MemberCard>>,
    ) -> Vec<Deed> {
        let mut deeds = Vec::new();
        for view in catalog.cohorts.iter().filter(|view| view.stage != CohortStage::Archived) {
            let Some(class) = Class::new(self, catalog, packs, view) else { continue };
            let groups = catalog.communities.iter();
            for group in groups.filter(|group| view.communities.contains(&group.id)) {
                let scene = Scene::new(self, catalog, packs, group, now);
                for card in group.members.iter().filter_map(|&member| card(member)) {
                    class.play(&scene, &card, &mut deeds);
                }
            }
        }
        deeds.sort_by_key(|deed: &Deed| deed.minute);
        deeds
    }
}

/// A cohort and what it teaches.
struct Class<'a> {
    crowd: &'a Crowd,
    packs: &'a BTreeMap<Digest, Arc<Pack>>,
    view: &'a CohortView,
    course: &'a PackCourse,
    /// Its market.
    desk: Option<Desk<'a>>,
    /// Groups that graduates may go to.
    destinations: Vec<CommunityId>,
}

impl<'a> Class<'a> {
    fn new(
        crowd: &'a Crowd,
        catalog: &Catalog,
        packs: &'a BTreeMap<Digest, Arc<Pack>>,
        view: &'a CohortView,
    ) -> Option<Self> {
        let pack = packs.get(&view.content.last()?.1)?;
        let course = pack.courses.get(pack.current(&view.course))?;
        let kinds = &course.course.migration.to;
        let takes = |group: &&CommunityView| {
            let file = pack.communities.get(pack.current(&group.template));
            file.is_some_and(|file| kinds.contains(&file.kind))
        };
        let destinations = catalog.communities.iter().filter(takes).map(|group| group.id).collect();
        let desk = packs.get(&view.terms).and_then(|terms| Desk::new(terms, course, view));
        Some(Self { crowd, packs, view, course, desk, destinations })
    }

    fn play(&self, scene: &Scene<'_>, card: &MemberCard, deeds: &mut Vec<Deed>) {
        let member = card.id;
        let persona = self.crowd.persona(member);
        let mut dice = self.crowd.dice(Drawn::Course, member, scene.day);
        let (comes, minute) = (dice.chance(COMES), dice.below(60 - u32::from(SECOND_STEP)) as u8);
        let hours: Vec<(u32, u32)> =
            persona.hours.iter().map(|&(hour, weight)| (weight, hour)).collect();
        let hour = dice.weighted(&hours).clamp(OPEN_HOURS[0], OPEN_HOURS[1]);
        if !comes || hour != scene.hour {
            return;
        }
        let mut act = |minute, actor, action| {
            deeds.push(Deed { minute, command: Command { actor, action: Action::Course(action) } });
        };
        let (cohort, me) = (self.view.id, Actor::Member(member));
        let mine = card.courses.iter().find(|course| course.cohort == cohort);
        let Some(mine) = mine else {
            if self.enrolment_open() && dice.chance(ENROLS) {
                act(minute, me, CourseAction::Enrol { member, cohort });
            }
            return;
        };
        match mine.stage {
            PupilStage::Enrolled => {}
            PupilStage::Invited => {
                let [accepts, declines] = ANSWERS;
                let roll = dice.below(100);
                if roll < accepts + declines {
                    let accept = roll < accepts;
                    act(minute, me, CourseAction::AnswerInvitation { member, cohort, accept });
                }
                return;
            }
            // The channel sees them come in.
            PupilStage::Accepted => {
                act(minute, Actor::System, CourseAction::Arrive { member, cohort });
                return;
            }
            _ => return,
        }
        let mut answer = |items: &[u16], knows| self.answers(member, items, knows, &mut dice);
        let later = minute + SECOND_STEP;
        let asked = match &mine.asked {
            Some((Occasion::Before, items)) => {
                // Nobody has been taught anything yet.
                let answers = answer(items, persona.knows.saturating_sub(200_000));
                Some((minute, Occasion::Before, answers))
            }
            Some((occasion, items)) => {
                Some((later, *occasion, answer(items, self.taught(persona))))
            }
            None => None,
        };
        let review = (later, Occasion::Review, answer(&mine.review, self.taught(persona)));
        for (minute, occasion, answers) in asked.into_iter().chain([review]) {
            if !answers.is_empty() {
                act(minute, me, CourseAction::AnswerItems { member, cohort, occasion, answers });
            }
        }
        for day in (1..=self.view.sent).filter(|day| mine.lessons >> (day - 1) & 1 == 0) {
            if let Some(computed) = self.computed(day, self.taught(persona), &mut dice) {
                act(later, me, CourseAction::FinishLesson { member, cohort, day, computed });
            }
        }
        if let Some(desk) = &self.desk {
            let assess = desk.assess(persona, mine).map(|what| (minute, what));
            let invest = self.crowd.dice(Drawn::Invest, member, scene.day);
            let visit = desk.visit(persona, self.taught(persona), mine, scene.day, invest);
            let visit = visit.into_iter().map(|what| (later, what));
            for (minute, what) in assess.into_iter().chain(visit) {
                act(minute, me, CourseAction::Mock { member, cohort, what });
            }
        }
        if let Some(wish) = self.wish(mine, &mut dice) {
            act(later, me, CourseAction::Wish { member, cohort, wish });
        }
        let here = scene.at.plus_ms(i64::from(later) * 60_000);
        for (round, run) in scene.rounds.iter().filter(|(_, run)| run.id == self.view.run) {
            let open = round.opens <= here && here < round.closes;
            if open && card.answered.iter().all(|(id, _)| *id != round.id) {
                let answers = scene.answers(member, persona, round, run, &mut dice);
                let action = Action::Answer { member, round: round.id, answers };
                deeds.push(Deed { minute: later, command: Command { actor: me, action } });
            }
        }
    }

    fn enrolment_open(&self) -> bool {
        match self.view.stage {
            CohortStage::Enrolling => true,
            CohortStage::Running => self.view.sent <= self.course.course.enrolment.late_until_day,
            _ => false,
        }
    }

    /// Chance of knowing what the lessons taught.
    fn taught(&self, persona: &Persona) -> u32 {
        (persona.knows + 250_000).min(950_000)
    }

    fn question(&self, item: u16) -> Option<&PackQuestion> {
        let slug = self.view.items.get(usize::from(item))?;
        self.view.content.iter().rev().find_map(|(_, digest)| {
            let pack = self.packs.get(digest)?;
            pack.questions.get(pack.current(slug))
        })
    }

    fn answers(
        &self,
        member: MemberId,
        items: &[u16],
        knows: u32,
        dice: &mut Dice,
    ) -> Vec<ItemAnswer> {
        let answer = |&item: &u16| {
            let question = self.question(item)?;
            let options = u8::try_from(question.options.len()).ok()?;
            let seed = &self.crowd.branch_seed;
            let seen = item_order(seed, self.view.id, member, item, options);
            let choice = match dice.chance(knows) {
                true => right_choice(&question.key, &seen),
                false => wrong_choice(dice, &question.key, &seen),
            };
            Some(ItemAnswer { item, choice })
        };
        items.iter().filter_map(answer).collect()
    }

    /// The number of a lesson, or one that is beside it.
    fn computed(&self, day: u8, knows: u32, dice: &mut Dice) -> Option<Decimal> {
        let in_force = self.view.content.iter().rev().find(|(from, _)| *from <= day);
        let pack = self.packs.get(&in_force?.1)?;
        let course = pack.courses.get(pack.current(&self.view.course))?;
        let task = &course.lesson(day)?.compute;
        let off = if dice.chance(knows) { 0 } else { task.tolerance.micros() + 1_000_000 };
        Decimal::from_micros(task.answer.micros() + off)
    }

    /// What somebody wishes for who has not said yet, in the last days of the course.
    fn wish(&self, mine: &PupilView, dice: &mut Dice) -> Option<StayWish> {
        let days = self.view.last.0 - self.view.first.0 + 1;
        if mine.wish.is_some() || i32::from(self.view.sent) < days - 2 {
            return None;
        }
        let [leaves, names] = WISHES;
        let roll = dice.below(100);
        let named = dice.pick(&self.destinations).map(|group| StayWish::Group(*group));
        Some(match named {
            _ if roll < leaves => StayWish::Leave,
            Some(group) if roll < leaves + names => group,
            _ => StayWish::Anywhere,
        })
    }
}

#[cfg(test)]
mod tests {
    use dengmi_core::command::ConsentPurpose;
    use dengmi_core::mock::{MockView, Side};
    use dengmi_core::{Batch, BranchId, ManagerId, Outcome, Slug};
    use dengmi_engine::{Engine, EngineConfig};

    use super::*;
    use crate::shipped;

    const BRANCH: BranchId = BranchId(2);

    /// Members are played so many minutes at a time.
    const SLOT_MINUTES: i64 = SECOND_STEP as i64;

    /// A town with one group of the course's kind and one that graduates go to.
    struct Town {
        engine: Engine,
        packs: BTreeMap<Digest, Arc<Pack>>,
        seq: u64,
        done: u32,
        refused: Vec<String>,
    }

    impl Town {
        fn apply(&mut self, at: Timestamp, commands: Vec<Command>) -> Vec<Outcome> {
            self.seq += 1;
            let at = at.max(self.engine.at().plus_ms(1));
            let said: Vec<String> = commands.iter().map(|one| format!("{one:?}")).collect();
            let batch = Batch { seq: self.seq, at, commands: commands.into() };
            let outcomes = self.engine.apply(&batch).expect("batches follow each other").outcomes;
            for (outcome, said) in outcomes.iter().zip(said) {
                match outcome {
                    Outcome::Done(_) => self.done += 1,
                    Outcome::Rejected(reject) => self.refused.push(format!("{reject:?}: {said}")),
                }
            }
            outcomes
        }

        fn system(&mut self, at: Timestamp, actions: Vec<Action>) -> Vec<Outcome> {
            let command = |action| Command { actor: Actor::System, action };
            self.apply(at, actions.into_iter().map(command).collect())
        }
    }

    /// A review tells what is right at once, so nothing is reviewed that the quiz of today asks for
    /// the first time.
    fn assert_only_the_past_is_reviewed(engine: &Engine, course: &PackCourse, now: Timestamp) {
        let Some(view) = engine.catalog().cohorts.into_iter().next() else { return };
        let gone = Calendar::default().day_of(now).0 - view.first.0;
        let before = course.lessons.iter().filter(|lesson| i32::from(lesson.day) <= gone);
        let asked: Vec<&Slug> =
            before.flat_map(|lesson| lesson.questions.iter().chain(&lesson.review)).collect();
        for seq in 1..=engine.members() {
            let card = engine.member_card(MemberId::new(BRANCH, seq)).expect("numbered");
            for item in card.courses.iter().flat_map(|course| &course.review) {
                let slug = &view.items[usize::from(*item)];
                assert!(asked.contains(&slug), "{slug} before the quiz of day {} closes", gone + 1);
            }
        }
    }

    /// Most plan and order by their plan; some go all in.
    fn assert_they_invest(engine: &Engine) {
        let cards = (1..=engine.members()).map(|seq| MemberId::new(BRANCH, seq));
        let cards = cards.filter_map(|member| engine.member_card(member));
        let mocks: Vec<_> = cards.flat_map(|card| card.courses).map(|course| course.mock).collect();
        let count =
            |wanted: &dyn Fn(&MockView) -> bool| mocks.iter().filter(|mock| wanted(mock)).count();
        let plans = |mock: &MockView| mock.plan.as_ref().map(|(_, plan)| plan.parts.len());
        let sells = |mock: &MockView| {
            mock.orders.iter().any(|order| matches!(order.side, Side::Redeem(_)) && !order.in_plan)
        };
        let orders: usize = mocks.iter().map(|mock| mock.orders.len()).sum();
        let told = format!(
            "{} plan, {} all in, {orders} orders, {} sell against their plan, {} score 400",
            count(&|mock| plans(mock).is_some()),
            count(&|mock| plans(mock) == Some(1)),
            count(&sells),
            count(&|mock| mock.score.total() >= 400),
        );
        assert!(count(&|mock| plans(mock).is_some()) * 2 > mocks.len() && orders > 60, "{told}");
        assert!(count(&|mock| plans(mock) == Some(1)) > 0, "{told}");
    }

    /// Sixty members through every stage of a shipped course: the engine takes nearly all of what
    /// they do, and some of them come out in the long-term group.
    #[test]
    fn a_class_goes_all_the_way() {
        let pack = shipped::pack(&shipped::files());
        let (course, content) = pack.courses.first_key_value().expect("a course is shipped");
        let template = |kinds: &[dengmi_content::model::community::CommunityKind]| -> Slug {
            let fits = pack.communities.iter().find(|(_, file)| kinds.contains(&file.kind));
            fits.expect("a group of that kind").0.clone()
        };
        let (home, goal) =
            (template(&content.course.audience), template(&content.course.migration.to));
        let seed = Seed::from_number(5);
        let config = EngineConfig { branch: BRANCH, seed, branches: 1 };
        let mut town = Town {
            engine: Engine::new(config, pack.clone()),
            packs: BTreeMap::from([(pack.digest, pack.clone())]),
            seq: 0,
            done: 0,
            refused: Vec::new(),
        };
        let day = Day(20_773);
        let begins = Calendar::default().start_of(day);
        let manager = ManagerId::new(BRANCH, 1);
        let open = |template: &Slug| Action::OpenCommunity { template: template.clone(), manager };
        town.system(begins, vec![Action::AddManager, open(&home), open(&goal)]);
        let community = CommunityId::new(BRANCH, 1);
        town.system(begins, vec![Action::Join { community }; 60]);
        let consent = |seq| Action::Consent {
            member: MemberId::new(BRANCH, seq),
            purpose: ConsentPurpose::Activities,
            version: 1,
            given: true,
        };
        town.system(begins, (1..=60).map(consent).collect());
        let start = CourseAction::Start {
            course: course.clone(),
            communities: vec![community],
            start: day.plus(1),
        };
        town.system(begins, vec![Action::Course(start)]);
        assert_eq!(town.refused, Vec::<String>::new());

        let crowd = Crowd::new(Seed::from_number(4), seed, day);
        let mut stages = Vec::new();
        let slots = 6 * 24 * (i64::from(content.course.days) + 12);
        for slot in 0..slots {
            let now = begins.plus_ms(slot * SLOT_MINUTES * 60_000 + 2);
            let (hour, full) = (slot / 6 % 24, slot % 6 == 0);
            if full {
                town.apply(now, Vec::new());
                assert_only_the_past_is_reviewed(&town.engine, content, now);
            }
            if !(i64::from(OPEN_HOURS[0])..=i64::from(OPEN_HOURS[1])).contains(&hour) {
                continue;
            }
            let catalog = town.engine.catalog();
            let card = |member| town.engine.member_card(member).map(Arc::new);
            let deeds = crowd.course_hour(&catalog, &town.packs, now, card);
            if full {
                assert_eq!(deeds, crowd.course_hour(&catalog, &town.packs, now, card), "again");
            }
            let from = slot % 6 * SLOT_MINUTES;
            let minutes = from..from + SLOT_MINUTES;
            let due = deeds.into_iter().filter(|deed| minutes.contains(&i64::from(deed.minute)));
            let due: Vec<Command> = due.map(|deed| deed.command).collect();
            if !due.is_empty() {
                town.apply(now.plus_ms(SLOT_MINUTES * 60_000 - 10), due);
            }
            if let Some(view) = town.engine.catalog().cohorts.first()
                && stages.last() != Some(&view.stage)
            {
                stages.push(view.stage);
            }
        }
        let view = town.engine.catalog().cohorts[0].clone();
        let count = |stage: PupilStage| view.pupils[stage as usize];
        assert_eq!(stages.last(), Some(&CohortStage::Archived), "{stages:?}");
        assert!(stages.contains(&CohortStage::Placing), "{stages:?}");
        assert!(view.pupils.iter().sum::<u32>() > 30, "{:?}", view.pupils);
        assert!(count(PupilStage::Arrived) > 5, "{:?}", view.pupils);
        assert!(count(PupilStage::Unfinished) > 0, "not everybody makes it: {:?}", view.pupils);
        let gain = view.gain.expect("some answered both halves");
        assert!(gain.after > gain.before, "{gain:?}");
        assert_they_invest(&town.engine);
        let refused = town.refused.len() as u32;
        assert!(refused * 50 < town.done, "{} {:#?}", town.done, town.refused);
    }
}
