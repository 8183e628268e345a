//! `GET /v1/cohorts/{id}/standing`: how a cohort does, in bands and teams. Never money, never who.

use axum::extract::State;
use dengmi_core::{CohortId, CommunityId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::cohort::pupil;
use crate::extract::{Admitted, Param};
use crate::mock::{band, investing, market};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// The standing of a cohort as of the last close.
#[derive(Serialize, ToSchema)]
#[schema(as = CohortStanding)]
pub(crate) struct Standing {
    /// Days of the course with prices.
    days_closed: u8,
    /// Bands of scores, lowest first.
    bands: Vec<Band>,
    /// The groups as teams.
    teams: Vec<Team>,
    /// The caller's own band, as of now; members who take part only.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_band: Option<String>,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// A band.
#[derive(Serialize, ToSchema)]
#[schema(as = StandingBand)]
struct Band {
    /// Its name.
    title: String,
    /// Its least score.
    from: u16,
    /// Members in it.
    members: u32,
}

/// A team.
#[derive(Serialize, ToSchema)]
#[schema(as = StandingTeam)]
struct Team {
    /// The group, where the caller reaches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "c1-3")]
    community: Option<CommunityId>,
    /// Members who count.
    members: u32,
    /// Their mean score, 0 to 1,000.
    score: u16,
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/standing", operation_id = "getStanding",
    tag = "mock investing",
    summary = "Read how a cohort does",
    description = "Bands and teams; nobody is ranked by money.",
    params(("id" = String, Path, example = "k1-2")),
    responses((status = 200, description = "The standing.", body = Standing)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Standing> {
    let backend = &*app.backend;
    let principal = call.principal()?;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_cohort(&catalog, id).ok_or_else(Problem::not_found)?;
    let rules = investing(backend, view, call.language)?;
    let own = reach::own_community(backend, principal);
    let counts = view.standing.bands.iter().copied().chain(std::iter::repeat(0));
    let bands = rules.bands.iter().zip(counts);
    let teams = view.standing.teams.iter().map(|team| Team {
        community: Some(team.community)
            .filter(|group| principal.reaches_community(&catalog, *group, own)),
        members: team.members,
        score: team.score,
    });
    let mine = principal.member().and_then(|member| pupil(backend, member, id).ok());
    Ok(Reply::ok(Standing {
        days_closed: view.market.closed,
        bands: bands
            .map(|((from, title), members)| Band { title: title.clone(), from: *from, members })
            .collect(),
        teams: teams.collect(),
        own_band: mine.and_then(|mine| band(&rules, mine.mock.score.total())),
        notices: notices(market(backend, view, call.language)?.notices),
    }))
}
