//! `dengmi member`.

use clap::{Args, Subcommand};
use dengmi_api::Backend as _;
use dengmi_core::{Action, Actor, Command, MemberId, Outcome};
use dengmi_host::{Host, HostConfig};
use dengmi_store::CommandKey;
use uuid::Uuid;

use crate::args::Global;
use crate::backend::HostBackend;
use crate::error::{CliError, Result};
use crate::{block_on, data, terminal};

/// Members.
#[derive(Debug, Subcommand)]
pub(crate) enum Member {
    /// 删除个人信息 Erase a member's personal data
    Erase(Erase),
}

/// Erase a member's personal data.
#[derive(Args, Debug)]
#[command(after_help = "\
删除昵称、头像、渠道标识、在课程里写下的文字和登录会话，从所有名单中移除；积分账只保留编号。
Deletes nickname, picture, channel ids, what was written in courses, and sessions, and takes the
member off all lists; the ledger keeps the number only. While the server runs, use DELETE /v1/members/{id} instead.

示例 Example:
  dengmi member erase m1-42")]
pub(crate) struct Erase {
    /// 成员编号 The member, such as m1-42
    member: MemberId,
}

impl Member {
    /// Runs it.
    ///
    /// # Errors
    /// No such member, or the server runs.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let Self::Erase(erase) = self;
        block_on(erase.run(global))
    }
}

impl Erase {
    async fn run(&self, global: &Global) -> Result<()> {
        let store = data::open(global, false).await?;
        data::branches(&store, Some(self.member.branch)).await?;
        let config =
            HostConfig { snapshots: Some(data::snapshots(global)), ..HostConfig::default() };
        let host = Host::open(store.clone(), config, None, &mut |_, _, _| {}).await?;
        let backend = HostBackend::new(host, None).await?;
        let result = self.erase(&backend).await;
        backend.host().shutdown().await;
        // Takes the deleted bytes out of the files.
        store.empty_log().await?;
        result?;
        terminal::print(&format!("{} 的个人信息已删除 · personal data erased", self.member))
    }

    async fn erase(&self, backend: &HostBackend<dengmi_store::SqliteStore>) -> Result<()> {
        let member = self.member;
        let key = CommandKey { key: Uuid::now_v7().as_u128(), principal: 0, fingerprint: [0; 16] };
        let command = Command { actor: Actor::System, action: Action::Erase { member } };
        let submitted = backend.host().submit(member.branch, key, command).await;
        let submitted = submitted.map_err(|error| {
            CliError::unavailable(error.to_string(), "check the clock and the disk, then try again")
        })?;
        match submitted.outcome {
            // Erased before, perhaps without the rest: finish it.
            Outcome::Done(_) | Outcome::Rejected(dengmi_core::Reject::MemberErased) => {}
            Outcome::Rejected(reject) => {
                return Err(CliError::user(format!("{member}: {}", reject.code()), reject.help()));
            }
        }
        let forgotten = backend.forget(member).await;
        forgotten.map_err(|error| {
            CliError::unavailable(error.to_string(), "run the command again to finish the erasure")
        })
    }
}
