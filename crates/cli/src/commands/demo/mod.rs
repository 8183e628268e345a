//! `dengmi demo`: a branch with a thousand synthetic members at an accelerated clock, and the real
//! server beside it.

mod invested;
mod play;
mod screen;
mod town;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use dengmi_api::{Backend as _, Limits};
use dengmi_core::random::Seed;
use dengmi_core::{BranchId, Calendar, Timestamp};
use dengmi_host::{Content, FastClock, Host, HostConfig, KeyLimits};
use dengmi_store::SqliteStore;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::play::Player;
use self::screen::Screen;
use crate::args::Global;
use crate::backend::HostBackend;
use crate::commands::serve::stop_signal;
use crate::error::{CliError, Result};
use crate::{block_on, content, data, terminal};

/// The branch of the demonstration.
const BRANCH: BranchId = BranchId(1);

/// The demonstration begins so many days ago, so that the data can be served on when it is over.
const DAYS_BACK: i32 = 21;

type Backend = HostBackend<SqliteStore>;

/// Watch a living community, with the real server beside it.
#[derive(Args, Debug)]
#[command(after_help = "\
五位客户经理、八个群、一千名虚拟成员，打卡、答题、评论；一天约 24 秒。真正的服务同时在本机运行，
可用打印出来的 curl 命令访问。Ctrl-C 停止，数据留下，可用 dengmi serve 继续。
Five managers, eight groups, a thousand synthetic members; a day takes 24 seconds. The real server
runs beside it; paste the curl lines it prints. Ctrl-C stops it and leaves a database that
`dengmi serve` goes on with.

示例 Examples:
  dengmi demo
  dengmi demo --days 3 --speed 14400 --data /tmp/demo")]
pub(crate) struct Demo {
    /// 时间倍速 How many times faster than real time
    #[arg(long, default_value_t = 3_600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    speed: u32,
    /// 演示天数，缺省到 Ctrl-C 为止 Days after which it stops [default: at Ctrl-C]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: Option<u32>,
    /// 种子 Seed of the members' behaviour
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 成员数 Members
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(8..=1_600))]
    members: u32,
}

impl Demo {
    /// Runs it until it is over or told to stop.
    ///
    /// # Errors
    /// The content has faults, the folder holds data already, or the store fails.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let content = content::load_checked(&content::root(global)?)?;
        let global = Global { data: folder(&global.data)?, ..global.clone() };
        block_on(self.play(&global, content))
    }

    async fn play(&self, global: &Global, content: Content) -> Result<()> {
        let listener = listen().await?;
        let address = listener.local_addr().map_err(CliError::internal)?;
        let store = data::open(global, true).await?;
        let from = begin();
        let clock = Arc::new(FastClock::new(from, self.speed));
        let day_ms = 24 * 3_600_000;
        let ends = self.days.map(|days| from.plus_ms(i64::from(days) * day_ms));
        let config = HostConfig {
            clock: clock.clone(),
            snapshots: Some(data::snapshots(global)),
            // A visitor's clock shows the real time, the branch's another.
            keys: KeyLimits {
                window: std::time::Duration::from_secs(4_000 * 86_400),
                ahead: std::time::Duration::from_secs(4_000 * 86_400),
                keys: 200_000,
            },
            ..HostConfig::default()
        };
        let host = Host::open(store.clone(), config, Some(content), &mut |_, _, _| {}).await?;
        host.create_branch(BRANCH, Seed::from_number(self.seed), 1).await?;
        let backend = Arc::new(HostBackend::new(host, None).await?);

        let bar = terminal::progress(global, "建群 building the town", u64::from(self.members));
        let town = town::build(&backend, self.seed, self.members, &bar).await;
        bar.finish_and_clear();
        let town = town?;
        for line in town.welcome(address, &global.data, self.speed) {
            terminal::print(&line)?;
        }

        let (stop, stopping) = watch::channel(false);
        let server = tokio::spawn(dengmi_api::serve(
            listener,
            backend.clone(),
            stopped(stopping.clone()),
            Limits::default(),
        ));
        let mut player = Player::new(backend.clone(), town.crowd.clone(), clock.clone());
        let mut screen = Screen::new(backend.clone(), player.tally(), clock, from, self.speed);
        let player = tokio::spawn(async move { player.run(stopping).await });
        let shown = tokio::select! {
            shown = screen.run(ends) => shown,
            () = stop_signal() => Ok(()),
        };
        terminal::say("\n正在停止 · stopping");
        // Nobody is there to be told where all have stopped already.
        let _ = stop.send(true);
        let played = player.await;
        let _ = server.await;
        let packs = backend.host().packs().all();
        let catalog = backend.catalog(BRANCH);
        let invested = catalog.map(|catalog| invested::lines(&catalog, &packs)).unwrap_or_default();
        backend.host().shutdown().await;
        store.empty_log().await?;
        played.map_err(CliError::internal)?;
        let farewell = self.farewell(&global.data, backend.host().now());
        for line in invested.into_iter().chain(farewell) {
            terminal::print(&line)?;
        }
        shown
    }

    fn farewell(&self, folder: &Path, now: Timestamp) -> Vec<String> {
        let mut lines = vec![format!(
            "数据已保存 saved in {0}；继续 go on with:\n  dengmi serve --data {0}\n  dengmi replay --data {0}",
            folder.display()
        )];
        if now > real_now() {
            lines.push(format!(
                "演示时间已到 {now}，晚于现在：服务会从那里按正常速度走时 · the demonstration is ahead of the wall clock; a server goes on from there at normal speed"
            ));
        }
        lines
    }
}

/// Done when the channel says so.
async fn stopped(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone has nothing more to say: stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

fn real_now() -> Timestamp {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Six in the morning, some days ago.
fn begin() -> Timestamp {
    let calendar = Calendar::default();
    let day = calendar.day_of(real_now()).plus(-DAYS_BACK);
    calendar.start_of(day).plus_ms(6 * 3_600_000)
}

/// The folder for the data: the one that was given, where it holds none yet; below the default
/// one, the first that is free.
fn folder(given: &Path) -> Result<PathBuf> {
    let taken = |folder: &Path| folder.join("dengmi.db").exists();
    if given != Path::new("dengmi-data") {
        if taken(given) {
            let message = format!("{} holds data already", given.display());
            let hint = "give another --data, or go on with `dengmi serve --data` and this folder";
            return Err(CliError::user(message, hint));
        }
        return Ok(given.to_owned());
    }
    let names = std::iter::once("demo".to_owned()).chain((2..).map(|n| format!("demo-{n}")));
    let free = names.map(|name| given.join(name)).find(|folder| !taken(folder));
    free.ok_or_else(|| CliError::user("no free folder below dengmi-data", "give --data"))
}

/// Port 8080, or the next one that is free.
async fn listen() -> Result<TcpListener> {
    for port in (8_080..8_100).chain([0]) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Ok(listener) = TcpListener::bind(address).await {
            return Ok(listener);
        }
    }
    Err(CliError::unavailable("no port can be listened on", "check the network settings"))
}
