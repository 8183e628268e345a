//! `content/communities/**.ron`: kinds of customer groups.

use dengmi_core::time::TimeOfDay;
use dengmi_core::view::board::BoardPolicy;
use dengmi_core::{Calendar, Slug};
use serde::{Deserialize, Serialize};

use super::Text;

/// What a group of this file is like.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommunityFile {
    /// Always 1.
    pub schema: u16,
    /// Earlier ids.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// Its name.
    pub title: Text,
    /// What kind of group it is.
    pub kind: CommunityKind,
    /// What it is for, for operators.
    pub purpose: Text,
    /// Most members (WeCom: 500).
    pub capacity: u32,
    /// When its days begin.
    pub calendar: Calendar,
    /// How its standings are shown.
    #[serde(default)]
    pub boards: BoardPolicy,
    /// How often its members may be contacted.
    pub touch: TouchBudget,
    /// Notices pinned in the group, by id.
    pub notices: Vec<Slug>,
}

/// The four kinds of groups of a bank's community work, and the long-term group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CommunityKind {
    /// 同属性群: customers who share a trait.
    Affinity,
    /// 代发群: customers paid by one company.
    Payroll,
    /// 投教群: an investor-education group.
    InvestorEducation,
    /// 管户群: one relationship manager's customers.
    Managed,
    /// 长期群: where graduates go on.
    LongTerm,
}

/// How often a member may be contacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TouchBudget {
    /// Private messages to one member a week (default 2: s000).
    pub private_per_week: u8,
    /// Mass messages by the administrator a day (at most 1).
    pub mass_per_day: u8,
    /// Moments posts a day and sender (at most 3: s004).
    pub moments_per_day: u8,
    /// No messages from this time ...
    pub quiet_from: TimeOfDay,
    /// ... to this.
    pub quiet_to: TimeOfDay,
}
