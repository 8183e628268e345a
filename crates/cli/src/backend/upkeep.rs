//! Small regular work of a server: metrics, sessions whose time is over.

use std::sync::Arc;
use std::time::Duration;

use dengmi_store::Store;

use super::HostBackend;

/// How often.
const EVERY: Duration = Duration::from_secs(5);

/// Sessions are gone through once in so many times: every hour.
const SWEEP: u64 = 720;

/// Goes on until it is dropped. Without it what is measured of every request piles up until
/// somebody asks for the metrics.
pub(crate) async fn upkeep<S: Store>(backend: Arc<HostBackend<S>>) {
    let mut ticks = tokio::time::interval(EVERY);
    let mut count = 0u64;
    loop {
        ticks.tick().await;
        if let Some(metrics) = &backend.metrics {
            metrics.run_upkeep();
        }
        for branch in backend.host().branches() {
            if let Some(views) = backend.host().views(branch) {
                let published = views.published();
                let branch = branch.to_string();
                metrics::gauge!("dengmi_members", "branch" => branch.clone())
                    .set(f64::from(published.members()));
                metrics::gauge!("dengmi_journal_seq", "branch" => branch).set(published.seq as f64);
            }
        }
        if count.is_multiple_of(SWEEP)
            && let Err(error) = backend.sweep().await
        {
            tracing::warn!(%error, "sessions whose time is over");
        }
        count += 1;
    }
}
