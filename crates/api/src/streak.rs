//! A streak on the wire.

use dengmi_core::Day;
use dengmi_core::outcome::StreakState;
use serde::Serialize;
use utoipa::ToSchema;

/// A member's streak in one run.
#[derive(Serialize, ToSchema)]
pub(crate) struct Streak {
    /// The last day that counted.
    #[schema(value_type = String, format = Date, example = "2026-11-21")]
    day: Day,
    /// The last day on which a check-in continues the streak.
    #[schema(value_type = String, format = Date, example = "2026-11-22")]
    alive_until: Day,
    /// Length in days; 0 once it is broken.
    length: u16,
    /// Longest length ever.
    longest: u16,
    /// Check-ins in all.
    total: u16,
    /// Freezes left.
    freezes: u8,
    /// Make-up cards left.
    make_ups: u8,
}

impl Streak {
    /// The streak as it stands on `today`.
    pub(crate) fn on(today: Day, state: StreakState) -> Self {
        let mut streak = Self::from(state);
        if today > state.alive_until {
            streak.length = 0;
        }
        streak
    }
}

/// The streak just after it changed.
impl From<StreakState> for Streak {
    fn from(state: StreakState) -> Self {
        let StreakState { day, alive_until, length, longest, total, freezes, make_ups } = state;
        Self { day, alive_until, length, longest, total, freezes, make_ups }
    }
}
