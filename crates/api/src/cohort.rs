//! A cohort on the wire, and what its endpoints look up.

use std::sync::Arc;

use dengmi_core::course::{CohortStage, CohortView, PupilStage, PupilView};
use dengmi_core::view::Catalog;
use dengmi_core::{CohortId, CommunityId, Day, Digest, MemberId, Ppm, Reject, RunId, Slug};
use serde::Serialize;
use utoipa::ToSchema;

use crate::backend::{Backend, CourseText, Language, QuestionText};
use crate::extract::Call;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::reach;
use crate::wire::{At, Notice, notices};

/// A started course.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cohort {
    /// Its id.
    #[schema(value_type = String, example = "k1-2")]
    id: CohortId,
    /// Its course.
    #[schema(value_type = String, example = "basics-7")]
    course: Slug,
    /// Its name.
    title: String,
    /// What it is and what it asks for.
    summary: String,
    /// Where it is in its life.
    #[schema(value_type = String, example = "running")]
    stage: CohortStage,
    /// The stages it came into, in order.
    stages: Vec<Since>,
    /// Groups it lives in; of these, those within reach.
    #[schema(value_type = Vec<String>, example = json!(["c1-3"]))]
    communities: Vec<CommunityId>,
    /// Day 1.
    #[schema(value_type = String, format = Date)]
    first: Day,
    /// Last day.
    #[schema(value_type = String, format = Date)]
    last: Day,
    /// Time of day at which lessons are sent.
    #[schema(example = "08:30")]
    lesson_at: Option<String>,
    /// Lessons sent so far, day 1 first.
    lessons: Vec<String>,
    /// The run of the quiz of the day.
    #[schema(value_type = String, example = "r1-9")]
    run: RunId,
    /// Binds the mock market's secret: told before anybody enrols.
    #[schema(value_type = String)]
    commitment: Digest,
    /// The market's secret, once nothing depends on it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    secret: Option<Digest>,
    /// Notices that go with it.
    notices: Vec<Notice>,
    /// How it goes; operators who reach every group of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
}

/// When a cohort came into a stage.
#[derive(Serialize, ToSchema)]
#[schema(as = CohortSince)]
struct Since {
    /// The stage.
    #[schema(value_type = String, example = "enrolling")]
    stage: CohortStage,
    /// When.
    at: At,
}

/// How a cohort goes.
#[derive(Serialize, ToSchema)]
#[schema(as = CohortProgress)]
struct Progress {
    /// How many members are in each stage.
    members: Vec<Count>,
    /// The content in force from each day on.
    content: Vec<InForce>,
    /// What was known before and after, by those who answered every paired item.
    #[serde(skip_serializing_if = "Option::is_none")]
    gain: Option<Gained>,
    /// Share of those who arrived in a long-term group and were active afterwards, once counted.
    retention: Retention,
}

/// Members in a stage.
#[derive(Serialize, ToSchema)]
#[schema(as = PupilCount)]
struct Count {
    /// The stage.
    #[schema(value_type = String, example = "enrolled")]
    stage: PupilStage,
    /// How many.
    count: u32,
}

/// Content from a day on.
#[derive(Serialize, ToSchema)]
#[schema(as = ContentInForce)]
struct InForce {
    /// First day of the course on which it holds.
    from_day: u8,
    /// The content.
    #[schema(value_type = String)]
    digest: Digest,
}

/// What a cohort knew before and after, in parts per million.
#[derive(Serialize, ToSchema)]
#[schema(as = CohortGain)]
struct Gained {
    /// Members who answered both halves.
    members: u32,
    /// Share of answers that counted before the course.
    before_ppm: u32,
    /// The same after it.
    after_ppm: u32,
    /// Share of what could be gained that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    normalised_ppm: Option<u32>,
}

/// Who was still active, in parts per million of those who arrived.
#[derive(Serialize, ToSchema)]
#[schema(as = CohortRetention)]
struct Retention {
    /// Seven days after the placing.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_7_days_ppm: Option<u32>,
    /// Thirty days after.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_30_days_ppm: Option<u32>,
}

impl Cohort {
    pub(crate) fn new<B: Backend>(
        backend: &B,
        principal: &Principal,
        catalog: &Catalog,
        view: &CohortView,
        language: Language,
    ) -> Self {
        let text = text(backend, view, language);
        let own = reach::own_community(backend, principal);
        let communities = view.communities.iter().copied();
        let communities =
            communities.filter(|id| principal.reaches_community(catalog, *id, own)).collect();
        let stages = CohortStage::ALL.into_iter().zip(view.since);
        let stages = stages.filter_map(|(stage, at)| Some(Since { stage, at: At(at?) })).collect();
        let mut cohort = Self {
            id: view.id,
            course: view.course.clone(),
            // The file may be gone from newer content; the cohort is not.
            title: view.course.to_string(),
            summary: String::new(),
            stage: view.stage,
            stages,
            communities,
            first: view.first,
            last: view.last,
            lesson_at: None,
            lessons: Vec::new(),
            run: view.run,
            commitment: view.commitment,
            secret: view.secret,
            notices: Vec::new(),
            progress: reach::reaches_whole(principal, catalog, view).then(|| Progress::of(view)),
        };
        if let Some(text) = text {
            cohort.title = text.title;
            cohort.summary = text.summary;
            cohort.lesson_at = Some(text.lesson_at.to_string());
            cohort.lessons = text.lessons.into_iter().take(view.sent.into()).collect();
            cohort.notices = notices(text.notices);
        }
        cohort
    }
}

impl Progress {
    fn of(view: &CohortView) -> Self {
        let ppm = |share: Option<Ppm>| share.map(|share| share.0);
        let counts = PupilStage::ALL.into_iter().zip(view.pupils);
        let content = view.content.iter();
        Self {
            members: counts.map(|(stage, count)| Count { stage, count }).collect(),
            content: content.map(|&(from_day, digest)| InForce { from_day, digest }).collect(),
            gain: view.gain.map(|gain| Gained {
                members: gain.members,
                before_ppm: gain.before.0,
                after_ppm: gain.after.0,
                normalised_ppm: ppm(gain.normalised),
            }),
            retention: Retention {
                after_7_days_ppm: ppm(view.retained[0]),
                after_30_days_ppm: ppm(view.retained[1]),
            },
        }
    }
}

/// The content in force on a day of a cohort's course.
pub(crate) fn content_on(view: &CohortView, day: u8) -> Option<Digest> {
    let in_force = view.content.iter().rev().find(|(from, _)| *from <= day);
    in_force.or(view.content.first()).map(|(_, digest)| *digest)
}

/// A cohort's course as of its last change.
pub(crate) fn text<B: Backend>(
    backend: &B,
    view: &CohortView,
    language: Language,
) -> Option<CourseText> {
    backend.course(view.content.last()?.1, &view.course, language)
}

/// An item's text, from the newest content of the cohort that has it.
pub(crate) fn item_text<B: Backend>(
    backend: &B,
    view: &CohortView,
    item: u16,
    language: Language,
) -> Option<QuestionText> {
    let slug = view.items.get(usize::from(item))?;
    view.content.iter().rev().find_map(|(_, digest)| backend.question(*digest, slug, language))
}

/// A cohort that the calling member takes or took part in.
pub(crate) struct Own {
    pub(crate) member: MemberId,
    pub(crate) catalog: Arc<Catalog>,
    /// Where in the catalog.
    place: usize,
}

impl Own {
    /// The cohort, and what the caller has of it.
    pub(crate) fn find<B: Backend>(
        backend: &B,
        call: &Call,
        id: CohortId,
    ) -> Result<(Self, PupilView), Problem> {
        let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
        let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
        let place = catalog.cohorts.binary_search_by_key(&id, |view| view.id);
        let place = place.map_err(|_| Problem::not_found())?;
        Ok((Self { member, catalog, place }, pupil(backend, member, id)?))
    }

    pub(crate) fn cohort(&self) -> &CohortView {
        &self.catalog.cohorts[self.place]
    }
}

/// What a member has of a cohort.
pub(crate) fn pupil<B: Backend>(
    backend: &B,
    member: MemberId,
    cohort: CohortId,
) -> Result<PupilView, Problem> {
    let card = backend.member(member).ok_or_else(Problem::not_found)?;
    let found = card.courses.iter().find(|course| course.cohort == cohort);
    Ok(found.ok_or(Reject::NotEnrolled)?.clone())
}

/// Groups that a graduate may wish for, with their names.
pub(crate) fn destinations<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    view: &CohortView,
    language: Language,
) -> Vec<(CommunityId, String)> {
    let Some(text) = text(backend, view, language) else { return Vec::new() };
    let groups = catalog.communities.iter().filter(|group| text.leads_to.contains(&group.template));
    let named = groups.map(|group| {
        let file = backend.community(catalog.content, &group.template, language);
        (group.id, file.map_or_else(|| group.template.to_string(), |file| file.title))
    });
    named.collect()
}
