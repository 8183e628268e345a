//! Who may do what: one row for every route. What has no row is refused.

use crate::principal::Role;

/// A route and who may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// Who gets past the door; the others are told 401 or 403.
    pub access: Access,
    /// What the path names; what the caller does not reach is told 404.
    pub target: Target,
}

/// Who may use a route at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, also without a session.
    Public,
    /// Only with a session.
    Signed {
        /// Whether members may.
        members: bool,
        /// Operators of these roles may.
        operators: &'static [Role],
    },
    /// Nobody.
    Nobody,
}

/// What the path parameter of a route names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing that belongs to anyone: the handler checks what the body or the query names.
    None,
    /// `{branch}`: a branch.
    Branch,
    /// `{id}`: a community; a member's own, a manager's own.
    Community,
    /// `{id}`: a member; members themselves only, managers those of their groups.
    Member,
    /// `{id}`: a run in which a group within reach takes part.
    Run,
    /// `{id}`: a run all of whose groups are within reach.
    WholeRun,
    /// `{id}`: a round of a run in which a group within reach takes part.
    Round,
    /// `{id}`: a post of such a run; managers their own.
    Post,
    /// `{key}`: a standing of such a group, run or round.
    Board,
    /// `{id}`: a cohort one of whose groups is within reach; a member's own also after they moved.
    Cohort,
    /// `{id}`: a cohort all of whose groups are within reach.
    WholeCohort,
}

impl RouteInfo {
    /// Whether it changes anything.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// Whether it needs no session.
    #[must_use]
    pub fn public(&self) -> bool {
        self.access == Access::Public
    }
}

const EVERY_ROLE: &[Role] = &Role::ALL;
const ACTING: &[Role] = &[Role::HeadOffice, Role::Branch, Role::Manager];
const LEADING: &[Role] = &[Role::HeadOffice, Role::Branch];

const PUBLIC: Access = Access::Public;
const EVERYONE: Access = Access::Signed { members: true, operators: EVERY_ROLE };
const MEMBERS: Access = Access::Signed { members: true, operators: &[] };
const MEMBERS_AND_ACTING: Access = Access::Signed { members: true, operators: ACTING };
const ACTING_ONLY: Access = Access::Signed { members: false, operators: ACTING };
const LEADING_ONLY: Access = Access::Signed { members: false, operators: LEADING };

const fn row(
    method: &'static str,
    path: &'static str,
    access: Access,
    target: Target,
) -> RouteInfo {
    RouteInfo { method, path, access, target }
}

/// Stands in for a route that has no row.
pub(crate) static NOBODY: RouteInfo = row("", "", Access::Nobody, Target::None);

static ROUTES: &[RouteInfo] = &[
    // signing in
    row("POST", "/v1/invites", ACTING_ONLY, Target::None),
    row("POST", "/v1/sessions", PUBLIC, Target::None),
    row("DELETE", "/v1/sessions/current", EVERYONE, Target::None),
    row("POST", "/v1/operator-sessions", PUBLIC, Target::None),
    row("GET", "/v1/me", EVERYONE, Target::None),
    row("PUT", "/v1/me/nickname", MEMBERS, Target::None),
    row("PUT", "/v1/me/consents/{purpose}", MEMBERS, Target::None),
    // groups
    row("GET", "/v1/communities", EVERYONE, Target::None),
    row("GET", "/v1/communities/{id}", EVERYONE, Target::Community),
    row("POST", "/v1/communities", LEADING_ONLY, Target::None),
    row("POST", "/v1/managers", LEADING_ONLY, Target::None),
    // quests and their runs
    row("GET", "/v1/quests", EVERYONE, Target::None),
    row("GET", "/v1/runs/{id}", EVERYONE, Target::Run),
    row("POST", "/v1/runs", ACTING_ONLY, Target::None),
    row("POST", "/v1/runs/{id}/stop", ACTING_ONLY, Target::WholeRun),
    // quiz rounds
    row("GET", "/v1/rounds", EVERYONE, Target::None),
    row("GET", "/v1/rounds/{id}", EVERYONE, Target::Round),
    row("POST", "/v1/rounds/{id}/answers", MEMBERS, Target::Round),
    row("POST", "/v1/rounds/{id}/corrections", LEADING_ONLY, Target::Round),
    row("POST", "/v1/rounds/{id}/extra-time", ACTING_ONLY, Target::Round),
    // check-ins
    row("POST", "/v1/runs/{id}/check-ins", MEMBERS_AND_ACTING, Target::Run),
    row("POST", "/v1/runs/{id}/make-ups", MEMBERS_AND_ACTING, Target::Run),
    row("POST", "/v1/runs/{id}/repairs", ACTING_ONLY, Target::Run),
    // Moments
    row("POST", "/v1/runs/{id}/posts", ACTING_ONLY, Target::Run),
    row("GET", "/v1/posts", EVERYONE, Target::None),
    row("POST", "/v1/posts/{id}/reactions", MEMBERS_AND_ACTING, Target::Post),
    // courses and their cohorts
    row("GET", "/v1/courses", EVERYONE, Target::None),
    row("GET", "/v1/cohorts", EVERYONE, Target::None),
    row("POST", "/v1/cohorts", ACTING_ONLY, Target::None),
    row("GET", "/v1/cohorts/{id}", EVERYONE, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/amend", LEADING_ONLY, Target::WholeCohort),
    row("POST", "/v1/cohorts/{id}/dissolve", ACTING_ONLY, Target::WholeCohort),
    row("POST", "/v1/cohorts/{id}/enrolments", MEMBERS_AND_ACTING, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/withdrawals", MEMBERS_AND_ACTING, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/lessons/{day}", EVERYONE, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/lessons/{day}/finish", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/me", MEMBERS, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/items", MEMBERS, Target::Cohort),
    row("PUT", "/v1/cohorts/{id}/wish", MEMBERS, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/invitation", MEMBERS, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/members/{member}/reinvite", ACTING_ONLY, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/members/{member}/arrival", ACTING_ONLY, Target::Cohort),
    // mock investing in courses
    row("GET", "/v1/cohorts/{id}/me/graduation", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/me/assessment", MEMBERS, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/me/assessment", MEMBERS, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/me/assessment/confirmation", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/market", EVERYONE, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/market/{asset}", EVERYONE, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/news", EVERYONE, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/me/fraud-reports", MEMBERS, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/me/readings", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/me/plan", MEMBERS, Target::Cohort),
    row("PUT", "/v1/cohorts/{id}/me/plan", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/me/journal", MEMBERS, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/me/notes", MEMBERS, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/me/debriefs", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/me/orders", MEMBERS, Target::Cohort),
    row("POST", "/v1/cohorts/{id}/me/orders", MEMBERS, Target::Cohort),
    row("DELETE", "/v1/cohorts/{id}/me/orders/{order}", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/me/portfolio", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/me/score", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/me/exit", MEMBERS, Target::Cohort),
    row("GET", "/v1/cohorts/{id}/standing", EVERYONE, Target::Cohort),
    // standings and points
    row("GET", "/v1/boards/{key}", EVERYONE, Target::Board),
    row("GET", "/v1/members/{id}/points", EVERYONE, Target::Member),
    row("POST", "/v1/members/{id}/redemptions", LEADING_ONLY, Target::Member),
    row("POST", "/v1/entries/{branch}/{id}/reversal", LEADING_ONLY, Target::Branch),
    // members
    row("POST", "/v1/members/{id}/move", ACTING_ONLY, Target::Member),
    row("POST", "/v1/members/{id}/leave", MEMBERS_AND_ACTING, Target::Member),
    row("PUT", "/v1/members/{id}/tags/{tag}", ACTING_ONLY, Target::Member),
    row("PUT", "/v1/members/{id}/board-visibility", MEMBERS, Target::Member),
    row("DELETE", "/v1/members/{id}", LEADING_ONLY, Target::Member),
    // content and events
    row("GET", "/v1/content", EVERYONE, Target::None),
    row("GET", "/v1/events", EVERYONE, Target::None),
    // operation
    row("GET", "/livez", PUBLIC, Target::None),
    row("GET", "/readyz", PUBLIC, Target::None),
    row("GET", "/metrics", PUBLIC, Target::None),
    row("GET", "/openapi.json", PUBLIC, Target::None),
    row("GET", "/docs", PUBLIC, Target::None),
    row("GET", "/docs/{*file}", PUBLIC, Target::None),
];

/// Every route there is.
#[must_use]
pub fn routes() -> &'static [RouteInfo] {
    ROUTES
}

/// The row of a route.
#[must_use]
pub fn find(method: &str, path: &str) -> Option<&'static RouteInfo> {
    ROUTES.iter().find(|row| row.method == method && row.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn analysts_only_read() {
        for row in ROUTES {
            if let Access::Signed { operators, .. } = row.access
                && row.writes()
                && row.path != "/v1/sessions/current"
            {
                assert!(!operators.contains(&Role::Analyst), "{row:?}");
            }
        }
    }

    #[test]
    fn each_route_has_one_row() {
        for row in ROUTES {
            assert_eq!(find(row.method, row.path), Some(row));
        }
    }
}
