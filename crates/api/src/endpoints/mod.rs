//! The endpoints, one file each: query, body, wire structs, handler. Tests of all of them are in
//! `tests/`, where the whole interface is asked as callers ask it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use utoipa::OpenApi;
use utoipa::openapi::HttpMethod;

use crate::app::App;
use crate::backend::Backend;
use crate::guard::{Answering, Endpoint, Route, guard};
use crate::rights;

mod amend_cohort;
mod answer_assessment;
mod answer_invitation;
mod answer_items;
mod arrive;
mod cancel_order;
mod check_in;
mod confirm_level;
mod create_answers;
mod create_community;
mod create_correction;
mod create_invite;
mod create_manager;
mod create_operator_session;
mod create_order;
mod create_session;
mod delete_session;
mod dissolve_cohort;
mod enrol;
mod erase_member;
mod events;
mod finish_lesson;
mod get_assessment;
pub(crate) mod get_board;
mod get_cohort;
mod get_community;
mod get_content;
mod get_exit;
mod get_graduation;
mod get_journal;
mod get_lesson;
mod get_market;
mod get_me;
mod get_plan;
mod get_portfolio;
mod get_prices;
mod get_pupil;
pub(crate) mod get_round;
mod get_run;
mod get_score;
mod get_standing;
mod grant_time;
mod health;
mod launch_run;
mod leave;
mod list_cohorts;
mod list_communities;
mod list_courses;
mod list_news;
mod list_orders;
mod list_points;
mod list_posts;
mod list_quests;
mod list_rounds;
mod make_up;
mod move_member;
mod publish_post;
mod put_board_visibility;
mod put_consent;
mod put_nickname;
mod put_plan;
mod put_tag;
mod put_wish;
mod react;
mod read_sheet;
mod redeem;
mod reinvite;
mod repair_streak;
mod report_fraud;
mod reverse_entry;
mod start_cohort;
mod stop_run;
mod withdraw;
mod write_debrief;
mod write_note;

use health::{livez, metrics, readyz};

/// The one list of endpoints: from it come the router and the description.
macro_rules! endpoints {
    ($($module:ident,)*) => {
        /// The routes of every endpoint, each behind the guard.
        pub(crate) fn routes<B: Backend>(app: &App<B>) -> Router<App<B>> {
            let router = Router::new();
            $(let router = add::<B, $module::__path_handler, _, _>(
                router, app, $module::handler::<B>,
            );)*
            router
        }

        /// Paths and schemas of every endpoint.
        #[derive(OpenApi)]
        #[openapi(paths($($module::handler),*))]
        pub(crate) struct Described;
    };
}

endpoints! {
    create_invite,
    create_session,
    delete_session,
    create_operator_session,
    get_me,
    put_nickname,
    put_consent,
    list_communities,
    get_community,
    create_community,
    create_manager,
    list_quests,
    get_run,
    launch_run,
    stop_run,
    list_rounds,
    get_round,
    create_answers,
    create_correction,
    grant_time,
    check_in,
    make_up,
    repair_streak,
    publish_post,
    list_posts,
    react,
    list_courses,
    list_cohorts,
    get_cohort,
    start_cohort,
    amend_cohort,
    dissolve_cohort,
    enrol,
    withdraw,
    get_lesson,
    finish_lesson,
    get_pupil,
    answer_items,
    put_wish,
    answer_invitation,
    reinvite,
    arrive,
    get_graduation,
    get_assessment,
    answer_assessment,
    confirm_level,
    get_market,
    get_prices,
    list_news,
    report_fraud,
    read_sheet,
    get_plan,
    put_plan,
    get_journal,
    write_note,
    write_debrief,
    list_orders,
    create_order,
    cancel_order,
    get_portfolio,
    get_score,
    get_exit,
    get_standing,
    get_board,
    list_points,
    redeem,
    reverse_entry,
    move_member,
    leave,
    put_tag,
    put_board_visibility,
    erase_member,
    get_content,
    events,
    livez,
    readyz,
    metrics,
}

/// Adds a handler at the path its description names, behind the guard with its row of rights.
fn add<B, P, H, T>(router: Router<App<B>>, app: &App<B>, handler: H) -> Router<App<B>>
where
    B: Backend,
    P: utoipa::Path,
    H: Handler<T, App<B>, Future = Answering>,
    T: 'static,
{
    let endpoint: Endpoint<B> = Arc::new(move |request, app| handler.clone().call(request, app));
    add_guarded(router, app, &P::path(), P::methods(), &endpoint)
}

/// The part of [`add`] that is the same for every handler, and compiled once.
fn add_guarded<B: Backend>(
    router: Router<App<B>>,
    app: &App<B>,
    path: &str,
    methods: Vec<HttpMethod>,
    endpoint: &Endpoint<B>,
) -> Router<App<B>> {
    methods.into_iter().fold(router, |router, method| {
        let (name, filter) = match method {
            HttpMethod::Get => ("GET", MethodFilter::GET),
            HttpMethod::Post => ("POST", MethodFilter::POST),
            HttpMethod::Put => ("PUT", MethodFilter::PUT),
            HttpMethod::Delete => ("DELETE", MethodFilter::DELETE),
            // No endpoint has another method; one that did would be open to nobody.
            _ => ("", MethodFilter::TRACE),
        };
        let info = rights::find(name, path).unwrap_or(&rights::NOBODY);
        let route = Arc::new(Route::new(info));
        let (app, endpoint) = (app.clone(), endpoint.clone());
        let guarded: MethodRouter<App<B>> =
            on(filter, move |request: Request| guard(app, route, request, endpoint));
        router.route(path, guarded)
    })
}
