//! What a caller reaches. Anything outside does not exist for them: the answer is 404, the same
//! as for things that do not exist at all.

use std::str::FromStr;

use dengmi_core::course::CohortView;
use dengmi_core::view::board::BoardKey;
use dengmi_core::view::{Catalog, CommunityView, MemberStatus, PostView, RoundView, RunView};
use dengmi_core::{BranchId, CohortId, CommunityId, MemberId, PostId, RoundId, RunId};

use crate::backend::Backend;
use crate::board_key::BoardName;
use crate::principal::{Principal, Role};
use crate::problem::Problem;
use crate::rights::{RouteInfo, Target};

/// Checks what the path of a request names.
pub(crate) fn check<B: Backend>(
    backend: &B,
    principal: &Principal,
    route: &RouteInfo,
    named: Option<&str>,
) -> Result<(), Problem> {
    fn parsed<T: FromStr>(named: Option<&str>) -> Result<T, Problem> {
        named.and_then(|text| text.parse().ok()).ok_or_else(Problem::not_found)
    }
    let reached = match route.target {
        Target::None => true,
        Target::Branch => branch(backend, principal, parsed(named)?),
        Target::Community => community(backend, principal, parsed(named)?),
        Target::Member => member(backend, principal, parsed(named)?),
        Target::Run => run(backend, principal, parsed(named)?),
        Target::WholeRun => whole_run(backend, principal, parsed(named)?),
        Target::Round => round(backend, principal, parsed(named)?),
        Target::Post => post(backend, principal, parsed(named)?),
        Target::Cohort => cohort(backend, principal, parsed(named)?),
        Target::WholeCohort => whole_cohort(backend, principal, parsed(named)?),
        Target::Board => board(backend, principal, parsed::<BoardName>(named)?.0),
    };
    if reached { Ok(()) } else { Err(Problem::not_found()) }
}

/// The group a calling member belongs to now; `None` for operators and for members who left.
pub(crate) fn own_community<B: Backend>(backend: &B, principal: &Principal) -> Option<CommunityId> {
    let card = backend.member(principal.member()?)?;
    (card.status == MemberStatus::Active).then_some(card.community)
}

pub(crate) fn branch<B: Backend>(backend: &B, principal: &Principal, branch: BranchId) -> bool {
    principal.reaches_branch(branch) && backend.branches().contains(&branch)
}

pub(crate) fn community<B: Backend>(
    backend: &B,
    principal: &Principal,
    community: CommunityId,
) -> bool {
    principal.reaches_branch(community.branch)
        && backend.catalog(community.branch).is_some_and(|catalog| {
            principal.reaches_community(&catalog, community, own_community(backend, principal))
        })
}

/// Members reach themselves; operators whoever was last in a group within reach.
pub(crate) fn member<B: Backend>(backend: &B, principal: &Principal, member: MemberId) -> bool {
    if let Some(own) = principal.member() {
        return own == member;
    }
    principal.reaches_branch(member.branch)
        && backend.member(member).is_some_and(|card| {
            backend
                .catalog(member.branch)
                .is_some_and(|catalog| principal.reaches_community(&catalog, card.community, None))
        })
}

pub(crate) fn run<B: Backend>(backend: &B, principal: &Principal, run: RunId) -> bool {
    principal.reaches_branch(run.branch)
        && backend.catalog(run.branch).is_some_and(|catalog| {
            let own = own_community(backend, principal);
            find_run(&catalog, run).is_some_and(|run| takes_part(principal, &catalog, run, own))
        })
}

fn whole_run<B: Backend>(backend: &B, principal: &Principal, run: RunId) -> bool {
    principal.reaches_branch(run.branch)
        && backend.catalog(run.branch).is_some_and(|catalog| {
            find_run(&catalog, run).is_some_and(|run| {
                principal.role() != Some(Role::Manager)
                    || (!run.communities.is_empty()
                        && run
                            .communities
                            .iter()
                            .all(|&group| principal.reaches_community(&catalog, group, None)))
            })
        })
}

/// Whether a group within reach takes part in a run.
pub(crate) fn takes_part(
    principal: &Principal,
    catalog: &Catalog,
    run: &RunView,
    own: Option<CommunityId>,
) -> bool {
    match principal {
        Principal::Member { .. } => {
            own.is_some_and(|own| run.communities.binary_search(&own).is_ok())
        }
        Principal::Operator { role: Role::Manager, .. } => {
            run.communities.iter().any(|&group| principal.reaches_community(catalog, group, None))
        }
        Principal::Operator { branches, .. } => branches.covers(run.id.branch),
    }
}

pub(crate) fn round<B: Backend>(backend: &B, principal: &Principal, round: RoundId) -> bool {
    principal.reaches_branch(round.branch)
        && backend.catalog(round.branch).is_some_and(|catalog| {
            find_round(&catalog, round).is_some_and(|round| run(backend, principal, round.run))
        })
}

fn post<B: Backend>(backend: &B, principal: &Principal, post: PostId) -> bool {
    principal.reaches_branch(post.branch)
        && backend.catalog(post.branch).is_some_and(|catalog| {
            find_post(&catalog, post).is_some_and(|post| match principal {
                Principal::Operator { role: Role::Manager, manager, .. } => {
                    *manager == Some(post.manager)
                }
                _ => run(backend, principal, post.run),
            })
        })
}

pub(crate) fn cohort<B: Backend>(backend: &B, principal: &Principal, cohort: CohortId) -> bool {
    principal.reaches_branch(cohort.branch)
        && backend.catalog(cohort.branch).is_some_and(|catalog| {
            find_cohort(&catalog, cohort)
                .is_some_and(|cohort| reaches_cohort(backend, principal, &catalog, cohort))
        })
}

/// Whether a group within reach is in a cohort. Members keep what they take or took part in: who
/// arrived in a long-term group is in none of its groups any more.
pub(crate) fn reaches_cohort<B: Backend>(
    backend: &B,
    principal: &Principal,
    catalog: &Catalog,
    cohort: &CohortView,
) -> bool {
    if let Some(card) = principal.member().and_then(|member| backend.member(member)) {
        return card.courses.iter().any(|course| course.cohort == cohort.id)
            || (card.status == MemberStatus::Active
                && cohort.communities.contains(&card.community));
    }
    let mut groups = cohort.communities.iter();
    groups.any(|&group| principal.reaches_community(catalog, group, None))
}

/// Whether every group of a cohort is within reach of an operator.
pub(crate) fn reaches_whole(principal: &Principal, catalog: &Catalog, cohort: &CohortView) -> bool {
    principal.role().is_some()
        && !cohort.communities.is_empty()
        && cohort.communities.iter().all(|&group| principal.reaches_community(catalog, group, None))
}

fn whole_cohort<B: Backend>(backend: &B, principal: &Principal, cohort: CohortId) -> bool {
    principal.reaches_branch(cohort.branch)
        && backend.catalog(cohort.branch).is_some_and(|catalog| {
            find_cohort(&catalog, cohort)
                .is_some_and(|cohort| reaches_whole(principal, &catalog, cohort))
        })
}

fn board<B: Backend>(backend: &B, principal: &Principal, key: BoardKey) -> bool {
    match key {
        BoardKey::Community(group, _) => community(backend, principal, group),
        BoardKey::Run(id) => run(backend, principal, id),
        BoardKey::Round(id) => round(backend, principal, id),
    }
}

/// A group of the catalog.
pub(crate) fn find_community(catalog: &Catalog, id: CommunityId) -> Option<&CommunityView> {
    let at = catalog.communities.binary_search_by_key(&id, |view| view.id).ok()?;
    catalog.communities.get(at)
}

/// A run of the catalog.
pub(crate) fn find_run(catalog: &Catalog, id: RunId) -> Option<&RunView> {
    let at = catalog.runs.binary_search_by_key(&id, |view| view.id).ok()?;
    catalog.runs.get(at)
}

/// A round of the catalog.
pub(crate) fn find_round(catalog: &Catalog, id: RoundId) -> Option<&RoundView> {
    let at = catalog.rounds.binary_search_by_key(&id, |view| view.id).ok()?;
    catalog.rounds.get(at)
}

/// A cohort of the catalog.
pub(crate) fn find_cohort(catalog: &Catalog, id: CohortId) -> Option<&CohortView> {
    let at = catalog.cohorts.binary_search_by_key(&id, |view| view.id).ok()?;
    catalog.cohorts.get(at)
}

/// A post of the catalog.
pub(crate) fn find_post(catalog: &Catalog, id: PostId) -> Option<&PostView> {
    let at = catalog.posts.binary_search_by_key(&id, |view| view.id).ok()?;
    catalog.posts.get(at)
}

/// The branch a list is about: a member's own, the one the query names, or the only one an
/// operator reaches.
pub(crate) fn asked_branch<B: Backend>(
    backend: &B,
    principal: &Principal,
    asked: Option<BranchId>,
) -> Result<BranchId, Problem> {
    if let Some(member) = principal.member() {
        return match asked {
            Some(branch) if branch != member.branch => Err(Problem::not_found()),
            _ => Ok(member.branch),
        };
    }
    match asked {
        Some(asked) if branch(backend, principal, asked) => Ok(asked),
        Some(_) => Err(Problem::not_found()),
        None => {
            let mut within = backend.branches();
            within.retain(|&branch| principal.reaches_branch(branch));
            match within[..] {
                [only] => Ok(only),
                [] => Err(Problem::not_found()),
                _ => Err(Problem::bad_request(
                    "you reach several branches; say which one with `?branch=b1`",
                )),
            }
        }
    }
}
