//! `content/notices/**.ron`: the short fixed notices N1 to N7.

use dengmi_core::Slug;
use serde::Deserialize;

use super::{Approval, Text};

/// A file of notices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeFile {
    /// Always 1.
    pub schema: u16,
    /// Compliance approval.
    pub approval: Approval,
    /// The notices.
    pub notices: Vec<Notice>,
}

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// `n1` to `n7`, or a bank's own.
    pub id: Slug,
    /// What it says.
    pub text: Text,
}
