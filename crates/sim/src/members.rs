//! Synthetic members: five personas who come at their own hours, check in, answer open rounds and
//! react to posts. What a member does in an hour follows from (seed, member, day) alone, so hours
//! can be played in any order, twice, or not at all.
//!
//! They know the answers from the content, and how each member sees a round from the branch's seed:
//! they play beside the engine, not through its interface.

use std::collections::BTreeMap;
use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_content::model::QuestKind;
use dengmi_content::model::quest::CheckInStreak;
use dengmi_core::command::{Answer, Person, Reaction};
use dengmi_core::mock::ClientLevel;
use dengmi_core::random::Seed;
use dengmi_core::text::FoldedHash;
use dengmi_core::time::TimeOfDay;
use dengmi_core::view::{Catalog, CommunityView, PostView, RoundView, RunView};
use dengmi_core::{Action, Actor, Calendar, Command, Day, Digest, MemberId, RoundId, Timestamp};
use dengmi_engine::layout;

use self::invest::Temper;
use crate::answering::{comment_answer, guess, right_choice, wrong_choice};
use crate::dice::Dice;

const HOUR_MS: i64 = 3_600_000;

/// A kind of customer. The shares and hours are invented for trying things out, not measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persona {
    /// Whom one should think of, in Chinese.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// Of a hundred members.
    pub share: u32,
    /// Hours of the day in which a visit is likely, each with its weight.
    hours: &'static [(u32, u32)],
    /// Chance of coming at all, on a day of the first week, in millionths.
    comes: u32,
    /// What a week takes off that chance, in millionths of it.
    tires: u32,
    /// Chance of a second visit on a day with a first one.
    returns: u32,
    /// Chance of being right at a question of middle difficulty.
    knows: u32,
    /// Chance of liking a post one sees.
    likes: u32,
    /// Chance of commenting on a post one sees.
    comments: u32,
    /// How much likelier a visit is on days 1 to 3 and from the 25th on, around payday.
    payday: u32,
    /// How they go about mock investing.
    temper: Temper,
}

/// The five personas; their shares sum to a hundred.
pub const PERSONAS: [Persona; 5] = [
    Persona {
        zh: "退休李阿姨",
        en: "Aunt Li, retired, chats a lot",
        share: 20,
        hours: &[(7, 5), (8, 5), (9, 3), (15, 2), (20, 1)],
        comes: 620_000,
        tires: 60_000,
        returns: 400_000,
        knows: 560_000,
        likes: 500_000,
        comments: 260_000,
        payday: 0,
        temper: Temper { level: ClientLevel::C2, all_in: 20_000, panics: 350_000 },
    },
    Persona {
        zh: "代发小王",
        en: "Wang, a technician, likes games",
        share: 30,
        hours: &[(12, 4), (13, 1), (18, 3), (20, 3), (21, 2), (22, 1)],
        comes: 420_000,
        tires: 140_000,
        returns: 250_000,
        knows: 520_000,
        likes: 250_000,
        comments: 90_000,
        payday: 200_000,
        temper: Temper { level: ClientLevel::C3, all_in: 300_000, panics: 250_000 },
    },
    Persona {
        zh: "宝妈小陈",
        en: "Chen, a mother with little time",
        share: 20,
        hours: &[(12, 5), (13, 1), (21, 5)],
        comes: 440_000,
        tires: 90_000,
        returns: 150_000,
        knows: 620_000,
        likes: 250_000,
        comments: 70_000,
        payday: 50_000,
        temper: Temper { level: ClientLevel::C2, all_in: 20_000, panics: 100_000 },
    },
    Persona {
        zh: "个体户老周",
        en: "Zhou, sells fruit, trusts his manager",
        share: 15,
        hours: &[(6, 3), (10, 1), (14, 3), (20, 2)],
        comes: 360_000,
        tires: 110_000,
        returns: 150_000,
        knows: 540_000,
        likes: 350_000,
        comments: 100_000,
        payday: 0,
        temper: Temper { level: ClientLevel::C3, all_in: 100_000, panics: 200_000 },
    },
    Persona {
        zh: "年轻白领小林",
        en: "Lin, a clerk, knows much and says little",
        share: 15,
        hours: &[(8, 2), (12, 3), (19, 1), (22, 4)],
        comes: 340_000,
        tires: 160_000,
        returns: 100_000,
        knows: 840_000,
        likes: 60_000,
        comments: 15_000,
        payday: 0,
        temper: Temper { level: ClientLevel::C4, all_in: 100_000, panics: 50_000 },
    },
];

/// What somebody does, and how many minutes into the hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Minutes after the full hour.
    pub minute: u8,
    /// The command.
    pub command: Command,
}

/// The synthetic members of one branch.
#[derive(Clone, Debug)]
pub struct Crowd {
    /// Of the members' own draws.
    seed: Seed,
    /// Of the branch, which decides how each member sees a round.
    branch_seed: Seed,
    /// The day on which everything was new.
    began: Day,
}

/// The visits of one member on one day, by hour, earliest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Visits {
    first: Option<(u32, u8)>,
    second: Option<(u32, u8)>,
}

/// What draws are for; part of a stream's address.
#[derive(Clone, Copy)]
enum Drawn {
    Persona = 1,
    Name,
    Visits,
    Deeds,
    Course,
    Invest,
}

impl Crowd {
    /// Members of `seed` in a branch whose engine has `branch_seed`, who come less and less the
    /// longer ago `began` is.
    #[must_use]
    pub fn new(seed: Seed, branch_seed: Seed, began: Day) -> Self {
        Self { seed, branch_seed, began }
    }

    fn dice(&self, what: Drawn, member: MemberId, day: Day) -> Dice {
        let days = u64::from(day.0.unsigned_abs());
        Dice::new(&self.seed, u64::from(member.seq), (what as u64) << 32 | days)
    }

    /// What kind of customer a member is.
    #[must_use]
    pub fn persona(&self, member: MemberId) -> &'static Persona {
        let shares: Vec<(u32, usize)> =
            PERSONAS.iter().enumerate().map(|(index, persona)| (persona.share, index)).collect();
        &PERSONAS[self.dice(Drawn::Persona, member, Day(0)).weighted(&shares)]
    }

    /// A made-up nickname: things of the lantern festival, plants and food, never a person's name.
    #[must_use]
    pub fn nickname(&self, member: MemberId) -> String {
        let mut dice = self.dice(Drawn::Name, member, Day(0));
        let mut one = |words: &[&'static str]| dice.pick(words).copied().unwrap_or("灯");
        let (first, second) = (one(&QUALITIES), one(&THINGS));
        format!("{first}{second}{}", member.seq % 100)
    }

    fn visits(&self, member: MemberId, persona: &Persona, day: Day) -> Visits {
        let mut dice = self.dice(Drawn::Visits, member, day);
        // Some come almost always, some hardly ever: that much is the member's own.
        let own = 500_000 + self.dice(Drawn::Visits, member, Day(0)).below(1_000_000);
        let weeks = u32::try_from((day.0 - self.began.0).max(0) / 7).unwrap_or(0).min(8);
        let tired = (0..weeks)
            .fold(1_000_000u64, |left, _| left * u64::from(1_000_000 - persona.tires) / 1_000_000);
        let month_day = day_of_month(day);
        let payday = if (4..25).contains(&month_day) { 0 } else { persona.payday };
        let comes =
            u64::from(persona.comes + payday) * u64::from(own) / 1_000_000 * tired / 1_000_000;
        let hours: Vec<(u32, u32)> =
            persona.hours.iter().map(|&(hour, weight)| (weight, hour)).collect();
        let mut visit = |chance: u32| {
            let (comes, minute) = (dice.chance(chance), dice.below(60) as u8);
            let hour = dice.weighted(&hours);
            comes.then_some((hour, minute))
        };
        let first = visit(u32::try_from(comes).unwrap_or(u32::MAX));
        let second = visit(persona.returns).filter(|(hour, _)| {
            // In the same hour it would be one visit.
            first.is_some_and(|(earlier, _)| earlier != *hour)
        });
        match (first, second) {
            (Some(a), Some(b)) if b.0 < a.0 => Visits { first: Some(b), second: Some(a) },
            (first, second) => Visits { first, second },
        }
    }

    /// What members do in the hour that `now` lies in, by minute, then by member.
    #[must_use]
    pub fn hour(
        &self,
        catalog: &Catalog,
        packs: &BTreeMap<Digest, Arc<Pack>>,
        now: Timestamp,
    ) -> Vec<Deed> {
        let mut deeds = Vec::new();
        for community in &catalog.communities {
            let scene = Scene::new(self, catalog, packs, community, now);
            for &member in &community.members {
                scene.play(member, &mut deeds);
            }
        }
        deeds.sort_by_key(|deed: &Deed| deed.minute);
        deeds
    }
}

/// Day of the month, from 1.
fn day_of_month(day: Day) -> i32 {
    let month = dengmi_core::Period::containing(dengmi_core::PeriodKind::Month, day);
    day.0 - month.first.0 + 1
}

/// One group in one hour.
struct Scene<'a> {
    crowd: &'a Crowd,
    packs: &'a BTreeMap<Digest, Arc<Pack>>,
    calendar: Calendar,
    day: Day,
    hour: u32,
    /// The full hour.
    at: Timestamp,
    streaks: Vec<(&'a RunView, &'a CheckInStreak)>,
    rounds: Vec<(&'a RoundView, &'a RunView)>,
    posts: Vec<(&'a PostView, &'a RunView)>,
}

impl<'a> Scene<'a> {
    fn new(
        crowd: &'a Crowd,
        catalog: &'a Catalog,
        packs: &'a BTreeMap<Digest, Arc<Pack>>,
        community: &'a CommunityView,
        now: Timestamp,
    ) -> Self {
        let calendar = community.calendar;
        let day = calendar.day_of(now);
        let into_day = now.0 - calendar.at(day, midnight()).0;
        let hour = u32::try_from(into_day.div_euclid(HOUR_MS)).unwrap_or(0) % 24;
        let at = Timestamp(now.0 - into_day.rem_euclid(HOUR_MS));
        let here = |run: &&RunView| {
            run.ended.is_none() && run.communities.binary_search(&community.id).is_ok()
        };
        let runs: Vec<&RunView> = catalog.runs.iter().filter(here).collect();
        let run_of = |id| runs.iter().find(|run| run.id == id).copied();
        let streaks = runs.iter().filter(|run| (run.first..=run.last).contains(&day));
        let streaks = streaks.filter_map(|run| {
            let quest = packs.get(&run.content)?.quest(&run.quest)?;
            match &quest.kind {
                QuestKind::CheckInStreak(streak) => Some((*run, streak)),
                _ => None,
            }
        });
        let rounds = catalog.rounds.iter().filter(|round| !round.closed);
        let posts = catalog.posts.iter().filter(|post| post.closes > now);
        Self {
            crowd,
            packs,
            calendar,
            day,
            hour,
            at,
            streaks: streaks.collect(),
            rounds: rounds.filter_map(|round| Some((round, run_of(round.run)?))).collect(),
            posts: posts.filter_map(|post| Some((post, run_of(post.run)?))).collect(),
        }
    }

    fn play(&self, member: MemberId, deeds: &mut Vec<Deed>) {
        let persona = self.crowd.persona(member);
        let visits = self.crowd.visits(member, persona, self.day);
        let visit = [(visits.first, None), (visits.second, visits.first)];
        let now = visit.into_iter().find_map(|(visit, before)| {
            visit.filter(|(hour, _)| *hour == self.hour).map(|(_, minute)| (minute, before))
        });
        let Some((minute, before)) = now else { return };
        let midnight = self.calendar.at(self.day, midnight());
        // Whatever came up since the visit before; since yesterday evening on the first one.
        let since = match before {
            Some((hour, minute)) => {
                midnight.plus_ms(i64::from(hour) * HOUR_MS + i64::from(minute) * 60_000)
            }
            None => Timestamp(midnight.0 - 12 * HOUR_MS),
        };
        let here = self.at.plus_ms(i64::from(minute) * 60_000);
        let mut dice = self.crowd.dice(Drawn::Deeds, member, self.day);
        let mut act = |action| {
            let command = Command { actor: Actor::Member(member), action };
            deeds.push(Deed { minute, command });
        };
        if before.is_none() {
            for (run, streak) in &self.streaks {
                act(self.check_in(member, run, streak, &mut dice));
            }
        }
        // The quiz of a course belongs to the visits for the course.
        let rounds = self.rounds.iter().filter(|(_, run)| !Pack::is_course_quest(&run.quest));
        for (round, run) in rounds {
            if round.opens > since && round.opens <= here && round.closes > here {
                let answers = self.answers(member, persona, round, run, &mut dice);
                if !answers.is_empty() {
                    act(Action::Answer { member, round: round.id, answers });
                }
            }
        }
        for (post, run) in &self.posts {
            if post.at > since && post.at <= here {
                let mut react = |reaction| {
                    act(Action::React {
                        post: post.id,
                        person: Person::Member(member),
                        reaction,
                        occurred: None,
                    });
                };
                if dice.chance(persona.likes) {
                    react(Reaction::Like);
                }
                if dice.chance(persona.comments) {
                    let knows = dice.chance(persona.knows);
                    let pack = self.packs.get(&run.content).filter(|_| knows);
                    let text = pack.and_then(|pack| comment_answer(pack, &run.quest));
                    react(Reaction::Comment(Some(text.unwrap_or_else(guess))));
                }
            }
        }
    }

    fn check_in(
        &self,
        member: MemberId,
        run: &RunView,
        streak: &CheckInStreak,
        dice: &mut Dice,
    ) -> Action {
        let run_day = (self.day.0 - run.first.0).max(0) as usize;
        let phrase = streak.phrases.get(run_day % streak.phrases.len().max(1));
        // Typing is for those who like it, unless the quest wants it.
        let types = streak.phrase_required || dice.percent(40);
        let phrase = phrase.filter(|_| types).map(|text| FoldedHash::of(text));
        Action::CheckIn { member, run: run.id, phrase, occurred: None }
    }

    fn answers(
        &self,
        member: MemberId,
        persona: &Persona,
        round: &RoundView,
        run: &RunView,
        dice: &mut Dice,
    ) -> Vec<Answer> {
        let Some(pack) = self.packs.get(&run.content) else { return Vec::new() };
        let Some(quest) = pack.quest(&run.quest) else { return Vec::new() };
        let QuestKind::QuizSeries(series) = &quest.kind else { return Vec::new() };
        let (questions, shuffled) = (series.shuffle_questions, series.shuffle_options);
        let options = round.questions.iter().map(|question| question.options);
        let seed = &self.crowd.branch_seed;
        let seen = layout(
            seed,
            RoundId::new(member.branch, round.id.seq),
            member,
            questions,
            shuffled,
            options,
        );
        let answer = |(shown, &place): (usize, &u8)| {
            let place = usize::from(place);
            let name = &round.questions.get(place)?.question;
            let question = pack.questions.get(pack.current(name))?;
            // A step of difficulty is worth eight percent.
            let difficulty = u32::from(question.question.difficulty.clamp(1, 5));
            let knows = (persona.knows + 240_000).saturating_sub(difficulty * 80_000).min(980_000);
            let options = seen.options.get(place)?;
            let choice = match dice.chance(knows) {
                true => right_choice(&question.key, options),
                false => wrong_choice(dice, &question.key, options),
            };
            Some(Answer { question: shown as u8, choice })
        };
        seen.questions.iter().enumerate().filter_map(answer).collect()
    }
}

const fn midnight() -> TimeOfDay {
    match TimeOfDay::new(0, 0) {
        Some(time) => time,
        None => unreachable!(),
    }
}

/// First halves of nicknames.
const QUALITIES: [&str; 24] = [
    "爱笑的",
    "慢半拍的",
    "早起的",
    "安静的",
    "圆圆的",
    "甜甜的",
    "金黄的",
    "刚出锅的",
    "河边的",
    "墙角的",
    "雨后的",
    "秋天的",
    "向阳的",
    "晒太阳的",
    "会发光的",
    "不着急的",
    "清晨的",
    "路过的",
    "热腾腾的",
    "半夜的",
    "月下的",
    "跳舞的",
    "打盹的",
    "爱猜谜的",
];

/// Second halves of nicknames.
const THINGS: [&str; 32] = [
    "灯笼",
    "兔子灯",
    "荷花灯",
    "走马灯",
    "汤圆",
    "桂花",
    "石榴",
    "柿子",
    "山楂",
    "糖葫芦",
    "豆沙包",
    "芝麻糊",
    "小笼包",
    "银杏",
    "腊梅",
    "青竹",
    "莲蓬",
    "水仙",
    "绿萝",
    "多肉",
    "薄荷",
    "橘子",
    "核桃",
    "红枣",
    "桃酥",
    "麻花",
    "豆浆",
    "萝卜",
    "南瓜",
    "芋头",
    "茶叶蛋",
    "蒲公英",
];

mod course;
mod invest;
#[cfg(test)]
mod tests;
