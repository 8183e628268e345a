//! Copies of state for readers.

use bevy_ecs::prelude::*;
use dengmi_core::command::{ConsentPurpose, Key};
use dengmi_core::view::board::BoardPolicy;
use dengmi_core::view::{
    Catalog, CommunityView, MemberCard, PostView, QuestionView, RoundView, RunView, Score,
};
use dengmi_core::{CommunityId, ManagerId, MemberId, PostId, RoundId, RunId};

use crate::board::{RoundScores, RunScores, Scores};
use crate::cohort::CohortIndex;
use crate::column::Column;
use crate::content::Packs;
use crate::kernel::Setup;
use crate::ledger::Wallet;
use crate::moments::{Post, PostIndex};
use crate::people::{Community, Member, People};
use crate::quiz::{Round, RoundIndex, Sheets, Stage};
use crate::runs::{Run, RunIndex, RunPlan};
use crate::streak::Streaks;

pub(crate) fn catalog(world: &World) -> Catalog {
    let branch = world.resource::<Setup>().branch;
    let people = world.resource::<People>();
    let whole = "indexed entities are whole";
    let communities = people.communities.iter().map(|entity| {
        let community = world.get::<Community>(*entity).expect(whole);
        CommunityView {
            id: CommunityId::new(branch, community.seq),
            template: community.template.clone(),
            manager: ManagerId::new(branch, community.manager),
            calendar: community.calendar,
            members: community.members.iter().map(|seq| MemberId::new(branch, *seq)).collect(),
            capacity: community.capacity,
            policy: community.policy,
        }
    });
    let runs = world.resource::<RunIndex>().live().map(|entity| run_view(world, entity));
    let rounds =
        world.resource::<RoundIndex>().live().filter_map(|entity| round_view(world, entity));
    let posts = world.resource::<PostIndex>().live().map(|entity| {
        let post = world.get::<Post>(entity).expect(whole);
        PostView {
            id: PostId::new(branch, post.seq),
            run: RunId::new(branch, post.run),
            manager: ManagerId::new(branch, post.manager),
            at: post.at,
            closes: post.closes,
            likes: post.likes,
            comments: post.comments,
        }
    });
    let cohorts = world.resource::<CohortIndex>().live();
    let cohorts = cohorts.map(|entity| crate::cohort::cohort_view(world, entity));
    Catalog {
        content: world.resource::<Packs>().current().digest,
        managers: (1..=people.managers.len() as u32)
            .map(|seq| ManagerId::new(branch, seq))
            .collect(),
        communities: communities.collect(),
        runs: runs.collect(),
        rounds: rounds.collect(),
        posts: posts.collect(),
        cohorts: cohorts.collect(),
    }
}

fn run_view(world: &World, entity: Entity) -> RunView {
    let branch = world.resource::<Setup>().branch;
    let run = world.get::<Run>(entity).expect("indexed runs are whole");
    let plan = world.get::<RunPlan>(entity).expect("indexed runs are whole");
    let people = world.resource::<People>();
    let communities = people.communities.iter().filter_map(|group| world.get::<Community>(*group));
    let invited = communities.filter(|community| run.invites(plan, community.seq, community.kind));
    RunView {
        id: RunId::new(branch, run.seq),
        quest: run.quest.clone(),
        content: run.pack,
        communities: invited.map(|community| CommunityId::new(branch, community.seq)).collect(),
        first: run.first,
        last: run.last,
        ended: run.ended,
        budget_left: crate::runs::budget_left(run),
    }
}

fn round_view(world: &World, entity: Entity) -> Option<RoundView> {
    let branch = world.resource::<Setup>().branch;
    let round = world.get::<Round>(entity)?;
    let run = world.resource::<RunIndex>().entity(round.run)?;
    let rules = crate::quiz::series(&world.get::<RunPlan>(run)?.quest.kind)?;
    let settled = round.stage != Stage::Open;
    let questions = round.questions.iter().zip(&round.stats).map(|(item, stats)| QuestionView {
        question: item.question.clone(),
        options: item.options,
        answers: stats.answers,
        right: stats.right,
        discrimination: stats.discrimination,
    });
    Some(RoundView {
        id: RoundId::new(branch, round.seq),
        run: RunId::new(branch, round.run),
        index: round.index,
        opens: round.opens,
        closes: round.closes,
        questions: questions.collect(),
        revealed: crate::quiz::revealed(round, rules),
        closed: settled,
    })
}

pub(crate) fn member_card(world: &World, id: MemberId) -> Option<MemberCard> {
    let member = world.resource::<Column<Member>>().get(id.seq)?;
    let scores = world.resource::<Column<Scores>>().get(id.seq)?;
    let runs = world.resource::<RunIndex>().current();
    let streaks = runs.filter_map(|entity| {
        let streak = world.get::<Streaks>(entity)?.0.get(id.seq)?;
        let run = world.get::<Run>(entity)?;
        let state = streak.state(world.get::<RunPlan>(entity)?.streak.as_ref()?);
        Some((RunId::new(id.branch, run.seq), state))
    });
    let rounds = world.resource::<RoundIndex>().current();
    let answered = rounds.filter_map(|entity| {
        let sheet = world.get::<Sheets>(entity)?.0.get(id.seq)?;
        let round = world.get::<Round>(entity)?;
        Some((RoundId::new(id.branch, round.seq), sheet.bits()))
    });
    Some(MemberCard {
        id,
        status: member.status,
        community: CommunityId::new(id.branch, member.community),
        joined: member.joined,
        consented: member.consented(ConsentPurpose::Activities),
        marketing: member.consented(ConsentPurpose::Marketing),
        shown: member.shown(),
        balance: world.resource::<Column<Wallet>>().get(id.seq)?.balance(),
        scored: scores.day,
        scores: std::array::from_fn(|kind| scores.slot(kind)),
        streaks: streaks.collect(),
        answered: answered.collect(),
        courses: crate::cohort::pupil_views(world, id),
    })
}

pub(crate) type ScoreTable = (BoardPolicy, Vec<(MemberId, Score)>);

pub(crate) fn run_scores(world: &World, id: RunId) -> Option<ScoreTable> {
    let entity = world.resource::<RunIndex>().entity(id.seq)?;
    let policy = world.get::<RunPlan>(entity)?.quest.board;
    Some((policy, crate::board::table(world, &world.get::<RunScores>(entity)?.0).collect()))
}

pub(crate) fn round_scores(world: &World, id: RoundId) -> Option<ScoreTable> {
    let entity = world.resource::<RoundIndex>().entity(id.seq)?;
    let run = world.resource::<RunIndex>().entity(world.get::<Round>(entity)?.run)?;
    let policy = world.get::<RunPlan>(run)?.quest.board;
    Some((policy, crate::board::table(world, &world.get::<RoundScores>(entity)?.0).collect()))
}

pub(crate) fn round_keys(world: &World, id: RoundId) -> Option<Vec<Key>> {
    let entity = world.resource::<RoundIndex>().entity(id.seq)?;
    let round = world.get::<Round>(entity)?;
    Some(round.questions.iter().map(|item| item.key.clone()).collect())
}
