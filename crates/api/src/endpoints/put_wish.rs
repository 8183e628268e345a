//! `PUT /v1/cohorts/{id}/wish`: what a member wishes for the time after the course.

use axum::extract::State;
use dengmi_core::course::{CourseAction, StayWish};
use dengmi_core::{Action, CohortId, CommunityId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::cohort::destinations;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// A wish for the time after the course.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StayWish)]
pub(crate) enum Wish {
    /// No more messages after the course.
    Leave,
    /// Any fitting group.
    Anywhere,
    /// This group, if it has room; one of the `destinations` of `/me`.
    #[schema(value_type = String, example = "c1-7")]
    Group(CommunityId),
}

impl From<StayWish> for Wish {
    fn from(wish: StayWish) -> Self {
        match wish {
            StayWish::Leave => Self::Leave,
            StayWish::Anywhere => Self::Anywhere,
            StayWish::Group(group) => Self::Group(group),
        }
    }
}

impl From<Wish> for StayWish {
    fn from(wish: Wish) -> Self {
        match wish {
            Wish::Leave => Self::Leave,
            Wish::Anywhere => Self::Anywhere,
            Wish::Group(group) => Self::Group(group),
        }
    }
}

/// The wish.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WishInput)]
pub(crate) struct Body {
    /// The wish.
    wish: Wish,
}

#[utoipa::path(
    put, path = "/v1/cohorts/{id}/wish", operation_id = "putWish", tag = "courses",
    summary = "Wish for a group after the course",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses((status = 204, description = "Noted.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(Body { wish }): Input<Body>,
) -> Answer<()> {
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    if let Wish::Group(group) = wish {
        // Of other groups a member does not learn whether they exist.
        let catalog = app.backend.catalog(cohort.branch).ok_or_else(Problem::not_found)?;
        let view = reach::find_cohort(&catalog, cohort).ok_or_else(Problem::not_found)?;
        let offered = destinations(&*app.backend, &catalog, view, call.language);
        if offered.iter().all(|(offered, _)| *offered != group) {
            return Err(Problem::not_found());
        }
    }
    let action = CourseAction::Wish { member, cohort, wish: wish.into() };
    let done = submit(&app, &call, cohort.branch, Action::Course(action)).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
