//! `dengmi user`.

use std::io::{BufRead as _, IsTerminal as _};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand, ValueEnum};
use dengmi_api::Scope;
use dengmi_core::{BranchId, ManagerId, Timestamp};
use dengmi_store::{Directory as _, NewAccount};

use crate::args::Global;
use crate::backend::{Account, hash_password};
use crate::error::{CliError, Result};
use crate::{block_on, data, terminal};

/// Shortest password, in characters.
const PASSWORD_MIN: usize = 10;
/// Longest password, in bytes: hashing takes time that grows with it.
const PASSWORD_MAX: usize = 512;

/// Operator accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// 新建账号 Add an account
    Add(Add),
    /// 列出账号 List accounts
    List,
    /// 停用账号 Disable an account; its number stays in the journal
    Disable(Named),
    /// 重新启用账号 Enable an account again
    Enable(Named),
    /// 修改密码 Set another password
    Password(Named),
}

/// Add an account.
#[derive(Args, Debug)]
#[command(after_help = "\
密码从终端提示或标准输入读取，不会出现在命令行里。
The password is asked for, or read from standard input; never given on the command line.

示例 Examples:
  dengmi user add wang --role head-office
  dengmi user add li --role branch --branch b1
  dengmi user add zhao --role manager --manager g1-5
  pass show dengmi/zhang | dengmi user add zhang --role analyst")]
pub(crate) struct Add {
    /// 登录名 Login: 2 to 32 of a-z 0-9 . _ -
    login: String,
    /// 角色 Role
    #[arg(long, value_enum)]
    role: RoleArg,
    /// 分行，缺省为全部 Branches it reaches [default: all; a manager's own]
    #[arg(long = "branch", value_name = "N", value_parser = data::branch_arg)]
    branches: Vec<BranchId>,
    /// 客户经理 The relationship manager it belongs to, such as g1-5
    #[arg(long, value_name = "ID", required_if_eq("role", "manager"))]
    manager: Option<ManagerId>,
}

/// An account by its login.
#[derive(Args, Debug)]
pub(crate) struct Named {
    /// 登录名 Login
    login: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleArg {
    /// 总行 Everything, in every branch of the scope
    HeadOffice,
    /// 分行 Everything in the branches of the scope
    Branch,
    /// 客户经理 Work with the manager's own groups
    Manager,
    /// 分析 Reading only
    Analyst,
}

impl User {
    /// Runs it.
    ///
    /// # Errors
    /// The account does not fit, or the store is in use.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Add(add) => add.run(global),
            Self::List => block_on(list(global)),
            Self::Disable(named) => block_on(named.set_disabled(global, true)),
            Self::Enable(named) => block_on(named.set_disabled(global, false)),
            Self::Password(named) => {
                let password = read_password()?;
                block_on(named.set_password(global, password))
            }
        }
    }
}

impl Add {
    fn run(&self, global: &Global) -> Result<()> {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        if !(2..=32).contains(&self.login.len()) || !self.login.bytes().all(fits) {
            let message = format!("`{}` is no login", self.login);
            return Err(CliError::user(message, "use 2 to 32 of a-z 0-9 . _ -"));
        }
        let (role, branches) = self.account()?.words();
        let password_hash = hash(&read_password()?)?;
        block_on(async {
            let store = data::open(global, true).await?;
            let login = self.login.clone();
            let account = NewAccount { login, password_hash, role, branches, created: now() };
            let id = store.insert_account(account).await?;
            terminal::print(&format!("账号 {id} 已建立 · account {id} `{}` added", self.login))
        })
    }

    fn account(&self) -> Result<Account> {
        use dengmi_api::Role;
        let role = match self.role {
            RoleArg::HeadOffice => Role::HeadOffice,
            RoleArg::Branch => Role::Branch,
            RoleArg::Manager => Role::Manager,
            RoleArg::Analyst => Role::Analyst,
        };
        if self.manager.is_some() && role != Role::Manager {
            let hint = "leave --manager out, or give --role manager";
            return Err(CliError::usage("--manager belongs to --role manager", hint));
        }
        let branches = match self.manager {
            Some(manager) if self.branches.iter().any(|branch| *branch != manager.branch) => {
                let hint = "leave --branch out: a manager works in the own branch only";
                return Err(CliError::usage("--branch is not the manager's branch", hint));
            }
            Some(manager) => Scope::Only(vec![manager.branch]),
            None if self.branches.is_empty() && role == Role::Branch => {
                let hint = "name at least one, such as --branch b1";
                return Err(CliError::usage("--role branch needs --branch", hint));
            }
            None if self.branches.is_empty() => Scope::All,
            None => Scope::Only(self.branches.clone()),
        };
        Ok(Account { role, branches, manager: self.manager })
    }
}

impl Named {
    async fn set_disabled(&self, global: &Global, disabled: bool) -> Result<()> {
        let store = data::open(global, false).await?;
        let id = self.find(&store).await?;
        store.set_account_disabled(id, disabled).await?;
        terminal::print(if disabled { "已停用 disabled" } else { "已启用 enabled" })
    }

    async fn set_password(&self, global: &Global, password: String) -> Result<()> {
        let store = data::open(global, false).await?;
        let id = self.find(&store).await?;
        store.set_password_hash(id, hash(&password)?).await?;
        terminal::print("密码已修改 password set")
    }

    async fn find(&self, store: &dengmi_store::SqliteStore) -> Result<u32> {
        let row = store.account_by_login(&self.login).await?;
        let missing = || {
            let message = format!("there is no account `{}`", self.login);
            CliError::user(message, "`dengmi user list` shows those there are")
        };
        Ok(row.ok_or_else(missing)?.id)
    }
}

async fn list(global: &Global) -> Result<()> {
    let store = data::open(global, false).await?;
    for row in store.accounts().await? {
        let state = if row.disabled { "停用 disabled" } else { "启用 enabled" };
        let NewAccount { login, role, branches, .. } = row.account;
        terminal::print(&format!("{}\t{login}\t{role}\t{branches}\t{state}", row.id))?;
    }
    Ok(())
}

fn hash(password: &str) -> Result<String> {
    hash_password(password).map_err(|error| CliError::internal(anyhow::anyhow!("{error}")))
}

fn now() -> Timestamp {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Asks for a password twice on a terminal; otherwise takes the first line of standard input.
fn read_password() -> Result<String> {
    let failed = |error: std::io::Error| {
        CliError::user(format!("the password cannot be read: {error}"), "type it, or pipe it in")
    };
    let password = if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("密码 Password: ").map_err(failed)?;
        let second = rpassword::prompt_password("再次输入 Again: ").map_err(failed)?;
        if first != second {
            return Err(CliError::user("the two passwords differ", "try again"));
        }
        first
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        let message = format!("the password needs {PASSWORD_MIN} to {PASSWORD_MAX} characters");
        return Err(CliError::user(message, "choose another; a few words are good"));
    }
    Ok(password)
}
