//! `GET /v1/me`: who the caller is, and for a member what they have.

use axum::extract::State;
use dengmi_core::view::MemberStatus;
use dengmi_core::{
    CommunityId, Day, ManagerId, MemberId, Period, PeriodKind, Points, RoundId, RunId,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::Admitted;
use crate::people;
use crate::principal::{Principal, Role, Scope};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::streak::Streak;
use crate::wire::BranchName;

/// The caller.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Me {
    /// A member.
    Member(Member),
    /// An operator.
    Operator(Operator),
}

/// A member, as they see themselves.
#[derive(Serialize, ToSchema)]
#[schema(as = MeMember)]
pub(crate) struct Member {
    /// The member.
    #[schema(value_type = String, example = "m1-42")]
    id: MemberId,
    /// Their nickname.
    nickname: Option<String>,
    /// Their group; the last one after they left.
    #[schema(value_type = String, example = "c1-3")]
    community: CommunityId,
    /// Whether they take part at present.
    active: bool,
    /// The day they joined.
    #[schema(value_type = String, format = Date)]
    joined: Day,
    /// Whether they agreed to take part.
    consented: bool,
    /// Whether standings show their name.
    shown_on_boards: bool,
    /// Points they can spend.
    #[schema(value_type = i64)]
    balance: Points,
    /// Points earned in the current periods.
    earned: Earned,
    /// Streaks in runs that have not ended.
    streaks: Vec<RunStreak>,
    /// Open rounds they have answered in.
    answered: Vec<Answered>,
}

/// Points earned in the current day, week, month and season.
#[derive(Serialize, ToSchema)]
pub(crate) struct Earned {
    day: i32,
    week: i32,
    month: i32,
    season: i32,
}

/// A streak in a run.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunStreak {
    /// The run.
    #[schema(value_type = String, example = "r1-9")]
    run: RunId,
    /// The streak.
    streak: Streak,
}

/// A round answered in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Answered {
    /// The round.
    #[schema(value_type = String, example = "q1-31")]
    round: RoundId,
    /// Questions answered so far.
    questions: u32,
}

/// An operator account.
#[derive(Serialize, ToSchema)]
#[schema(as = MeOperator)]
pub(crate) struct Operator {
    /// Number of the account.
    account: u32,
    /// What it may do.
    role: Role,
    /// Branches it may do it in.
    branches: Vec<BranchName>,
    /// The relationship manager it belongs to.
    #[schema(value_type = Option<String>, example = "g1-5")]
    manager: Option<ManagerId>,
}

#[utoipa::path(
    get, path = "/v1/me", operation_id = "getMe", tag = "sign-in",
    summary = "Who am I",
    responses((status = 200, description = "The caller.", body = Me)),
)]
pub(crate) async fn handler<B: Backend>(State(app): State<App<B>>, call: Admitted) -> Answer<Me> {
    let backend = &*app.backend;
    match call.principal()? {
        &Principal::Member { member } => me(backend, member).map(Me::Member).map(Reply::ok),
        Principal::Operator { account, role, branches, manager } => {
            let mut within = backend.branches();
            if let Scope::Only(_) = branches {
                within.retain(|&branch| branches.covers(branch));
            }
            Ok(Reply::ok(Me::Operator(Operator {
                account: *account,
                role: *role,
                branches: within.into_iter().map(BranchName).collect(),
                manager: *manager,
            })))
        }
    }
}

fn me<B: Backend>(backend: &B, id: MemberId) -> Result<Member, Problem> {
    let card = backend.member(id).ok_or_else(Problem::not_found)?;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::unavailable)?;
    let calendar = reach::find_community(&catalog, card.community)
        .map(|community| community.calendar)
        .unwrap_or_default();
    let today = calendar.day_of(backend.now());
    let earned = |kind| card.score_in(Period::containing(kind, today)).points;
    let nickname = people::names(backend, Some(id), [id]).remove(&id);
    Ok(Member {
        id,
        nickname: nickname.map(|name| name.as_ref().to_owned()),
        community: card.community,
        active: card.status == MemberStatus::Active,
        joined: card.joined,
        consented: card.consented,
        shown_on_boards: card.shown,
        balance: card.balance,
        earned: Earned {
            day: earned(PeriodKind::Day),
            week: earned(PeriodKind::Week),
            month: earned(PeriodKind::Month),
            season: earned(PeriodKind::Season),
        },
        streaks: card
            .streaks
            .iter()
            .map(|&(run, streak)| RunStreak { run, streak: Streak::on(today, streak) })
            .collect(),
        answered: card
            .answered
            .iter()
            .map(|&(round, bits)| Answered { round, questions: bits.count_ones() })
            .collect(),
    })
}
