//! Who is calling, and how far their rights reach.

use dengmi_core::view::Catalog;
use dengmi_core::{Actor, BranchId, CommunityId, ManagerId, MemberId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A customer, who acts for themselves only.
    Member {
        /// Who.
        member: MemberId,
    },
    /// An operator account.
    Operator {
        /// Number of the account, stable for ever.
        account: u32,
        /// What the account may do.
        role: Role,
        /// Branches it may do it in.
        branches: Scope,
        /// The relationship manager it belongs to; always there for [`Role::Manager`].
        manager: Option<ManagerId>,
    },
}

/// What an operator account may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, in every branch of the scope.
    HeadOffice,
    /// Everything in the branches of the scope.
    Branch,
    /// Work with the manager's own groups.
    Manager,
    /// Reading only.
    Analyst,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Self::HeadOffice, Self::Branch, Self::Manager, Self::Analyst];
}

/// Branches an account reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every branch.
    All,
    /// These branches only.
    Only(Vec<BranchId>),
}

impl Scope {
    /// Whether `branch` is within reach.
    #[must_use]
    pub fn covers(&self, branch: BranchId) -> bool {
        match self {
            Self::All => true,
            Self::Only(branches) => branches.contains(&branch),
        }
    }
}

impl Principal {
    /// A number that is the same for the same principal for ever and different for different
    /// ones: idempotency keys and rate limits are bound to it.
    #[must_use]
    pub fn number(&self) -> u64 {
        match self {
            Self::Member { member } => {
                (1 << 56) | (u64::from(member.branch.0) << 32) | u64::from(member.seq)
            }
            Self::Operator { account, .. } => (2 << 56) | u64::from(*account),
        }
    }

    /// The actor of this principal's commands.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::Member { member } => Actor::Member(*member),
            Self::Operator { account, .. } => Actor::Operator(*account),
        }
    }

    /// The member, if it is one.
    #[must_use]
    pub fn member(&self) -> Option<MemberId> {
        match self {
            Self::Member { member } => Some(*member),
            Self::Operator { .. } => None,
        }
    }

    /// The operator's role, if it is one.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::Member { .. } => None,
            Self::Operator { role, .. } => Some(*role),
        }
    }

    /// Whether anything of `branch` may be seen at all. What lies outside does not exist for the
    /// caller.
    #[must_use]
    pub fn reaches_branch(&self, branch: BranchId) -> bool {
        match self {
            Self::Member { member } => member.branch == branch,
            Self::Operator { branches, .. } => branches.covers(branch),
        }
    }

    /// Whether a group is within reach: a member's own, a manager's own, any in the branches of
    /// the other roles. `own` is the group of the calling member.
    #[must_use]
    pub fn reaches_community(
        &self,
        catalog: &Catalog,
        community: CommunityId,
        own: Option<CommunityId>,
    ) -> bool {
        let Some(view) = catalog.communities.iter().find(|view| view.id == community) else {
            return false;
        };
        match self {
            Self::Member { .. } => own == Some(community),
            Self::Operator { role: Role::Manager, manager, branches, .. } => {
                branches.covers(community.branch) && *manager == Some(view.manager)
            }
            Self::Operator { branches, .. } => branches.covers(community.branch),
        }
    }
}
