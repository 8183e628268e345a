//! `POST /v1/posts/{id}/reactions`: a like or a comment, entered by the member or reported by an
//! operator or a channel.

use axum::extract::State;
use dengmi_core::command::{Person, Reaction};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Action, ManagerId, MemberId, PostId, Receipt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::subject;
use crate::submit::submit;
use crate::wire::At;

/// What was done under the post.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReactionInput)]
pub(crate) struct Body {
    /// What was done.
    reaction: Kind,
    /// Text of a comment. It is compared and forgotten, never stored.
    text: Option<String>,
    /// The member who did it; operators only.
    #[schema(value_type = Option<String>, example = "m1-42")]
    member: Option<MemberId>,
    /// The colleague who did it; operators only. Counted by nobody.
    #[schema(value_type = Option<String>, example = "g1-5")]
    staff: Option<ManagerId>,
    /// When it happened, if reported late; operators only.
    occurred: Option<At>,
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Reaction)]
enum Kind {
    /// A like.
    Like,
    /// A like taken back.
    Unlike,
    /// A comment.
    Comment,
    /// The comment was deleted.
    Uncomment,
}

/// Whether it counted. It says the same for right and wrong comments.
#[derive(Serialize, ToSchema)]
#[schema(as = ReactionReceipt)]
pub(crate) struct Counted {
    /// False where the same reaction was already known.
    counted: bool,
}

#[utoipa::path(
    post, path = "/v1/posts/{id}/reactions", operation_id = "react", tag = "posts",
    summary = "React to a post",
    params(("id" = String, Path, example = "p1-8")),
    request_body = Body,
    responses((status = 200, description = "Taken.", body = Counted)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(post): Param<PostId>,
    Input(body): Input<Body>,
) -> Answer<Counted> {
    subject::operators_only(&call, body.staff.is_some(), "staff")?;
    subject::operators_only(&call, body.occurred.is_some(), "occurred")?;
    let person = match (body.staff, body.member) {
        (Some(_), Some(_)) => {
            return Err(Problem::unprocessable("name one of `member` and `staff`, not both"));
        }
        (Some(staff), None) if staff.branch != post.branch => return Err(Problem::not_found()),
        (Some(staff), None) => Person::Staff(staff),
        (None, member) => Person::Member(subject::member(&app, &call, member)?),
    };
    if body.text.is_some() && body.reaction != Kind::Comment {
        return Err(Problem::unprocessable("only a comment has a `text`"));
    }
    let reaction = match body.reaction {
        Kind::Like => Reaction::Like,
        Kind::Unlike => Reaction::Unlike,
        Kind::Comment => Reaction::Comment(body.text.map(|text| FoldedHash::of(&text))),
        Kind::Uncomment => Reaction::Uncomment,
    };
    let occurred = body.occurred.map(|at| at.0);
    let action = Action::React { post, person, reaction, occurred };
    let done = submit(&app, &call, post.branch, action).await?;
    match done.receipt {
        Receipt::Reacted { counted } => Ok(Reply::ok(Counted { counted }).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
