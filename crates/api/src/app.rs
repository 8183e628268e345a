//! What all handlers share.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use tokio::sync::{Semaphore, watch};

use crate::backend::Backend;
use crate::board_rows::BoardCache;
use crate::problem::Problem;

/// Limits of the interface and of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second of one principal; `None` for no limit.
    pub requests_per_second: Option<NonZeroU32>,
    /// Requests of one principal at once, on top of the rate.
    pub burst: NonZeroU32,
    /// Attempts at one operator login in five minutes.
    pub logins_per_5_minutes: NonZeroU32,
    /// Passwords checked at once: checking one is costly on purpose.
    pub logins_at_once: usize,
    /// Largest request body, in bytes.
    pub body_bytes: usize,
    /// Time to receive a whole request body.
    pub body_timeout: Duration,
    /// Time to answer a request; event streams are answered when they begin.
    pub answer_timeout: Duration,
    /// Open event streams of one principal.
    pub streams_per_principal: u32,
    /// Time between heartbeats of an event stream.
    pub heartbeat: Duration,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// Time to receive the head of a request, and so also the longest pause between two requests
    /// on one connection.
    pub header_timeout: Duration,
    /// Longest time in which a peer may take not one byte of what is being sent.
    pub write_timeout: Duration,
    /// Time that open requests get to finish at a shutdown.
    pub drain_timeout: Duration,
}

const fn nonzero(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: Some(nonzero(20)),
            burst: nonzero(60),
            logins_per_5_minutes: nonzero(10),
            logins_at_once: 2,
            body_bytes: 64 * 1024,
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            streams_per_principal: 4,
            heartbeat: Duration::from_secs(15),
            connections: 20_000,
            header_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Shared state of the handlers.
pub(crate) struct App<B>(Arc<Inner<B>>);

impl<B> Clone for App<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B> std::ops::Deref for App<B> {
    type Target = Inner<B>;

    fn deref(&self) -> &Inner<B> {
        &self.0
    }
}

pub(crate) struct Inner<B> {
    pub(crate) backend: Arc<B>,
    pub(crate) limits: Limits,
    pub(crate) requests: Option<Bucket<u64>>,
    pub(crate) logins: Bucket<[u8; 16]>,
    pub(crate) login_slots: Semaphore,
    pub(crate) boards: BoardCache,
    pub(crate) streams: Streams,
    /// Turns true when the server stops: event streams end.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Tells the tags of this process from those of an earlier one, whose versions began anew.
    pub(crate) started: i64,
}

impl<B: Backend> App<B> {
    pub(crate) fn new(backend: Arc<B>, limits: Limits, stopping: watch::Receiver<bool>) -> Self {
        let requests = limits
            .requests_per_second
            .map(|rate| Bucket::new(Quota::per_second(rate).allow_burst(limits.burst)));
        let logins = limits.logins_per_5_minutes;
        // One attempt comes back every 300 s / n.
        let pause = Duration::from_secs(300) / logins.get();
        let quota = Quota::with_period(pause)
            .map_or(Quota::per_minute(logins), |quota| quota.allow_burst(logins));
        let started = backend.now().0;
        Self(Arc::new(Inner {
            backend,
            requests,
            logins: Bucket::new(quota),
            login_slots: Semaphore::new(limits.logins_at_once.max(1)),
            boards: BoardCache::default(),
            streams: Streams::default(),
            limits,
            stopping,
            started,
        }))
    }
}

/// Waits until the server stops; for ever where there is no server that could.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    while !*stopping.borrow_and_update() {
        if stopping.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Token buckets by key, bounded: fresh ones are dropped when there are many.
pub(crate) struct Bucket<K: Clone + Eq + std::hash::Hash> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    checks: std::sync::atomic::AtomicU32,
}

impl<K: Clone + Eq + std::hash::Hash> Bucket<K> {
    fn new(quota: Quota) -> Self {
        Self {
            limiter: DefaultKeyedRateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            checks: std::sync::atomic::AtomicU32::new(0),
        }
    }

    /// Takes one token, or says how long to wait.
    pub(crate) fn take(&self, key: &K) -> Result<(), Problem> {
        // Full buckets say nothing: every 65,536 checks they are thrown away.
        let checks = self.checks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if checks & 0xFFFF == 0xFFFF {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            Problem::too_many(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
        })
    }
}

/// Open event streams by principal.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<u64, u32>>>);

/// Counts one open stream until it is dropped.
pub(crate) struct OpenStream {
    streams: Streams,
    principal: u64,
}

impl Streams {
    /// Counts one more stream, unless there are `most` already.
    pub(crate) fn open(&self, principal: u64, most: u32) -> Option<OpenStream> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(principal).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(OpenStream { streams: self.clone(), principal })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.principal) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.principal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_counted_and_forgotten() {
        let streams = Streams::default();
        let first = streams.open(1, 2).unwrap();
        let second = streams.open(1, 2).unwrap();
        assert!(streams.open(1, 2).is_none());
        assert!(streams.open(2, 2).is_some());
        drop(first);
        assert!(streams.open(1, 2).is_some());
        drop(second);
        assert!(streams.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_bucket_refuses_with_a_wait() {
        let bucket = Bucket::new(Quota::per_second(nonzero(1)).allow_burst(nonzero(2)));
        assert!(bucket.take(&1).is_ok() && bucket.take(&1).is_ok());
        let problem = bucket.take(&1).unwrap_err();
        assert_eq!((problem.status, problem.retry_after), (429, Some(1)));
        assert!(bucket.take(&2).is_ok());
    }
}
