//! A run of a quest on the wire.

use dengmi_core::view::RunView;
use dengmi_core::{CommunityId, Day, Points, RunId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::backend::{Backend, Language, QuestKind};
use crate::principal::Principal;
use crate::wire::{At, Notice, notices};

/// A run with its quest's texts.
#[derive(Serialize, ToSchema)]
pub(crate) struct Run {
    /// Its id.
    #[schema(value_type = String, example = "r1-9")]
    id: RunId,
    /// Its quest file.
    #[schema(example = "lantern-week")]
    quest: String,
    /// What members do.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    /// Its name.
    title: String,
    /// The rules in a sentence or two.
    summary: String,
    /// The text of the Moments post, or what a check-in asks the member to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    /// Whether a check-in needs the phrase of the day.
    phrase_required: bool,
    /// Notices that go with it.
    notices: Vec<Notice>,
    /// Groups that take part; of these, a member sees their own.
    #[schema(value_type = Vec<String>, example = json!(["c1-3"]))]
    communities: Vec<CommunityId>,
    /// First day.
    #[schema(value_type = String, format = Date)]
    first: Day,
    /// Last day.
    #[schema(value_type = String, format = Date)]
    last: Day,
    /// When it ended, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<At>,
    /// Points its budget has left; operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    budget_left: Option<Points>,
}

/// What members do in a quest.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QuestKind)]
pub(crate) enum Kind {
    /// Quiz rounds.
    QuizSeries,
    /// Reactions to Moments posts.
    MomentsChallenge,
    /// Daily check-ins.
    CheckInStreak,
}

impl From<QuestKind> for Kind {
    fn from(kind: QuestKind) -> Self {
        match kind {
            QuestKind::QuizSeries => Self::QuizSeries,
            QuestKind::MomentsChallenge => Self::MomentsChallenge,
            QuestKind::CheckInStreak => Self::CheckInStreak,
        }
    }
}

impl Run {
    pub(crate) fn new<B: Backend>(
        backend: &B,
        view: &RunView,
        principal: &Principal,
        own: Option<CommunityId>,
        language: Language,
    ) -> Self {
        let operator = principal.role().is_some();
        let communities =
            view.communities.iter().copied().filter(|id| operator || own == Some(*id)).collect();
        let text = backend.quest(view.content, &view.quest, language);
        let mut run = Self {
            id: view.id,
            quest: view.quest.to_string(),
            kind: None,
            title: view.quest.to_string(),
            summary: String::new(),
            prompt: None,
            phrase_required: false,
            notices: Vec::new(),
            communities,
            first: view.first,
            last: view.last,
            ended: view.ended.map(At),
            budget_left: operator.then_some(view.budget_left),
        };
        if let Some(text) = text {
            run.kind = Some(text.kind.into());
            run.title = text.title;
            run.summary = text.summary;
            run.prompt = text.prompt;
            run.phrase_required = text.phrase_required;
            run.notices = notices(text.notices);
        }
        run
    }
}
