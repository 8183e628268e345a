//! Errors of the command line. The kind decides prefix and exit code; a hint says what to do next.

use std::fmt;

use dengmi_host::HostError;
use dengmi_store::StoreError;

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The user gave something that does not fit.
    User,
    /// The content has faults.
    Content,
    /// The command line cannot be understood.
    Usage,
    /// The data are not what was written.
    Damaged,
    /// Something that is needed does not answer, or is in use.
    Unavailable,
    /// A defect of this program.
    Internal,
}

impl Kind {
    /// What an error of this kind is printed after.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::User => "错误 error",
            Self::Content => "内容有误 content error",
            Self::Usage => "用法有误 usage error",
            Self::Damaged => "数据损坏 damaged data",
            Self::Unavailable => "暂不可用 unavailable",
            Self::Internal => "内部错误 internal error",
        }
    }

    /// What the program exits with.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::User | Self::Content => 1,
            Self::Usage => 2,
            Self::Damaged => 3,
            Self::Unavailable => 4,
            Self::Internal => 255,
        }
    }
}

/// The exit codes, for the help.
pub(crate) const EXIT_CODES: &str = "\
退出码 Exit codes:
  0    成功 done
  1    输入或内容有误 a fault in what was given, or in the content
  2    命令行用法有误 a fault in the command line
  3    数据损坏 the data are not what was written
  4    暂不可用：被占用、磁盘已满等 something is in use, full or does not answer
  255  程序缺陷，请报告 a defect of this program: please report it";

/// An error with what to do about it.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: Kind,
    error: anyhow::Error,
    hint: String,
}

/// What every command returns.
pub(crate) type Result<T, E = CliError> = std::result::Result<T, E>;

impl CliError {
    fn new(kind: Kind, error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self { kind, error: error.into(), hint: hint.into() }
    }

    /// The user gave something that does not fit.
    pub(crate) fn user(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::User, anyhow::Error::msg(message.into()), hint)
    }

    /// The content has faults.
    pub(crate) fn content(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Content, anyhow::Error::msg(message.into()), hint)
    }

    /// Options that contradict each other.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Usage, anyhow::Error::msg(message.into()), hint)
    }

    /// The data are not what was written.
    pub(crate) fn damaged(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Damaged, anyhow::Error::msg(message.into()), hint)
    }

    /// Something does not answer.
    pub(crate) fn unavailable(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, anyhow::Error::msg(message.into()), hint)
    }

    /// A defect of this program.
    pub(crate) fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Kind::Internal, error, "please report it, with the command that led here")
    }

    /// The operating system refused something with a file or folder.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let message = format!("{}: {error}", path.display());
        Self::user(message, "check the name, and that you may read and write there")
    }

    /// What kind it is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:#}", self.kind.prefix(), self.error)?;
        if !self.hint.is_empty() {
            write!(f, "\n  提示 hint: {}", self.hint)?;
        }
        Ok(())
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        use StoreError as E;
        let (kind, hint) = match &error {
            E::Owned { .. } => (
                Kind::Unavailable,
                "stop the server that runs on this folder (Ctrl-C there), or give another --data",
            ),
            E::Full { .. } => (Kind::Unavailable, "free space on the disk and try again"),
            E::Unavailable { .. } => (Kind::Unavailable, "check the disk and try again"),
            E::UnknownBranch(_) => {
                (Kind::User, "`dengmi serve --branch N` creates a branch; check --data too")
            }
            E::BranchExists(_) | E::Taken { .. } | E::Missing { .. } => {
                (Kind::User, "choose another name or id")
            }
            E::File { .. } | E::Setting { .. } => {
                (Kind::User, "check --data, and that you may write there")
            }
            E::Damaged { .. } | E::DamagedRow { .. } => (
                Kind::Damaged,
                "`dengmi verify journal` looks at everything; then restore a backup of the folder",
            ),
            E::Snapshot { .. } => {
                (Kind::Damaged, "delete the file: a start without it only takes longer")
            }
            E::NewerFormat { .. } => {
                (Kind::User, "use the newer release of dengmi that wrote this folder")
            }
            E::Conflict { .. } | E::Invalid { .. } | E::DoubleGrant { .. } => {
                (Kind::Internal, "keep the folder as it is, and report this")
            }
        };
        Self::new(kind, error, hint)
    }
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Store(error) => error.into(),
            HostError::Diverged { .. } | HostError::Inapplicable { .. } => Self::new(
                Kind::Damaged,
                error,
                "if dengmi was updated, start the release before; else restore a backup",
            ),
            HostError::Content { .. } => {
                Self::new(Kind::Damaged, error, "restore a backup of the data folder")
            }
            HostError::Thread(_) => {
                Self::new(Kind::Unavailable, error, "raise the limit on processes and threads")
            }
        }
    }
}
