//! A group on the wire.

use dengmi_core::view::{Catalog, CommunityView};
use dengmi_core::{CommunityId, ManagerId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::backend::{Backend, Language};
use crate::wire::{Notice, notices};

/// A group.
#[derive(Serialize, ToSchema)]
pub(crate) struct Community {
    /// Its id.
    #[schema(value_type = String, example = "c1-3")]
    pub(crate) id: CommunityId,
    /// Its name.
    title: String,
    /// What it is for.
    purpose: String,
    /// The community file it was opened after.
    #[schema(example = "payroll")]
    template: String,
    /// Its relationship manager.
    #[schema(value_type = String, example = "g1-5")]
    manager: ManagerId,
    /// Members now.
    members: usize,
    /// Most members it takes.
    capacity: u32,
    /// Notices pinned in the group.
    notices: Vec<Notice>,
}

impl Community {
    pub(crate) fn new<B: Backend>(
        backend: &B,
        catalog: &Catalog,
        view: &CommunityView,
        language: Language,
    ) -> Self {
        let text = backend.community(catalog.content, &view.template, language);
        let (title, purpose, pinned) = match text {
            Some(text) => (text.title, text.purpose, notices(text.notices)),
            // The file may be gone from newer content; the group is not.
            None => (view.template.to_string(), String::new(), Vec::new()),
        };
        Self {
            id: view.id,
            title,
            purpose,
            template: view.template.to_string(),
            manager: view.manager,
            members: view.members.len(),
            capacity: view.capacity,
            notices: pinned,
        }
    }
}
