//! `GET /v1/cohorts/{id}/me`: what a member has of a course, and what there is to do. Only their
//! own: no other endpoint tells a member's course to anybody.

use axum::extract::State;
use dengmi_core::course::{Occasion, PlacedBy, PupilStage};
use dengmi_core::{CohortId, CommunityId};
use serde::Serialize;
use utoipa::ToSchema;

use super::put_wish::Wish;
use crate::app::App;
use crate::backend::Backend;
use crate::cohort::{Own, destinations};
use crate::extract::{Admitted, Param};
use crate::item::Item;
use crate::mock::{Level, today};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::At;

/// A member's course, as they see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pupil {
    /// The cohort.
    #[schema(value_type = String, example = "k1-2")]
    cohort: CohortId,
    /// Where they are.
    #[schema(value_type = String, example = "enrolled")]
    stage: PupilStage,
    /// Since when.
    since: At,
    /// Days whose lesson is finished.
    lessons: Vec<u8>,
    /// Of these, those whose number was computed as it should be.
    computed: Vec<u8>,
    /// Days whose quiz was answered in full.
    quizzes: Vec<u8>,
    /// Days whose mock task was done.
    tasks: Vec<u8>,
    /// The risk level that was found last.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    /// Concepts of the course.
    concepts: Concepts,
    /// Items to review today, most nearly forgotten first.
    review: Vec<Item>,
    /// What is asked before and after the course.
    paired: Paired,
    /// The wish for the time after.
    wish: Option<Wish>,
    /// Groups that may be wished for.
    destinations: Vec<Destination>,
    /// The invitation that stands, or stood last.
    invitation: Option<Invitation>,
}

/// Concepts of a course.
#[derive(Serialize, ToSchema)]
struct Concepts {
    /// Those the member has mastered.
    mastered: u16,
    /// Those taught so far.
    taught: u16,
}

/// What is asked before and after the course.
#[derive(Serialize, ToSchema)]
#[schema(as = PairedItems)]
struct Paired {
    /// Items of each half.
    of: u16,
    /// Answered of those before.
    before: u16,
    /// Answered of those after.
    after: u16,
    /// Which half can be answered now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "before")]
    occasion: Option<Occasion>,
    /// The items of it that are left.
    items: Vec<Item>,
}

/// A group that may be wished for.
#[derive(Serialize, ToSchema)]
struct Destination {
    /// The group.
    #[schema(value_type = String, example = "c1-7")]
    community: CommunityId,
    /// Its name.
    title: String,
}

/// An invitation to a long-term group.
#[derive(Serialize, ToSchema)]
#[schema(as = GraduateInvitation)]
struct Invitation {
    /// Where to.
    #[schema(value_type = String, example = "c1-7")]
    to: CommunityId,
    /// Its name.
    title: String,
    /// Until when.
    until: At,
    /// Why there.
    #[schema(value_type = String, example = "wish")]
    by: PlacedBy,
}

/// Days whose bits are set, from 1.
fn days(bits: u16) -> Vec<u8> {
    (0..16).filter(|bit| bits >> bit & 1 == 1).map(|bit| bit + 1).collect()
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/me", operation_id = "getPupil", tag = "courses",
    summary = "Read my course",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "The member's course.", body = Pupil),
        (status = 409, description = "The member takes no part in it.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Pupil> {
    let backend = &*app.backend;
    let (own, mine) = Own::find(backend, &call, id)?;
    let view = own.cohort();
    let items = |items: &[u16]| -> Result<Vec<Item>, Problem> {
        let shown = |item: &u16| Item::new(backend, view, own.member, *item, call.language);
        items.iter().map(shown).collect()
    };
    let places = destinations(backend, &own.catalog, view, call.language);
    let invitation = mine.invitation.map(|(to, until, by)| {
        let name = places.iter().find(|(group, _)| *group == to);
        let title = name.map_or_else(|| to.to_string(), |(_, title)| title.clone());
        Invitation { to, title, until: At(until), by }
    });
    let (occasion, asked) = mine.asked.clone().unzip();
    Ok(Reply::ok(Pupil {
        cohort: id,
        stage: mine.stage,
        since: At(mine.since),
        lessons: days(mine.lessons),
        computed: days(mine.computed),
        quizzes: days(mine.quizzes),
        tasks: days(mine.mock.tasks),
        level: mine.level.map(|found| Level::of(found, today(backend, &own.catalog, view))),
        concepts: Concepts { mastered: mine.mastered.0, taught: mine.mastered.1 },
        review: items(&mine.review)?,
        paired: Paired {
            of: mine.paired.2,
            before: mine.paired.0,
            after: mine.paired.1,
            occasion,
            items: items(&asked.unwrap_or_default())?,
        },
        wish: mine.wish.map(Wish::from),
        destinations: places
            .into_iter()
            .map(|(community, title)| Destination { community, title })
            .collect(),
        invitation,
    }))
}

#[cfg(test)]
mod tests {
    use super::days;

    #[test]
    fn bits_are_days_from_one() {
        assert_eq!(days(0), Vec::<u8>::new());
        assert_eq!(days(0b10_0000_0000_0101), [1, 3, 14]);
    }
}
