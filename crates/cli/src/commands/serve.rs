//! `dengmi serve`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use dengmi_api::Limits;
use dengmi_core::BranchId;
use dengmi_core::random::Seed;
use dengmi_host::{Content, Host, HostConfig};
use dengmi_store::{Directory as _, SqliteStore};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::Global;
use crate::backend::{HostBackend, upkeep};
use crate::error::{CliError, Result};
use crate::{block_on, content, data, terminal};

/// Serve the HTTP interface.
#[derive(Args, Debug)]
#[command(after_help = "\
示例 Examples:
  dengmi user add wang --role head-office     先建账号 first an account
  dengmi serve                                本机，一个分行 this machine, one branch
  dengmi serve --listen 0.0.0.0:8080 --branch b1 --branch b2

按 Ctrl-C 停止：不再接受请求，写完已收到的，保存快照。
Ctrl-C or SIGTERM stops it: what was received is committed, and a snapshot is written.
日志级别 Log level: DENGMI_LOG=info (error, warn, info, debug)")]
pub(crate) struct Serve {
    /// 监听地址 Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// 分行，没有则新建 Branches, created where missing [default: those there are, or b1]
    #[arg(long = "branch", value_name = "N", value_parser = data::branch_arg)]
    branches: Vec<BranchId>,
    /// 全行分行数，用于分摊上限 Among how many branches bank-wide caps are divided, for branches that are created [default: as many as there are then]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    of: Option<u16>,
    /// 日志格式 How the log is written, on standard error
    #[arg(long, value_enum, default_value_t = Log::Text)]
    log: Log,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    /// For people
    Text,
    /// One object a line, for machines
    Json,
}

impl Serve {
    /// Runs it until it is told to stop.
    ///
    /// # Errors
    /// The content has faults, the data cannot be opened, or the address is taken.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        self.start_log();
        let content = content::load_checked(&content::root(global)?)?;
        block_on(self.serve(global, content))
    }

    fn start_log(&self) {
        let wanted = std::env::var("DENGMI_LOG").ok().and_then(|text| text.parse().ok());
        let wanted = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
        let (log, lines) = (tracing_subscriber::registry().with(wanted), fmt::layer());
        let lines = lines.with_writer(std::io::stderr);
        // Only fails where a log is set up already, which then goes on.
        let _ = match self.log {
            Log::Text => log.with(lines).try_init(),
            Log::Json => log.with(lines.json()).try_init(),
        };
    }

    async fn serve(&self, global: &Global, content: Content) -> Result<()> {
        // Before anything is opened: a taken address should change nothing.
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            let message = format!("{} cannot be listened on: {error}", self.listen);
            CliError::unavailable(message, "stop what uses the port, or give another --listen")
        })?;
        let address = listener.local_addr().map_err(CliError::internal)?;
        let metrics = PrometheusBuilder::new().install_recorder().map_err(CliError::internal)?;
        let store = data::open(global, true).await?;
        let host = self.open(global, store.clone(), content).await?;
        if store.accounts().await?.is_empty() {
            terminal::say(
                "还没有操作员账号，先停止服务并运行 · no operator account yet; stop, then run:\n  dengmi user add LOGIN --role head-office",
            );
        }
        let backend = Arc::new(HostBackend::new(host, Some(metrics)).await?);
        for line in urls(address) {
            terminal::print(&line)?;
        }
        let upkeep = tokio::spawn(upkeep(backend.clone()));
        dengmi_api::serve(listener, backend.clone(), stop_signal(), Limits::default()).await;
        terminal::say("正在停止 · stopping");
        upkeep.abort();
        let _ = upkeep.await;
        backend.host().shutdown().await;
        store.empty_log().await?;
        Ok(())
    }

    async fn open(
        &self,
        global: &Global,
        store: Arc<SqliteStore>,
        content: Content,
    ) -> Result<Host<SqliteStore>> {
        let config =
            HostConfig { snapshots: Some(data::snapshots(global)), ..HostConfig::default() };
        let bar = terminal::progress(global, "恢复 recovering", 0);
        let mut told = |branch: BranchId, _, commands| {
            bar.set_message(format!("恢复 recovering {branch}"));
            bar.set_position(commands);
        };
        let host = Host::open(store, config, Some(content), &mut told).await;
        bar.finish_and_clear();
        let host = host?;
        let there: BTreeSet<BranchId> = host.branches().into_iter().collect();
        let mut wanted: BTreeSet<BranchId> = self.branches.iter().copied().collect();
        if wanted.is_empty() && there.is_empty() {
            wanted.insert(BranchId(1));
        }
        let all = u16::try_from(there.union(&wanted).count()).unwrap_or(u16::MAX);
        for branch in wanted.difference(&there) {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed)
                .map_err(|error| CliError::internal(anyhow::anyhow!("{error}")))?;
            host.create_branch(*branch, Seed(seed), self.of.unwrap_or(all)).await?;
            terminal::say(&format!("新建分行 {branch} · created branch {branch}"));
        }
        Ok(host)
    }
}

fn urls(address: SocketAddr) -> Vec<String> {
    let shown = match address {
        any if any.ip().is_unspecified() => format!("127.0.0.1:{}", any.port()),
        one => one.to_string(),
    };
    vec![
        format!("服务 Serving on http://{shown}"),
        format!("接口文档 API documentation http://{shown}/docs"),
        format!("就绪检查 Readiness http://{shown}/readyz"),
    ]
}

/// Done when the process is told to stop.
pub(crate) async fn stop_signal() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = async {
            match signal(SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ctrl_c => {}
            () = terminate => {}
        }
    }
    #[cfg(not(unix))]
    ctrl_c.await;
}
