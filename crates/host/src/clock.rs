//! The host's clock, and the logical time that batches are stamped with.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dengmi_core::Timestamp;

/// One look at the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the wall clock shows; may jump in both directions.
    pub wall: Timestamp,
    /// Time since some fixed moment; never goes back.
    pub elapsed: Duration,
}

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Both clocks at one moment.
    fn read(&self) -> Reading;

    /// How long to sleep, in real time, until this clock will have moved on by `ms` milliseconds.
    fn sleep_for(&self, ms: u64) -> Duration {
        Duration::from_millis(ms)
    }
}

/// The operating system's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        Reading {
            wall: Timestamp(i64::try_from(wall).unwrap_or(i64::MAX)),
            elapsed: self.started.elapsed(),
        }
    }
}

/// A clock that runs at a chosen speed from a chosen moment, for demonstrations.
#[derive(Debug)]
pub struct FastClock {
    started: Instant,
    from: Timestamp,
    speed: u32,
}

impl FastClock {
    /// Starts at `from` and runs `speed` times as fast as real time (at least 1).
    #[must_use]
    pub fn new(from: Timestamp, speed: u32) -> Self {
        Self { started: Instant::now(), from, speed: speed.max(1) }
    }
}

impl Clock for FastClock {
    fn read(&self) -> Reading {
        let elapsed = self.started.elapsed().saturating_mul(self.speed);
        let ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        Reading { wall: self.from.plus_ms(ms), elapsed }
    }

    fn sleep_for(&self, ms: u64) -> Duration {
        Duration::from_millis(ms) / self.speed
    }
}

/// A clock that moves when it is told to, for tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<Reading>);

impl ManualClock {
    /// Stands at `wall`.
    #[must_use]
    pub fn new(wall: Timestamp) -> Self {
        Self(Mutex::new(Reading { wall, elapsed: Duration::ZERO }))
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.elapsed += by;
        reading.wall = reading.wall.plus_ms(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    }

    /// Somebody sets the wall clock; no time passes.
    pub fn set_wall(&self, wall: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wall = wall;
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Reading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks again soon: nobody knows when it will be moved.
    fn sleep_for(&self, ms: u64) -> Duration {
        Duration::from_millis(ms.min(2))
    }
}

/// A forward jump of the wall clock above this, while running, is not followed.
pub const JUMP_LIMIT: Duration = Duration::from_secs(36 * 3_600);

/// How far the wall clock may be behind the last journalled time before time runs on without it.
pub const LAG_LIMIT: Duration = Duration::from_secs(5 * 60);

/// What is wrong with the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockFault {
    /// It jumped forward by more than [`JUMP_LIMIT`]. Time runs on at its normal rate; after a
    /// restart the wall clock is believed.
    Jumped,
    /// It is more than [`LAG_LIMIT`] behind the last journalled time. Time runs on from there at
    /// its normal rate until the wall clock has caught up.
    Behind,
}

/// Gives batches their times: always rising, on the wall clock while that can be believed.
pub struct Stamper {
    clock: Arc<dyn Clock>,
    last: Timestamp,
    previous: Option<(Timestamp, Duration)>,
    fault: Option<ClockFault>,
}

impl Stamper {
    /// Continues after `last`, the time of the last journalled batch.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, last: Timestamp) -> Self {
        Self { clock, last, previous: None, fault: None }
    }

    /// The time now, as far as the clock can be believed.
    pub fn now(&mut self) -> Timestamp {
        let Reading { wall, elapsed } = self.clock.read();
        let wall = Timestamp(wall.0.clamp(0, Timestamp::MAX.0));
        let expected = self.previous.map(|(then, at)| then.plus_ms(ms(elapsed.saturating_sub(at))));
        let (now, fault) = match expected {
            Some(expected) if wall.0 - expected.0 > ms(JUMP_LIMIT) => {
                (expected, Some(ClockFault::Jumped))
            }
            _ if self.last.0 - wall.0 > ms(LAG_LIMIT) => {
                (expected.unwrap_or(self.last).max(self.last), Some(ClockFault::Behind))
            }
            _ => (wall, None),
        };
        if fault != self.fault {
            match fault {
                Some(fault) => tracing::error!(?fault, %wall, believed = %now, "wall clock"),
                None => tracing::info!(%wall, "the wall clock is believed again"),
            }
            self.fault = fault;
        }
        self.previous = Some((now, elapsed));
        now
    }

    /// The time of the next batch.
    pub fn stamp(&mut self) -> Timestamp {
        let now = self.now();
        self.last = Timestamp(now.0.max(self.last.0 + 1));
        self.last
    }

    /// What is wrong with the wall clock, as of the last look.
    #[must_use]
    pub fn fault(&self) -> Option<ClockFault> {
        self.fault
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const START: i64 = 1_000 * HOUR;

    fn stamper(last: i64) -> (Arc<ManualClock>, Stamper) {
        let clock = Arc::new(ManualClock::new(Timestamp(START)));
        (clock.clone(), Stamper::new(clock, Timestamp(last)))
    }

    /// The wall clock is set off by `jump`, then `pass` passes: the stamp, from the start, and
    /// what is said of the clock.
    #[track_caller]
    fn check(last: i64, jump: i64, pass: i64, stamp: i64, fault: Option<ClockFault>) {
        let (clock, mut stamper) = stamper(START + last);
        stamper.now();
        clock.set_wall(Timestamp(START + jump));
        clock.advance(Duration::from_millis(pass as u64));
        assert_eq!(stamper.stamp().0 - START, stamp, "{last} {jump} {pass}");
        assert_eq!(stamper.fault(), fault);
    }

    #[test]
    fn time_follows_the_wall_clock_while_it_can_be_believed() {
        check(-5, 0, 7, 7, None);
        check(-5, HOUR, 0, HOUR, None);
        check(-5, 36 * HOUR, 0, 36 * HOUR, None);
        check(-5, 36 * HOUR + 1, 0, 0, Some(ClockFault::Jumped));
        check(-5, 999 * HOUR, 500, 500, Some(ClockFault::Jumped));
        check(10, 0, 0, 11, None);
        check(10, -60_000, 0, 11, None);
        check(0, -HOUR, 500, 500, Some(ClockFault::Behind));
        check(HOUR, 0, 500, HOUR + 500, Some(ClockFault::Behind));
    }

    #[test]
    fn a_clock_put_right_is_believed_again() {
        let (clock, mut stamper) = stamper(START);
        stamper.now();
        clock.set_wall(Timestamp(START + 99 * HOUR));
        stamper.now();
        assert_eq!(stamper.fault(), Some(ClockFault::Jumped));
        clock.set_wall(Timestamp(START + 30));
        assert_eq!((stamper.stamp().0, stamper.fault()), (START + 30, None));
    }

    proptest::proptest! {
        #[test]
        fn stamps_rise_whatever_the_clock_does(
            moves in proptest::collection::vec((-200 * HOUR..200 * HOUR, 0u64..10_000_000), 1..60),
        ) {
            let (clock, mut stamper) = stamper(START);
            let mut last = START;
            for (jump, pass) in moves {
                clock.set_wall(Timestamp(START + jump));
                clock.advance(Duration::from_millis(pass));
                let stamp = stamper.stamp().0;
                proptest::prop_assert!(stamp > last);
                last = stamp;
            }
        }
    }
}
