//! `GET /v1/posts`: Moments posts within reach.

use axum::extract::State;
use dengmi_core::view::PostView;
use dengmi_core::{ManagerId, PostId, RunId};
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
    /// The branch; needed where an operator reaches several.
    #[param(value_type = Option<String>, example = "b1")]
    branch: Option<BranchName>,
    /// Only posts of this run.
    #[param(value_type = Option<String>, example = "r1-9")]
    run: Option<RunId>,
}

/// Posts.
#[derive(Serialize, ToSchema)]
#[schema(as = Posts)]
pub(crate) struct List {
    /// In id order.
    posts: Vec<Post>,
}

/// A Moments post.
#[derive(Serialize, ToSchema)]
pub(crate) struct Post {
    /// Its id.
    #[schema(value_type = String, example = "p1-8")]
    id: PostId,
    /// Its run.
    #[schema(value_type = String, example = "r1-9")]
    run: RunId,
    /// Whose it is.
    #[schema(value_type = String, example = "g1-5")]
    manager: ManagerId,
    /// When it went up.
    at: At,
    /// When the challenge under it ends.
    closes: At,
    /// Members who like it now.
    likes: u32,
    /// Members whose comment stands now.
    comments: u32,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The question to answer in a comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<String>,
}

#[utoipa::path(
    get, path = "/v1/posts", operation_id = "listPosts", tag = "posts",
    summary = "List Moments posts",
    params(Query),
    responses((status = 200, description = "Posts within reach.", body = List)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Asked(query): Asked<Query>,
) -> Answer<List> {
    let backend = &*app.backend;
    let principal = call.principal()?;
    let named = query.branch.map(|name| name.0).or(query.run.map(|run| run.branch));
    let branch = reach::asked_branch(backend, principal, named)?;
    let catalog = backend.catalog(branch).ok_or_else(Problem::unavailable)?;
    let own = reach::own_community(backend, principal);
    let wire = |view: &PostView| {
        let run = reach::find_run(&catalog, view.run)?;
        if !reach::takes_part(principal, &catalog, run, own) {
            return None;
        }
        let quest = backend.quest(run.content, &run.quest, call.language);
        let (text, question) = quest.map_or((None, None), |quest| {
            let question = quest.question.and_then(|id| {
                backend.question(run.content, &id, call.language).map(|question| question.stem)
            });
            (quest.prompt, question)
        });
        let &PostView { id, run, manager, likes, comments, at, closes } = view;
        let (at, closes) = (At(at), At(closes));
        Some(Post { id, run, manager, at, closes, likes, comments, text, question })
    };
    let posts = catalog
        .posts
        .iter()
        .filter(|post| query.run.is_none_or(|run| post.run == run))
        .filter_map(wire)
        .collect();
    Ok(Reply::ok(List { posts }))
}
