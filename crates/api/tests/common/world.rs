//! The world of the host in memory: two branches with groups, runs, rounds, posts and a cohort.

use std::sync::Arc;

use dengmi_core::course::{
    CohortStage, CohortView, Gain, Occasion, PlacedBy, PupilStage, PupilView, StayWish,
};
use dengmi_core::mock::{BandStanding, TeamScore};
use dengmi_core::view::board::BoardPolicy;
use dengmi_core::view::{
    Catalog, CommunityView, MemberCard, MemberStatus, PostView, QuestionView, RoundView, RunView,
    Score,
};
use dengmi_core::{
    BranchId, Calendar, CohortId, CommunityId, Day, Digest, ManagerId, MemberId, Points, PostId,
    Ppm, RoundId, RunId, Timestamp,
};

use super::mock::{account, market_view};
use super::{NOW, slug};

fn community(id: CommunityId, manager: u32, members: &[u32]) -> CommunityView {
    CommunityView {
        id,
        template: slug("payroll"),
        manager: ManagerId::new(id.branch, manager),
        calendar: Calendar::default(),
        members: members.iter().map(|&seq| MemberId::new(id.branch, seq)).collect(),
        capacity: 500,
        policy: BoardPolicy::default(),
    }
}

fn run(id: RunId, quest: &str, communities: &[u32]) -> RunView {
    RunView {
        id,
        quest: slug(quest),
        content: Digest::of(b"pack"),
        communities: communities.iter().map(|&seq| CommunityId::new(id.branch, seq)).collect(),
        first: Day(20_778),
        last: Day(20_784),
        ended: None,
        budget_left: Points(5_000),
    }
}

fn round(id: RoundId, run: u32, closed: bool) -> RoundView {
    let question = |name: &str, options| QuestionView {
        question: slug(name),
        options,
        answers: 12,
        right: if closed { 7 } else { 0 },
        discrimination: closed.then_some(310),
    };
    RoundView {
        id,
        run: RunId::new(id.branch, run),
        index: 0,
        opens: Timestamp(NOW.0 - 3_600_000),
        closes: Timestamp(NOW.0 + 3_600_000),
        questions: vec![
            question("bank/single", 3),
            question("bank/number", 0),
            question("bank/text", 0),
        ],
        revealed: closed,
        closed,
    }
}

fn post(id: PostId, run: u32) -> PostView {
    PostView {
        id,
        run: RunId::new(id.branch, run),
        manager: ManagerId::new(id.branch, 1),
        at: Timestamp(NOW.0 - 1_000),
        closes: Timestamp(NOW.0 + 1_000),
        likes: 2,
        comments: 1,
    }
}

pub fn card(id: MemberId, community: u32) -> MemberCard {
    MemberCard {
        id,
        status: MemberStatus::Active,
        community: CommunityId::new(id.branch, community),
        joined: Day(20_700),
        consented: true,
        marketing: false,
        shown: true,
        balance: Points(120),
        scored: Day(20_778),
        scores: [Score { points: 10, reached: 1 }; 4],
        streaks: Vec::new(),
        answered: Vec::new(),
        courses: vec![pupil(id, community)],
    }
}

/// One branch: two groups under two managers; group 1 has members 1 and 2, group 2 member 3.
/// Runs 1 to 3 (quiz, streak, Moments) are for group 1, run 4 (quiz) is for group 2.
pub(super) fn branch(number: u16) -> Catalog {
    let b = BranchId(number);
    Catalog {
        content: Digest::of(b"pack"),
        managers: vec![ManagerId::new(b, 1), ManagerId::new(b, 2)],
        communities: vec![
            community(CommunityId::new(b, 1), 1, &[1, 2]),
            community(CommunityId::new(b, 2), 2, &[3]),
        ],
        runs: vec![
            run(RunId::new(b, 1), "quiz", &[1]),
            run(RunId::new(b, 2), "streak", &[1]),
            run(RunId::new(b, 3), "moments", &[1]),
            run(RunId::new(b, 4), "quiz", &[2]),
        ],
        rounds: vec![
            round(RoundId::new(b, 1), 1, false),
            round(RoundId::new(b, 2), 1, true),
            round(RoundId::new(b, 3), 4, false),
        ],
        posts: vec![post(PostId::new(b, 1), 3)],
        cohorts: vec![cohort(CohortId::new(b, 1), 1), cohort(CohortId::new(b, 2), 2)],
    }
}

/// The cohort of one group, after its second lesson.
fn cohort(id: CohortId, group: u32) -> CohortView {
    let mut pupils = [0; 9];
    pupils[PupilStage::Enrolled as usize] = 2;
    CohortView {
        id,
        course: slug("basics"),
        stage: CohortStage::Running,
        since: [Some(NOW), Some(NOW), Some(NOW), None, None, None],
        content: vec![(1, Digest::of(b"pack"))],
        communities: vec![CommunityId::new(id.branch, group)],
        run: RunId::new(id.branch, group),
        first: Day(20_777),
        last: Day(20_783),
        sent: 2,
        pupils,
        commitment: Digest::of(b"commitment"),
        secret: None,
        gain: Some(Gain { members: 2, before: Ppm(500_000), after: Ppm(0), normalised: None }),
        retained: [None; 2],
        items: ["bank/single", "bank/number", "bank/text"].map(slug).into(),
        terms: Digest::of(b"pack"),
        market: Arc::new(market_view()),
        standing: BandStanding {
            bands: vec![1, 1],
            teams: vec![TeamScore {
                community: CommunityId::new(id.branch, group),
                members: 2,
                score: 412,
            }],
        },
    }
}

/// A member who has finished the first lesson, has two items to review and an invitation.
fn pupil(id: MemberId, community: u32) -> PupilView {
    PupilView {
        cohort: CohortId::new(id.branch, community),
        stage: PupilStage::Enrolled,
        since: NOW,
        lessons: 1,
        computed: 1,
        quizzes: 1,
        mastered: (1, 3),
        review: vec![0, 1],
        paired: (1, 0, 2),
        asked: Some((Occasion::Before, vec![2])),
        wish: Some(StayWish::Anywhere),
        invitation: Some((CommunityId::new(id.branch, 2), NOW, PlacedBy::Wish)),
        level: None,
        assessed: Vec::new(),
        mock: Box::new(account()),
    }
}
