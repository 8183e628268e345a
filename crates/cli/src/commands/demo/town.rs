//! The branch of the demonstration: managers, groups, members, names, launches, accounts.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use dengmi_api::Backend as _;
use dengmi_api::backend::SessionSubject;
use dengmi_api::{Role, Scope};
use dengmi_content::Pack;
use dengmi_content::model::community::CommunityKind;
use dengmi_core::command::ConsentPurpose;
use dengmi_core::course::{CourseAction, CourseReceipt};
use dengmi_core::random::Seed;
use dengmi_core::{
    Action, Actor, Calendar, CohortId, Command, CommunityId, Day, ManagerId, MemberId, Outcome,
    Receipt, Slug,
};
use dengmi_sim::members::Crowd;
use dengmi_store::{CommandKey, Directory as _, NewAccount};
use indicatif::ProgressBar;
use tokio::task::JoinSet;
use uuid::{NoContext, Timestamp as UuidTime, Uuid};

use super::{BRANCH, Backend};
use crate::backend::{Account, hash_password};
use crate::error::{CliError, Result};

/// Managers.
const MANAGERS: u32 = 5;
/// Groups.
const GROUPS: u32 = 8;
/// Of a hundred members, those who agree to be shown by name.
const SHOWN: u32 = 85;

/// Of the members, every so many-th moves into the group of the course.
const PUPILS_EVERY: usize = 10;

/// What was built, and what a visitor needs.
pub(super) struct Town {
    /// Who lives there.
    pub(super) crowd: Crowd,
    /// The course, and somebody who takes it.
    course: Option<(CohortId, Visitor)>,
    visitor: Visitor,
    operator_token: String,
    password: String,
}

/// A member as whom a visitor may look around.
struct Visitor {
    member: MemberId,
    token: String,
}

impl Visitor {
    async fn sign_in(backend: &Backend, member: MemberId) -> Result<Self> {
        let token = backend.lasting_session(SessionSubject::Member(member)).await;
        Ok(Self { member, token: token.map_err(store_fails)? })
    }
}

/// Sends commands at the same time and gives their outcomes in order.
///
/// # Errors
/// The host does not take one.
pub(super) async fn send(backend: &Arc<Backend>, commands: Vec<Command>) -> Result<Vec<Outcome>> {
    let count = commands.len();
    let mut tasks = JoinSet::new();
    for (index, command) in commands.into_iter().enumerate() {
        let backend = backend.clone();
        tasks.spawn(async move {
            let key =
                CommandKey { key: new_key(&backend).as_u128(), principal: 0, fingerprint: [0; 16] };
            (index, backend.host().submit(BRANCH, key, command).await)
        });
    }
    let mut outcomes = vec![None; count];
    while let Some(joined) = tasks.join_next().await {
        let (index, submitted) = joined.map_err(CliError::internal)?;
        let submitted = submitted.map_err(|error| CliError::unavailable(error.to_string(), ""))?;
        outcomes[index] = Some(submitted.outcome);
    }
    Ok(outcomes.into_iter().flatten().collect())
}

/// An idempotency key of the branch's time.
pub(super) fn new_key(backend: &Backend) -> Uuid {
    let ms = u64::try_from(backend.now().0).unwrap_or(0);
    let nanos = (ms % 1_000) as u32 * 1_000_000;
    Uuid::new_v7(UuidTime::from_unix(NoContext, ms / 1_000, nanos))
}

fn operator(action: Action) -> Command {
    Command { actor: Actor::System, action }
}

/// Builds it all.
///
/// # Errors
/// The host refuses something.
pub(super) async fn build(
    backend: &Arc<Backend>,
    seed: u64,
    members: u32,
    bar: &ProgressBar,
) -> Result<Town> {
    let catalog = backend.catalog(BRANCH).unwrap_or_default();
    let pack = backend.host().packs().get(catalog.content);
    let pack = pack.ok_or_else(|| CliError::internal(anyhow::anyhow!("no content")))?;
    let templates: Vec<Slug> = pack.communities.keys().cloned().collect();
    if templates.is_empty() {
        return Err(CliError::user(
            "the content has no community file",
            "add one to content/communities",
        ));
    }
    let managers = vec![operator(Action::AddManager); MANAGERS as usize];
    send(backend, managers).await?;
    let open = |index: u32| {
        let template = templates[index as usize % templates.len()].clone();
        let manager = ManagerId::new(BRANCH, index % MANAGERS + 1);
        operator(Action::OpenCommunity { template, manager })
    };
    // One after the other, so that group n is of the n-th kind.
    for index in 0..GROUPS {
        send(backend, vec![open(index)]).await?;
    }
    let meta = backend.host().meta(BRANCH);
    let branch_seed = meta.map_or(Seed::from_number(seed), |meta| meta.seed);
    let today = Calendar::default().day_of(backend.now());
    let crowd = Crowd::new(Seed::from_number(seed).derive(1), branch_seed, today);

    let mut everybody = Vec::new();
    let mut joined = 0;
    while joined < members {
        let many = (members - joined).min(200);
        let join = |index: u32| {
            operator(Action::Join { community: CommunityId::new(BRANCH, index % GROUPS + 1) })
        };
        let outcomes = send(backend, (joined..joined + many).map(join).collect()).await?;
        let ids: Vec<MemberId> = outcomes.iter().filter_map(member).collect();
        let consent = |&member: &MemberId| {
            let give = |purpose| {
                let action = Action::Consent { member, purpose, version: 1, given: true };
                Command { actor: Actor::Member(member), action }
            };
            let shown = (member.seq * 37 % 100 < SHOWN).then(|| give(ConsentPurpose::PublicName));
            std::iter::once(give(ConsentPurpose::Activities)).chain(shown)
        };
        send(backend, ids.iter().flat_map(consent).collect()).await?;
        everybody.extend(&ids);
        for id in ids {
            backend.set_nickname(id, &crowd.nickname(id)).await.map_err(store_fails)?;
        }
        joined += many;
        bar.set_position(u64::from(joined));
    }
    let launch = |quest: &Slug| {
        operator(Action::Launch { quest: quest.clone(), communities: Vec::new(), start: today })
    };
    send(backend, pack.quests.keys().map(launch).collect()).await?;
    let course = open_course(backend, &pack, &everybody, today.plus(1)).await?;
    accounts(backend, crowd, course).await
}

/// Opens a group for the first course of the content and one that its graduates go to, starts the
/// course, and has some members move there and most of these enrol, the one that is given back
/// among them. `None` where the content has no course, or no community files for it.
async fn open_course(
    backend: &Arc<Backend>,
    pack: &Pack,
    members: &[MemberId],
    start: Day,
) -> Result<Option<(CohortId, MemberId)>> {
    let Some((course, content)) = pack.courses.first_key_value() else { return Ok(None) };
    let template = |kinds: &[CommunityKind]| {
        let fits = pack.communities.iter().find(|(_, file)| kinds.contains(&file.kind));
        fits.map(|(id, _)| id.clone())
    };
    let homes = template(&content.course.audience).zip(template(&content.course.migration.to));
    let Some((home, goal)) = homes else { return Ok(None) };
    let manager = ManagerId::new(BRANCH, 1);
    let mut groups = Vec::new();
    for template in [home, goal] {
        let open = operator(Action::OpenCommunity { template, manager });
        groups.extend(send(backend, vec![open]).await?);
    }
    let Some(Outcome::Done(Receipt::Community(home))) = groups.first() else { return Ok(None) };
    let start = CourseAction::Start { course: course.clone(), communities: vec![*home], start };
    let started = send(backend, vec![operator(Action::Course(start))]).await?;
    let Some(Outcome::Done(Receipt::Course(CourseReceipt::Started { cohort, .. }))) =
        started.first()
    else {
        return Ok(None);
    };
    // Not the first one: the visitor stays where the curl lines say.
    let pupils = || members.iter().skip(1).step_by(PUPILS_EVERY).copied();
    let moves = pupils().map(|member| operator(Action::Move { member, to: *home }));
    send(backend, moves.collect()).await?;
    // The others come in by and by.
    let enrol = |(index, member): (usize, MemberId)| {
        let action = Action::Course(CourseAction::Enrol { member, cohort: *cohort });
        (index % 5 != 4).then_some(Command { actor: Actor::Member(member), action })
    };
    send(backend, pupils().enumerate().filter_map(enrol).collect()).await?;
    Ok(pupils().next().map(|first| (*cohort, first)))
}

fn member(outcome: &Outcome) -> Option<MemberId> {
    match outcome {
        Outcome::Done(Receipt::Member(member)) => Some(*member),
        _ => None,
    }
}

fn store_fails(error: impl std::fmt::Display) -> CliError {
    CliError::unavailable(error.to_string(), "check the disk and try again")
}

/// Sessions of members, and an operator's account with a session.
async fn accounts(
    backend: &Arc<Backend>,
    crowd: Crowd,
    course: Option<(CohortId, MemberId)>,
) -> Result<Town> {
    let mut random = [0; 6];
    getrandom::fill(&mut random).map_err(|error| CliError::internal(anyhow::anyhow!("{error}")))?;
    let password: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let (role, branches) =
        Account { role: Role::HeadOffice, branches: Scope::All, manager: None }.words();
    let hashed = password.clone();
    let password_hash = tokio::task::spawn_blocking(move || hash_password(&hashed))
        .await
        .map_err(CliError::internal)?
        .map_err(|error| CliError::internal(anyhow::anyhow!("{error}")))?;
    let account = NewAccount {
        login: "demo".to_owned(),
        password_hash,
        role,
        branches,
        created: backend.now(),
    };
    let store = backend.host().journal();
    let account = store.insert_account(account).await?;
    let course = match course {
        Some((cohort, pupil)) => Some((cohort, Visitor::sign_in(backend, pupil).await?)),
        None => None,
    };
    let operator_token = backend.lasting_session(SessionSubject::Operator(account)).await;
    Ok(Town {
        crowd,
        course,
        visitor: Visitor::sign_in(backend, MemberId::new(BRANCH, 1)).await?,
        operator_token: operator_token.map_err(store_fails)?,
        password,
    })
}

impl Town {
    /// What to paste.
    pub(super) fn welcome(&self, address: SocketAddr, folder: &Path, speed: u32) -> Vec<String> {
        let Self { visitor, operator_token, password, course, .. } = self;
        let minutes = 1_440.0 / f64::from(speed);
        let url = format!("http://{address}");
        let mut lines = vec![
            format!(
                "灯谜演示 demo: {url}  接口文档 docs: {url}/docs  数据 data: {}",
                folder.display()
            ),
            format!("一天 a day = {:.0} s  停止 stop: Ctrl-C", minutes * 60.0),
            String::new(),
            format!("# 成员 member {}", visitor.member),
            format!("M='Authorization: Bearer {}'", visitor.token),
            format!("curl -s -H \"$M\" {url}/v1/me"),
            format!("curl -s -H \"$M\" {url}/v1/rounds"),
            format!("# 榜单名称在下方实时视图里 names of standings are in the live view below"),
            format!("curl -s -H \"$M\" {url}/v1/boards/run-r1-1"),
            format!("curl -sN -H \"$M\" {url}/v1/events"),
            String::new(),
        ];
        if let Some((cohort, pupil)) = course {
            let url = format!("{url}/v1/cohorts/{cohort}");
            lines.extend([
                format!("# 学员 member {} takes the course", pupil.member),
                format!("P='Authorization: Bearer {}'", pupil.token),
                format!("curl -s -H \"$P\" {url}/me"),
                format!("curl -s -H \"$P\" {url}/lessons/1"),
                format!("curl -s -H \"$P\" {url}/market"),
                format!("curl -s -H \"$P\" {url}/me/portfolio"),
                String::new(),
            ]);
        }
        lines.extend([
            format!("# 操作员 operator: login demo, password {password}"),
            format!("O='Authorization: Bearer {operator_token}'"),
            format!("curl -s -H \"$O\" {url}/v1/communities"),
            match course {
                Some((cohort, _)) => format!("curl -s -H \"$O\" {url}/v1/cohorts/{cohort}"),
                None => "# 内容里没有可开的课程 the content has no course to start".to_owned(),
            },
            format!(
                "curl -s -X POST {url}/v1/operator-sessions -H 'Content-Type: application/json' -H 'Idempotency-Key: {}' -d '{{\"login\":\"demo\",\"password\":\"{password}\"}}'",
                Uuid::now_v7()
            ),
            String::new(),
        ]);
        lines
    }
}
