//! An item asked outside the quiz of the day, as a member sees it. What is right has no place here.

use dengmi_core::MemberId;
use dengmi_core::course::CohortView;
use serde::Serialize;
use utoipa::ToSchema;

use crate::backend::{Backend, Language};
use crate::cohort::item_text;
use crate::endpoints::get_round::Kind;
use crate::problem::Problem;
use crate::wire::{Notice, notices};

/// An item, as it is asked.
#[derive(Serialize, ToSchema)]
#[schema(as = CourseItem)]
pub(crate) struct Item {
    /// Its number in the cohort; answers name it.
    item: u16,
    /// How it is answered.
    kind: Kind,
    /// The question.
    stem: String,
    /// Options as the member sees them, position 0 first.
    options: Vec<String>,
    /// Unit beside a typed number.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    /// Where the answer is found.
    source: String,
    /// Notices that go with it.
    notices: Vec<Notice>,
}

impl Item {
    /// An item of a cohort as a member sees it.
    pub(crate) fn new<B: Backend>(
        backend: &B,
        view: &CohortView,
        member: MemberId,
        item: u16,
        language: Language,
    ) -> Result<Self, Problem> {
        let text = item_text(backend, view, item, language).ok_or_else(|| {
            tracing::error!(cohort = %view.id, item, "the text of an item is missing");
            Problem::internal()
        })?;
        let count = u8::try_from(text.options.len()).unwrap_or(u8::MAX);
        let order = backend.item_order(member, view.id, item, count);
        let order = order.ok_or_else(Problem::unavailable)?;
        let shown = order.iter().filter_map(|&n| text.options.get(usize::from(n)).cloned());
        Ok(Self {
            item,
            kind: text.kind.into(),
            stem: text.stem,
            options: shown.collect(),
            unit: text.unit,
            source: text.source,
            notices: notices(text.notices),
        })
    }
}
