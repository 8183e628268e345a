//! The measured server, a process of its own so that the system counts its processor time and
//! memory apart from the load generator's.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use dengmi_api::backend::SessionSubject;
use dengmi_api::{Backend as _, Limits, Role, Scope};
use dengmi_core::command::ConsentPurpose;
use dengmi_core::random::Seed;
use dengmi_core::{
    Action, Actor, BranchId, Calendar, Command, CommunityId, ManagerId, MemberId, Outcome,
};
use dengmi_host::{Host, HostConfig};
use dengmi_store::{CommandKey, Directory as _, NewAccount, OpenOptions, SqliteStore};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::content;
use crate::backend::{Account, HostBackend, upkeep};
use crate::error::{CliError, Result};
use crate::{block_on, terminal};

/// The measured branch.
pub(super) const BRANCH: BranchId = BranchId(1);

/// The one group.
pub(super) const GROUP: CommunityId = CommunityId::new(BRANCH, 1);

/// The file with the tokens of the sessions: the operator's, then the members', one a line.
pub(super) const TOKENS: &str = "tokens";

/// Requests on their way at once while the branch is set up.
const AT_ONCE: u32 = 500;

/// The server that `live` starts as a process of its own. Prints its address when it is ready,
/// and stops when standard input ends.
#[derive(Args, Debug)]
pub(crate) struct LiveServer {
    /// Folder of the database
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Members of the branch
    #[arg(long, default_value_t = 20_000)]
    members: u32,
    /// The bare HTTP server to compare with, without any of this
    #[arg(long)]
    hello: bool,
}

impl LiveServer {
    /// Serves until standard input ends.
    ///
    /// # Errors
    /// The server cannot be set up.
    pub(crate) fn run(&self) -> Result<()> {
        block_on(self.serve())
    }

    async fn serve(&self) -> Result<()> {
        let limits = Limits { requests_per_second: None, ..Limits::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(CliError::internal)?;
        let address = listener.local_addr().map_err(CliError::internal)?;
        if self.hello {
            terminal::print(&address.to_string())?;
            dengmi_api::serve_hello(listener, input_ended(), limits).await;
            return Ok(());
        }
        let backend = self.set_up().await?;
        terminal::print(&address.to_string())?;
        let upkeep = tokio::spawn(upkeep(backend.clone()));
        dengmi_api::serve(listener, backend.clone(), input_ended(), limits).await;
        upkeep.abort();
        backend.host().shutdown().await;
        Ok(())
    }

    /// A branch with one group, everyone in it with consents, a nickname and a session.
    async fn set_up(&self) -> Result<Arc<HostBackend<SqliteStore>>> {
        let metrics = PrometheusBuilder::new().install_recorder().map_err(CliError::internal)?;
        let snapshots = self.dir.join("snapshots");
        fs::create_dir_all(&snapshots).map_err(|error| CliError::file(&snapshots, &error))?;
        let store =
            Arc::new(SqliteStore::open(self.dir.join("dengmi.db"), OpenOptions::default()).await?);
        let config = HostConfig { snapshots: Some(snapshots), ..HostConfig::default() };
        let today = Calendar::default().day_of(config.clock.read().wall);
        let content = content::content(self.members, today)?;
        let host = Host::open(store.clone(), config, Some(content), &mut |_, _, _| {}).await?;
        host.create_branch(BRANCH, Seed::from_number(1), 1).await?;
        let backend = Arc::new(HostBackend::new(host, Some(metrics)).await?);
        let group = "group".parse().map_err(CliError::internal)?;
        let manager = ManagerId::new(BRANCH, 1);
        do_all(&backend, vec![Action::AddManager]).await?;
        do_all(&backend, vec![Action::OpenCommunity { template: group, manager }]).await?;
        let members = || (1..=self.members).map(|seq| MemberId::new(BRANCH, seq));
        do_all(&backend, members().map(|_| Action::Join { community: GROUP }).collect()).await?;
        for purpose in [ConsentPurpose::Activities, ConsentPurpose::PublicName] {
            let consent = |member| Action::Consent { member, purpose, version: 1, given: true };
            do_all(&backend, members().map(consent).collect()).await?;
        }
        let (role, branches) =
            Account { role: Role::HeadOffice, branches: Scope::All, manager: None }.words();
        let account = NewAccount {
            login: "bench".to_owned(),
            // No password has this hash: the session is opened right here.
            password_hash: String::new(),
            role,
            branches,
            created: backend.now(),
        };
        let account = store.insert_account(account).await?;
        let subjects = std::iter::once(SessionSubject::Operator(account))
            .chain(members().map(SessionSubject::Member));
        let mut tokens = String::new();
        for subject in subjects {
            if let SessionSubject::Member(member) = subject {
                let name = format!("成员 {}", member.seq);
                backend.set_nickname(member, &name).await.map_err(CliError::internal)?;
            }
            let session = backend.create_session(subject).await.map_err(CliError::internal)?;
            tokens.push_str(&session.token);
            tokens.push('\n');
        }
        let file = self.dir.join(TOKENS);
        fs::write(&file, tokens).map_err(|error| CliError::file(&file, &error))?;
        Ok(backend)
    }
}

/// Done when standard input ends, which it does when the process that measures is gone.
async fn input_ended() {
    let _ = tokio::task::spawn_blocking(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
    })
    .await;
}

/// Has actions of an operator applied, many at once.
async fn do_all(backend: &Arc<HostBackend<SqliteStore>>, actions: Vec<Action>) -> Result<()> {
    for part in actions.chunks(AT_ONCE as usize) {
        let mut tasks = JoinSet::new();
        for action in part.iter().cloned() {
            let backend = backend.clone();
            tasks.spawn(async move {
                let key = Uuid::now_v7().as_u128();
                let key = CommandKey { key, principal: 1, fingerprint: [0; 16] };
                let command = Command { actor: Actor::Operator(1), action };
                backend.host().submit(BRANCH, key, command).await
            });
        }
        for submitted in tasks.join_all().await {
            let outcome = submitted.map_err(CliError::internal)?.outcome;
            if let Outcome::Rejected(reject) = outcome {
                return Err(CliError::internal(anyhow::anyhow!("set-up was refused: {reject:?}")));
            }
        }
    }
    Ok(())
}
