//! `GET /v1/events`: a stream of what happens, by server-sent events.
//!
//! The id of an event is its number in the outbox. A reader that comes back with `Last-Event-ID`
//! first gets what it missed, from the store, then what happens. A reader that falls behind is
//! told to `resync`: to read again whatever it shows.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Frame, Sse};
use axum::response::{IntoResponse as _, Response};
use dengmi_core::course::{CohortStage, CourseEvent, PlacedBy, PupilStage};
use dengmi_core::view::{Event, EventKind};
use dengmi_core::{BranchId, CohortId, CommunityId, MemberId, PostId, RoundId, RunId};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};

use crate::app::{App, OpenStream, stopped};
use crate::backend::Backend;
use crate::board_key::BoardName;
use crate::extract::{Admitted, Asked, Call};
use crate::principal::{Principal, Role};
use crate::problem::Problem;
use crate::reach;
use crate::wire::{At, BranchName};

/// Events read from the store at once.
const PAGE: usize = 256;

/// Whose.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// The branch; needed where an operator reaches several.
    #[param(value_type = Option<String>, example = "b1")]
    branch: Option<BranchName>,
}

/// The data of one event.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct Told {
    /// When it happened.
    at: At,
    /// The group it concerns; missing for the whole branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    community: Option<CommunityId>,
    /// What happened; the same as the event's name.
    #[serde(flatten)]
    what: What,
}

/// What happened.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[schema(as = EventType)]
enum What {
    /// New content is current.
    ContentAdopted {
        /// Digest of the pack.
        digest: String,
    },
    /// A group was opened.
    CommunityOpened {
        /// The group.
        #[schema(value_type = String)]
        opened: CommunityId,
    },
    /// A run was launched.
    RunLaunched {
        /// The run.
        #[schema(value_type = String)]
        run: RunId,
    },
    /// A run is over.
    RunEnded {
        /// The run.
        #[schema(value_type = String)]
        run: RunId,
    },
    /// A round opened.
    RoundOpened {
        /// The round.
        #[schema(value_type = String)]
        round: RoundId,
    },
    /// A round closed and is graded.
    RoundClosed {
        /// The round.
        #[schema(value_type = String)]
        round: RoundId,
    },
    /// A key was corrected and a round graded again.
    RoundRegraded {
        /// The round.
        #[schema(value_type = String)]
        round: RoundId,
    },
    /// A post went up.
    PostPublished {
        /// The post.
        #[schema(value_type = String)]
        post: PostId,
    },
    /// The challenge under a post is over.
    PostClosed {
        /// The post.
        #[schema(value_type = String)]
        post: PostId,
    },
    /// A standing was closed for good.
    BoardClosed {
        /// The standing's name.
        board: String,
        /// Digest of key, policy and rows.
        digest: String,
    },
    /// A rule met its budget or a cap for the first time; operators only.
    LimitReached {
        /// The run.
        #[schema(value_type = String)]
        run: RunId,
        /// The rule's id.
        rule: String,
    },
    /// A cohort went into a stage.
    CohortStage {
        /// The cohort.
        #[schema(value_type = String)]
        cohort: CohortId,
        /// The stage.
        #[schema(value_type = String)]
        stage: CohortStage,
    },
    /// One message of a lesson is to be sent to the group. Whoever delivers messages goes on after
    /// the last event it saw.
    LessonMessage {
        /// The cohort.
        #[schema(value_type = String)]
        cohort: CohortId,
        /// Day of the course.
        day: u8,
        /// Position of the message in the lesson, from 0.
        block: u8,
    },
    /// A running course goes on with other content.
    CohortAmended {
        /// The cohort.
        #[schema(value_type = String)]
        cohort: CohortId,
        /// First day that changed.
        from_day: u8,
        /// The content from then on.
        digest: String,
    },
    /// Somebody came into a stage of a course; operators, and the member.
    CohortMember {
        /// The cohort.
        #[schema(value_type = String)]
        cohort: CohortId,
        /// Who.
        #[schema(value_type = String)]
        member: MemberId,
        /// The stage.
        #[schema(value_type = String)]
        stage: PupilStage,
    },
    /// A graduate was invited to a long-term group; operators, and the member.
    GraduateInvited {
        /// The cohort.
        #[schema(value_type = String)]
        cohort: CohortId,
        /// Who.
        #[schema(value_type = String)]
        member: MemberId,
        /// Where to.
        #[schema(value_type = String)]
        to: CommunityId,
        /// Until when.
        until: At,
        /// Why there.
        #[schema(value_type = String)]
        by: PlacedBy,
    },
    /// How many of those who arrived were still active; operators only.
    RetentionCounted {
        /// The cohort.
        #[schema(value_type = String)]
        cohort: CohortId,
        /// Days after the placing.
        days: u8,
        /// Who arrived.
        arrived: u32,
        /// Who of them earned a point within the seven days before.
        active: u32,
    },
    /// Prices of a day of a course's mock market were made.
    MarketPriced {
        /// The cohort.
        #[schema(value_type = String)]
        cohort: CohortId,
        /// Day of the course.
        day: u8,
        /// The last market day of it.
        market_day: i32,
    },
}

impl From<&EventKind> for What {
    fn from(kind: &EventKind) -> Self {
        match kind {
            EventKind::ContentAdopted(digest) => {
                Self::ContentAdopted { digest: digest.to_string() }
            }
            EventKind::CommunityOpened(opened) => Self::CommunityOpened { opened: *opened },
            EventKind::RunLaunched(run) => Self::RunLaunched { run: *run },
            EventKind::RunEnded(run) => Self::RunEnded { run: *run },
            EventKind::RoundOpened(round) => Self::RoundOpened { round: *round },
            EventKind::RoundClosed(round) => Self::RoundClosed { round: *round },
            EventKind::RoundRegraded(round) => Self::RoundRegraded { round: *round },
            EventKind::PostPublished(post) => Self::PostPublished { post: *post },
            EventKind::PostClosed(post) => Self::PostClosed { post: *post },
            EventKind::BoardClosed(key, digest) => {
                Self::BoardClosed { board: BoardName(*key).to_string(), digest: digest.to_string() }
            }
            EventKind::LimitReached { run, rule } => {
                Self::LimitReached { run: *run, rule: rule.to_string() }
            }
            EventKind::Course(event) => Self::from(event),
        }
    }
}

impl From<&CourseEvent> for What {
    fn from(event: &CourseEvent) -> Self {
        match *event {
            CourseEvent::Stage(cohort, stage) => Self::CohortStage { cohort, stage },
            CourseEvent::Message { cohort, day, block } => {
                Self::LessonMessage { cohort, day, block }
            }
            CourseEvent::Amended { cohort, from_day, digest } => {
                Self::CohortAmended { cohort, from_day, digest: digest.to_string() }
            }
            CourseEvent::Pupil { cohort, member, stage } => {
                Self::CohortMember { cohort, member, stage }
            }
            CourseEvent::Invited { cohort, member, to, until, by } => {
                Self::GraduateInvited { cohort, member, to, until: At(until), by }
            }
            CourseEvent::Retained { cohort, days, arrived, active } => {
                Self::RetentionCounted { cohort, days, arrived, active }
            }
            CourseEvent::Priced { cohort, day, market_day } => {
                Self::MarketPriced { cohort, day, market_day }
            }
        }
    }
}

/// Whom an event is meant for among members.
fn meant_for(kind: &EventKind, member: MemberId) -> bool {
    match kind {
        EventKind::LimitReached { .. } | EventKind::Course(CourseEvent::Retained { .. }) => false,
        EventKind::Course(
            CourseEvent::Pupil { member: who, .. } | CourseEvent::Invited { member: who, .. },
        ) => *who == member,
        _ => true,
    }
}

impl What {
    const fn name(&self) -> &'static str {
        match self {
            Self::ContentAdopted { .. } => "content-adopted",
            Self::CommunityOpened { .. } => "community-opened",
            Self::RunLaunched { .. } => "run-launched",
            Self::RunEnded { .. } => "run-ended",
            Self::RoundOpened { .. } => "round-opened",
            Self::RoundClosed { .. } => "round-closed",
            Self::RoundRegraded { .. } => "round-regraded",
            Self::PostPublished { .. } => "post-published",
            Self::PostClosed { .. } => "post-closed",
            Self::BoardClosed { .. } => "board-closed",
            Self::LimitReached { .. } => "limit-reached",
            Self::CohortStage { .. } => "cohort-stage",
            Self::LessonMessage { .. } => "lesson-message",
            Self::CohortAmended { .. } => "cohort-amended",
            Self::CohortMember { .. } => "cohort-member",
            Self::GraduateInvited { .. } => "graduate-invited",
            Self::RetentionCounted { .. } => "retention-counted",
            Self::MarketPriced { .. } => "market-priced",
        }
    }
}

#[utoipa::path(
    get, path = "/v1/events", operation_id = "streamEvents", tag = "events",
    summary = "Stream events",
    description = "Server-sent events. `id` is the number in the outbox: send the last one as \
                   `Last-Event-ID` to get what was missed. On `resync`, read again what you show. \
                   Members get events of their group and of the whole branch.",
    params(
        Query,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last event that arrived"),
    ),
    responses(
        (status = 200, description = "The stream.", body = Told, content_type = "text/event-stream"),
        (status = 429, description = "Too many open streams.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Asked(query): Asked<Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let principal = call.principal()?;
    let branch = reach::asked_branch(&*app.backend, principal, query.branch.map(|name| name.0))?;
    let last = match headers.get("last-event-id") {
        None => None,
        Some(value) => {
            let number = value.to_str().ok().and_then(|text| text.parse().ok());
            Some(number.ok_or_else(|| {
                Problem::bad_request("`Last-Event-ID` is the `id` of an event, a number")
            })?)
        }
    };
    let open = app
        .streams
        .open(principal.number(), app.limits.streams_per_principal)
        .ok_or_else(|| Problem::too_many(5))?;
    // Subscribed before the store is read: nothing falls between the two.
    let live = app.backend.subscribe(branch).ok_or_else(Problem::unavailable)?;
    let mut heartbeat = tokio::time::interval(app.limits.heartbeat);
    heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let feed = Feed {
        stopping: app.stopping.clone(),
        call: call.0,
        branch,
        live,
        last: last.unwrap_or(0),
        catching_up: last.is_some(),
        queue: VecDeque::new(),
        pending: None,
        heartbeat,
        greeted: false,
        app,
        _open: open,
    };
    let frames = stream::unfold(feed, |mut feed| async move {
        let frame = feed.next().await?;
        Some((Ok::<_, Infallible>(frame), feed))
    });
    let mut response = Sse::new(frames).into_response();
    // Tells proxies of the nginx family not to hold frames back.
    response
        .headers_mut()
        .insert("x-accel-buffering", "no".parse().map_err(|_| Problem::internal())?);
    Ok(response)
}

/// One reader.
struct Feed<B> {
    app: App<B>,
    call: Arc<Call>,
    branch: BranchId,
    live: broadcast::Receiver<Arc<Event>>,
    /// Number of the last event dealt with; 0 while unknown.
    last: u64,
    /// Whether the store is to be read before listening on.
    catching_up: bool,
    queue: VecDeque<Event>,
    /// The live event that showed a gap; it comes after what the store has.
    pending: Option<Arc<Event>>,
    heartbeat: tokio::time::Interval,
    greeted: bool,
    stopping: watch::Receiver<bool>,
    _open: OpenStream,
}

/// What a feed waits for.
enum Woken {
    Live(Result<Arc<Event>, RecvError>),
    Heartbeat,
    Stopping,
}

impl<B: Backend> Feed<B> {
    /// The next frame; `None` ends the stream.
    async fn next(&mut self) -> Option<Frame> {
        if !self.greeted {
            self.greeted = true;
            return Some(Frame::default().retry(std::time::Duration::from_secs(3)));
        }
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            while let Some(event) = self.queue.pop_front() {
                if event.seq > self.last {
                    self.last = event.seq;
                    if self.may_see(&event) {
                        return frame(&event);
                    }
                }
            }
            if self.catching_up {
                if self.catch_up().await? {
                    continue;
                }
                return Some(self.resync());
            }
            if let Some(event) = self.pending.take() {
                self.queue.push_back(Event::clone(&event));
                continue;
            }
            let woken = tokio::select! {
                event = self.live.recv() => Woken::Live(event),
                _ = self.heartbeat.tick() => Woken::Heartbeat,
                () = stopped(&mut self.stopping) => Woken::Stopping,
            };
            match woken {
                Woken::Live(Ok(event)) => {
                    if self.last > 0 && event.seq > self.last + 1 {
                        self.catching_up = true;
                        self.pending = Some(event);
                    } else {
                        self.queue.push_back(Event::clone(&event));
                    }
                }
                Woken::Live(Err(RecvError::Lagged(_))) => return Some(self.resync()),
                Woken::Live(Err(RecvError::Closed)) | Woken::Stopping => return None,
                Woken::Heartbeat => {
                    // A session that ended ends its streams.
                    let token = self.call.token.as_deref()?;
                    self.app.backend.find_session(token).await.ok()??;
                    return Some(Frame::default().comment("heartbeat"));
                }
            }
        }
    }

    /// Reads one page from the store; false where the store no longer reaches back that far.
    async fn catch_up(&mut self) -> Option<bool> {
        // Where the storage does not answer the stream ends; the reader comes back by itself.
        let page = self.app.backend.events_after(self.branch, self.last, PAGE).await.ok()?;
        let Some(events) = page else {
            self.catching_up = false;
            return Some(false);
        };
        self.catching_up = events.len() >= PAGE;
        self.queue.extend(events);
        Some(true)
    }

    fn resync(&mut self) -> Frame {
        self.last = 0;
        Frame::default().event("resync").data(r#"{"type":"resync"}"#)
    }

    fn may_see(&self, event: &Event) -> bool {
        let backend = &*self.app.backend;
        match self.call.principal.as_ref() {
            Some(principal @ Principal::Member { member, .. }) => {
                let own = reach::own_community(backend, principal);
                meant_for(&event.kind, *member)
                    && (event.community.is_none() || event.community == own)
            }
            Some(principal @ Principal::Operator { role: Role::Manager, .. }) => event
                .community
                .is_none_or(|community| reach::community(backend, principal, community)),
            Some(Principal::Operator { .. }) => true,
            None => false,
        }
    }
}

fn frame(event: &Event) -> Option<Frame> {
    let what = What::from(&event.kind);
    let frame = Frame::default().id(event.seq.to_string()).event(what.name());
    let told = Told { at: At(event.at), community: event.community, what };
    // Ids, numbers and plain strings always serialise.
    frame.json_data(&told).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_type() {
        let run = RunId::new(BranchId(1), 1);
        for what in [
            What::RunLaunched { run },
            What::LimitReached { run, rule: "r".to_owned() },
            What::ContentAdopted { digest: String::new() },
        ] {
            let json = serde_json::to_string(&what).unwrap();
            assert!(json.starts_with(&format!("{{\"type\":\"{}\"", what.name())), "{json}");
        }
    }
}
