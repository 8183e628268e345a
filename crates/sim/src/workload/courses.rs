//! Courses, drawn: starting, taking part, items of all occasions, and the way into another group.

use dengmi_core::command::{Choice, Key};
use dengmi_core::course::{
    CohortStage, CohortView, CourseAction, ItemAnswer, Occasion, PupilStage, PupilView, StayWish,
};
use dengmi_core::{
    Action, Actor, CohortId, Command, CommunityId, Decimal, Digest, ManagerId, MemberId, Slug,
};
use dengmi_engine::{Engine, Layout, item_order, layout};

use super::Workload;
use super::course::COURSE;
use super::draw::any_id;
use crate::answering::{any_choice, right_choice};
use crate::dice::Dice;

/// Pupils who do what there is to do in one batch, at most.
const DILIGENT_MAX: usize = 10;

impl Workload {
    /// What members see of their courses.
    pub(super) fn look_at_pupils(&mut self, engine: &Engine) {
        self.pupils.clear();
        if self.catalog.cohorts.is_empty() {
            return;
        }
        for seq in 1..=engine.members() {
            let member = MemberId::new(self.config.branch, seq);
            let views = engine.member_card(member).map(|card| card.courses).unwrap_or_default();
            self.pupils.extend(views.into_iter().map(|view| (member, view)));
        }
    }

    fn cohort(&mut self, wanted: impl Fn(&CohortView) -> bool) -> CohortId {
        let cohorts = &self.catalog.cohorts;
        let fitting: Vec<CohortId> =
            cohorts.iter().filter(|view| wanted(view)).map(|view| view.id).collect();
        let all: Vec<CohortId> = cohorts.iter().map(|view| view.id).collect();
        let known = if self.dice.percent(95) && !fitting.is_empty() { fitting } else { all };
        any_id(&mut self.dice, self.config.branch, &known)
    }

    /// A member and their cohort, mostly one in a stage that is `wanted`.
    pub(super) fn pupil(&mut self, wanted: impl Fn(PupilStage) -> bool) -> (MemberId, CohortId) {
        let fitting: Vec<_> =
            self.pupils.iter().filter(|(_, view)| wanted(view.stage)).map(place).collect();
        let known: Vec<_> = match self.dice.percent(94) && !fitting.is_empty() {
            true => fitting,
            false => self.pupils.iter().map(place).collect(),
        };
        match self.dice.pick(&known).copied() {
            Some((member, cohort)) if self.dice.percent(98) => (member, cohort),
            _ => (self.member(), self.cohort(|_| true)),
        }
    }

    fn view(&self, cohort: CohortId) -> Option<&CohortView> {
        self.catalog.cohorts.iter().find(|view| view.id == cohort)
    }

    pub(super) fn course(&mut self) -> Option<Action> {
        let live = self.catalog.cohorts.iter().any(|view| view.stage != CohortStage::Archived);
        let what = if live { self.dice.below(100) } else { self.dice.below(12) };
        Some(Action::Course(match what {
            0..8 => return self.start(),
            8..11 => self.amend()?,
            11 => {
                let early = |view: &CohortView| view.stage < CohortStage::Grading;
                // Half of the time one that has not begun.
                let begun = self.dice.percent(50);
                let cohort =
                    self.cohort(|view| early(view) && (begun || view.stage < CohortStage::Running));
                CourseAction::Dissolve { cohort }
            }
            12..34 => return self.enrol(),
            34..37 => {
                let (member, cohort) = self.pupil(|stage| stage != PupilStage::Left);
                CourseAction::Withdraw { member, cohort }
            }
            37..54 => {
                let (member, cohort) = self.pupil(|stage| stage == PupilStage::Enrolled);
                let sent = self.view(cohort).map_or(0, |view| view.sent);
                let day = match self.dice.below(12) {
                    0 => 0,
                    1 => sent + 1,
                    2 => 200,
                    _ => 1 + self.dice.below(u32::from(sent.max(1))) as u8,
                };
                let computed = self.computed(cohort, day);
                CourseAction::FinishLesson { member, cohort, day, computed }
            }
            54..72 => self.items()?,
            72..78 => {
                let (member, cohort) = self.pupil(|stage| stage == PupilStage::Enrolled);
                let wish = match self.dice.below(8) {
                    0 => StayWish::Leave,
                    1 => StayWish::Anywhere,
                    2 => StayWish::Group(self.community()),
                    _ => StayWish::Group(self.lasting()?),
                };
                CourseAction::Wish { member, cohort, wish }
            }
            78..86 => {
                let (member, cohort) = self.pupil(waits);
                let accept = self.dice.percent(70);
                CourseAction::AnswerInvitation { member, cohort, accept }
            }
            86..93 => {
                let again = |stage| matches!(stage, PupilStage::Lapsed | PupilStage::Graduated);
                let (member, cohort) = self.pupil(again);
                CourseAction::Reinvite { member, cohort }
            }
            _ => {
                let (member, cohort) = self.pupil(|stage| stage == PupilStage::Accepted);
                CourseAction::Arrive { member, cohort }
            }
        }))
    }

    /// A group file of the kinds the course is for, or not.
    fn template_for(&self, wanted: impl Fn(&Slug) -> bool) -> Option<Slug> {
        self.templates.iter().find(|slug| wanted(slug)).cloned()
    }

    fn start(&mut self) -> Option<Action> {
        let taken: Vec<CommunityId> =
            self.catalog.cohorts.iter().flat_map(|view| &view.communities).copied().collect();
        let free = self
            .catalog
            .communities
            .iter()
            .filter(|group| group.template.as_str() == "lessons" && !taken.contains(&group.id));
        let free: Vec<CommunityId> = free.map(|group| group.id).collect();
        if free.is_empty() && self.dice.percent(50) {
            let template = self.template_for(|slug| slug.as_str() == "lessons")?;
            let known = self.catalog.managers.clone();
            let manager: ManagerId = any_id(&mut self.dice, self.config.branch, &known);
            return Some(Action::OpenCommunity { template, manager });
        }
        let name = if self.dice.percent(96) { COURSE } else { "no-such-course" };
        let mut communities = Vec::new();
        for _ in 0..*self.dice.pick(&[1, 1, 2, 2, 0])? {
            let group = match self.dice.percent(85) {
                true => self.dice.pick(&free).copied(),
                false => Some(self.community()),
            };
            communities.extend(group);
        }
        let ahead = *self.dice.pick(&[0, 1, 1, 2, 2, 3, 4, 6, -1, 400])?;
        let start = self.today().plus(ahead);
        Some(Action::Course(CourseAction::Start { course: name.parse().ok()?, communities, start }))
    }

    fn amend(&mut self) -> Option<CourseAction> {
        let cohort = self.cohort(|view| view.stage <= CohortStage::Running);
        let known: Vec<Digest> = self.packs.keys().copied().collect();
        let digest = match self.dice.percent(90) {
            true => *self.dice.pick(&known)?,
            false => Digest::of(b"nobody loaded this"),
        };
        let sent = self.view(cohort).map_or(0, |view| view.sent);
        let from_day = match self.dice.below(6) {
            0 => sent,
            1 => 1 + self.dice.below(8) as u8,
            _ => sent + 1 + self.dice.below(2) as u8,
        };
        Some(CourseAction::Amend { cohort, digest, from_day })
    }

    /// Somebody of the cohort's groups enrols; where nobody is left who could, somebody is brought.
    fn enrol(&mut self) -> Option<Action> {
        let open =
            |view: &CohortView| matches!(view.stage, CohortStage::Enrolling | CohortStage::Running);
        let cohort = self.cohort(open);
        let groups = self.view(cohort).map(|view| view.communities.clone()).unwrap_or_default();
        let within = self.catalog.communities.iter().filter(|group| groups.contains(&group.id));
        let members: Vec<MemberId> = within.flat_map(|group| &group.members).copied().collect();
        let taken = |member: &MemberId| {
            let own = |(of, view): &(MemberId, PupilView)| of == member && view.cohort == cohort;
            self.pupils.iter().any(|row| own(row) && row.1.stage != PupilStage::Left)
        };
        let free: Vec<MemberId> = members.iter().filter(|member| !taken(member)).copied().collect();
        if free.len() < 2 && members.len() < 14 && self.dice.percent(80) {
            let to = *self.dice.pick(&groups)?;
            return Some(Action::Move { member: self.anybody(), to });
        }
        let member = match self.dice.below(12) {
            0 => self.member(),
            1 => self.dice.pick(&members).copied()?,
            _ => self.dice.pick(&free).copied()?,
        };
        Some(Action::Course(CourseAction::Enrol { member, cohort }))
    }

    /// A group to stay in.
    fn lasting(&mut self) -> Option<CommunityId> {
        let groups = self.catalog.communities.iter();
        let lasting: Vec<CommunityId> = groups
            .filter(|group| matches!(group.template.as_str(), "graduates" | "home"))
            .map(|group| group.id)
            .collect();
        self.dice.pick(&lasting).copied()
    }

    /// The number of a lesson, mostly right.
    fn computed(&mut self, cohort: CohortId, day: u8) -> Decimal {
        let right = self.view(cohort).and_then(|view| {
            let pack = self.packs.get(&view.content.last()?.1)?;
            let course = pack.courses.get(pack.current(&view.course))?;
            Some(course.lesson(day)?.compute.answer)
        });
        let off = *self.dice.pick(&[0, 0, 0, 1_000_000, -1_000_001, i64::MAX / 4]).unwrap_or(&0);
        let micros = right.map_or(0, Decimal::micros).saturating_add(off);
        Decimal::from_micros(micros).unwrap_or_default()
    }

    /// Key and number of options of an item of a cohort, as far as its content tells.
    fn item(&self, view: &CohortView, item: u16) -> Option<(Key, u8)> {
        let mut items: Vec<&Slug> = Vec::new();
        for (_, digest) in &view.content {
            let pack = self.packs.get(digest)?;
            let course = pack.courses.get(pack.current(&view.course))?;
            let lessons = course.lessons.iter();
            let asked = lessons.flat_map(|lesson| lesson.questions.iter().chain(&lesson.review));
            let pairs = course.course.paired.iter().flat_map(|pair| [&pair.before, &pair.after]);
            for slug in asked.chain(pairs).map(|slug| pack.current(slug)) {
                if !items.contains(&slug) {
                    items.push(slug);
                }
            }
        }
        let pack = self.packs.get(&view.content.last()?.1)?;
        let question = pack.questions.get(*items.get(usize::from(item))?)?;
        Some((question.key.clone(), question.option_count()))
    }

    /// An answer to an item: right as often as `percent` says.
    fn item_answer(
        &mut self,
        member: MemberId,
        view: &CohortView,
        item: u16,
        percent: u32,
    ) -> ItemAnswer {
        let Some((key, options)) = self.item(view, item) else {
            return ItemAnswer { item, choice: Choice::One(0) };
        };
        let shown = item_order(&self.config.seed, view.id, member, item, options);
        let choice = match self.dice.percent(percent) {
            true => right_choice(&key, &shown),
            false => any_choice(&mut self.dice, &key, &shown),
        };
        ItemAnswer { item, choice }
    }

    /// Items of the paired questions, those asked before or those asked after.
    fn halves(&self, view: &CohortView, after: bool) -> Vec<u16> {
        // They come last in the first content, one half beside the other.
        let count = |view: &CohortView| {
            let pack = self.packs.get(&view.content.first()?.1)?;
            let course = pack.courses.get(pack.current(&view.course))?;
            let pairs = course.course.paired.len() as u16;
            let all = (0..200).take_while(|item| self.item(view, *item).is_some()).count() as u16;
            Some((all, pairs))
        };
        let Some((all, pairs)) = count(view) else { return Vec::new() };
        let first = all.saturating_sub(2 * pairs);
        (0..pairs).map(|pair| first + 2 * pair + u16::from(after)).collect()
    }

    fn items(&mut self) -> Option<CourseAction> {
        let (member, cohort) = self.pupil(|stage| stage == PupilStage::Enrolled);
        let occasion = *self.dice.pick(&[Occasion::Review, Occasion::Before, Occasion::After])?;
        let view = self.view(cohort).cloned()?;
        let own = |row: &&(MemberId, PupilView)| row.0 == member && row.1.cohort == cohort;
        let due = self.pupils.iter().find(own).map(|(_, pupil)| pupil.review.clone());
        let mut items = match occasion {
            Occasion::Review => due.unwrap_or_default(),
            Occasion::Before => self.halves(&view, false),
            Occasion::After => self.halves(&view, true),
        };
        match self.dice.below(24) {
            0 => items.clear(),
            1 => items.push(9_999),
            2 => items.push(*items.first()?),
            3 => items = vec![0; 51],
            4 => items.push(self.dice.below(40) as u16),
            5..9 => items.truncate(1),
            _ => {}
        }
        let mut answers: Vec<ItemAnswer> =
            items.into_iter().map(|item| self.item_answer(member, &view, item, 70)).collect();
        if self.dice.percent(3)
            && let Some(first) = answers.first_mut()
        {
            first.choice = Choice::One(9);
        }
        Some(CourseAction::AnswerItems { member, cohort, occasion, answers })
    }

    /// Members whose group was dissolved come into another.
    pub(super) fn bring_back(&mut self) -> Vec<Command> {
        let branch = self.config.branch;
        let all = (1..=self.members).map(|seq| MemberId::new(branch, seq));
        let gone: Vec<MemberId> =
            all.filter(|member| self.present.binary_search(member).is_err()).collect();
        let moves = (0..6).filter_map(|_| {
            let member = *self.dice.pick(&gone)?;
            Some(Self::operator(Action::Move { member, to: self.community() }))
        });
        moves.collect()
    }

    /// A pupil moves to a group of another cohort and enrols there at once.
    pub(super) fn switch(&mut self) -> Vec<Command> {
        let (member, from) = self.pupil(|stage| stage == PupilStage::Enrolled);
        let cohort = self.cohort(|view| {
            let open = matches!(view.stage, CohortStage::Enrolling | CohortStage::Running);
            open && view.id != from
        });
        let to = self.view(cohort).and_then(|view| view.communities.first().copied());
        let Some(to) = to else { return Vec::new() };
        let enrol = Action::Course(CourseAction::Enrol { member, cohort });
        vec![Self::operator(Action::Move { member, to }), Self::operator(enrol)]
    }

    /// Pupils who do all there is to do.
    pub(super) fn diligent(&mut self) -> Vec<Command> {
        let mut rows = self.pupils.clone();
        while rows.len() > DILIGENT_MAX {
            rows.swap_remove(self.dice.below(rows.len() as u32) as usize);
        }
        let mut actions = Vec::new();
        for (member, pupil) in rows {
            let Some(view) = self.view(pupil.cohort).cloned() else { continue };
            let cohort = view.id;
            match pupil.stage {
                PupilStage::Enrolled => {
                    let open = (1..=view.sent).filter(|day| pupil.lessons >> (day - 1) & 1 == 0);
                    for day in open.collect::<Vec<u8>>() {
                        let computed = self.computed(cohort, day);
                        actions.push(Action::Course(CourseAction::FinishLesson {
                            member,
                            cohort,
                            day,
                            computed,
                        }));
                    }
                    for (occasion, items) in [
                        (Occasion::Review, pupil.review),
                        (Occasion::Before, self.halves(&view, false)),
                        (Occasion::After, self.halves(&view, true)),
                    ] {
                        let begun = view.sent > 1 && occasion == Occasion::Before;
                        let early = view.sent < 7 && occasion == Occasion::After;
                        if items.is_empty() || begun || early {
                            continue;
                        }
                        let answers = items
                            .into_iter()
                            .map(|item| self.item_answer(member, &view, item, 90))
                            .collect();
                        let action =
                            CourseAction::AnswerItems { member, cohort, occasion, answers };
                        actions.push(Action::Course(action));
                    }
                    actions.extend(self.quiz_of_the_day(member, &view));
                }
                PupilStage::Invited if self.dice.percent(50) => {
                    let accept = self.dice.percent(85);
                    let action = CourseAction::AnswerInvitation { member, cohort, accept };
                    actions.push(Action::Course(action));
                }
                PupilStage::Graduated | PupilStage::Lapsed => {
                    let back = self.present.binary_search(&member).is_err();
                    actions.push(match back {
                        true => Action::Move { member, to: self.community() },
                        false => Action::Course(CourseAction::Reinvite { member, cohort }),
                    });
                }
                PupilStage::Accepted if self.dice.percent(12) => {
                    // Somebody brings them before they come.
                    let to = pupil.invitation.map(|(to, ..)| to);
                    actions.extend(to.map(|to| Action::Move { member, to }));
                }
                PupilStage::Accepted if self.dice.percent(60) => {
                    actions.push(Action::Course(CourseAction::Arrive { member, cohort }));
                }
                _ => {}
            }
        }
        let commands = actions.into_iter().map(|action| Command { actor: Actor::Channel, action });
        commands.collect()
    }

    /// Answers to every question of the quiz that is open.
    fn quiz_of_the_day(&mut self, member: MemberId, view: &CohortView) -> Option<Action> {
        let round = self.catalog.rounds.iter().find(|round| round.run == view.run && !round.closed);
        let round = round.cloned()?;
        let run = self.catalog.runs.iter().find(|run| run.id == view.run)?;
        let pack = self.packs.get(&run.content)?.clone();
        let options = round.questions.iter().map(|question| question.options);
        let Layout { questions, options } =
            layout(&self.config.seed, round.id, member, true, true, options);
        let mut answers = Vec::new();
        for (question, place) in (0..).zip(questions) {
            let place = usize::from(place);
            let slug = pack.current(&round.questions.get(place)?.question);
            let key = pack.questions.get(slug)?.key.clone();
            let choice = quiz_choice(&mut self.dice, &key, &options[place]);
            answers.push(dengmi_core::command::Answer { question, choice });
        }
        Some(Action::Answer { member, round: round.id, answers })
    }
}

pub(super) fn place(row: &(MemberId, PupilView)) -> (MemberId, CohortId) {
    (row.0, row.1.cohort)
}

fn waits(stage: PupilStage) -> bool {
    matches!(stage, PupilStage::Invited | PupilStage::Accepted)
}

fn quiz_choice(dice: &mut Dice, key: &Key, shown: &[u8]) -> Choice {
    if dice.percent(85) { right_choice(key, shown) } else { any_choice(dice, key, shown) }
}
