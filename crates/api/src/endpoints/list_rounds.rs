//! `GET /v1/rounds`: quiz rounds within reach that have opened.

use axum::extract::State;
use dengmi_core::view::RoundView;
use dengmi_core::{CommunityId, RoundId, RunId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Asked};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{At, BranchName};

/// Which ones.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// The branch; needed where an operator reaches several and names no community.
    #[param(value_type = Option<String>, example = "b1")]
    branch: Option<BranchName>,
    /// Only rounds in which this group takes part.
    #[param(value_type = Option<String>, example = "c1-3")]
    community: Option<CommunityId>,
    /// Whether closed rounds are listed too.
    #[serde(default)]
    closed: bool,
}

/// Rounds.
#[derive(Serialize, ToSchema)]
#[schema(as = Rounds)]
pub(crate) struct List {
    /// In id order.
    rounds: Vec<Summary>,
}

/// A round.
#[derive(Serialize, ToSchema)]
#[schema(as = RoundSummary)]
pub(crate) struct Summary {
    /// Its id.
    #[schema(value_type = String, example = "q1-31")]
    pub(crate) id: RoundId,
    /// Its run.
    #[schema(value_type = String, example = "r1-9")]
    run: RunId,
    /// Position in the run, from 0.
    index: u16,
    /// When it opened.
    opens: At,
    /// When it closes.
    closes: At,
    /// Questions it has.
    questions: usize,
    /// No answer is taken any more.
    closed: bool,
}

impl From<&RoundView> for Summary {
    fn from(round: &RoundView) -> Self {
        Self {
            id: round.id,
            run: round.run,
            index: round.index,
            opens: At(round.opens),
            closes: At(round.closes),
            questions: round.questions.len(),
            closed: round.closed,
        }
    }
}

#[utoipa::path(
    get, path = "/v1/rounds", operation_id = "listRounds", tag = "rounds",
    summary = "List quiz rounds",
    params(Query),
    responses((status = 200, description = "Rounds within reach.", body = List)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Asked(query): Asked<Query>,
) -> Answer<List> {
    let backend = &*app.backend;
    let principal = call.principal()?;
    let named = query.branch.map(|name| name.0).or(query.community.map(|group| group.branch));
    let branch = reach::asked_branch(backend, principal, named)?;
    if let Some(group) = query.community
        && (group.branch != branch || !reach::community(backend, principal, group))
    {
        return Err(Problem::not_found());
    }
    let catalog = backend.catalog(branch).ok_or_else(Problem::unavailable)?;
    let own = reach::own_community(backend, principal);
    let within = |round: &RoundView| {
        reach::find_run(&catalog, round.run).is_some_and(|run| {
            reach::takes_part(principal, &catalog, run, own)
                && query.community.is_none_or(|group| run.communities.binary_search(&group).is_ok())
        })
    };
    let rounds = catalog
        .rounds
        .iter()
        .filter(|round| (query.closed || !round.closed) && within(round))
        .map(Summary::from)
        .collect();
    Ok(Reply::ok(List { rounds }))
}
