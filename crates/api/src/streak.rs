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
    /// Current length in days.
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

impl From<StreakState> for Streak {
    fn from(state: StreakState) -> Self {
        let StreakState { day, length, longest, total, freezes, make_ups } = state;
        Self { day, length, longest, total, freezes, make_ups }
    }
}
