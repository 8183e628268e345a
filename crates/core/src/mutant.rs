//! Wrong turns that a test can have the program take, to see that it is caught. Without the feature
//! `mutants`, which no shipped build has, [`planted`] is a constant `false` and costs nothing.
//!
//! A mutant is one place in the sources that does the wrong thing while it is planted. What catches
//! each of them is in the tests' binary `mutants`.

/// Whether the program is to take the wrong turn `name`.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
#[must_use]
pub const fn planted(_name: &'static str) -> bool {
    false
}

/// How often this was asked: what a draw may never depend on.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
#[must_use]
pub const fn calls() -> u64 {
    0
}

#[cfg(feature = "mutants")]
pub use garden::{ALL, Mutant, calls, current, plant, planted};

#[cfg(feature = "mutants")]
mod garden {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    /// A wrong turn.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Mutant {
        /// The part of the program, and a name of its own.
        pub name: &'static str,
        /// What it does wrong.
        pub wrong: &'static str,
    }

    macro_rules! mutants {
        ($($name:literal: $wrong:literal,)*) => {
            /// Every mutant there is.
            pub const ALL: &[Mutant] = &[$(Mutant { name: $name, wrong: $wrong },)*];
        };
    }

    mutants! {
        "caps/one-more": "a cap lets one point more through",
        "caps/late-is-free": "a late event counts in an empty period of its own",
        "caps/budget-stays": "a run's budget is not reduced",
        "caps/bank-undivided": "every branch has the bank's whole cap",
        "caps/unsaved": "a saved state leaves out what caps have counted",
        "rules/rounds-up": "a share of a reward is rounded up",
        "rules/forgets-revision": "an answer paid again under a corrected key has its first cause",
        "ledger/reversal-kept": "a reversal is booked and the wallet keeps the points",
        "ledger/reversed-again": "an entry is reversed as often as asked",
        "ledger/order-again": "an order is booked as often as asked",
        "ledger/spends-latest": "what expires last is spent first",
        "streak/late-is-today": "a late check-in counts for today",
        "streak/freeze-kept": "a bridged miss consumes no freeze",
        "streak/last-freeze": "the last freeze bridges nothing",
        "board/first-come": "ties go by the first score, not by the one that was reached",
        "board/erased-listed": "a closed standing lists erased members",
        "chain/skips-outcome": "the chain leaves out the last outcome of a batch",
        "clock/one-late": "what is due at the very instant of a batch waits for the next",
        "outreach/told-twice": "a limit that is reached is told twice",
        "quiz/key-shown": "the receipt before the close says right or wrong",
        "quiz/order-of-calls": "the order of options is drawn by call, not by member",
        "quiz/arrival-order": "a round is paid in the order of answers, not of members",
        "moments/one-post-more": "a sender may post once more than the limit",
        "moments/undone-keeps": "a reaction that is undone keeps what it earned",
        "intake/any-branch": "commands of another branch are taken",
        "runs/unpinned": "a restored run plays by the content current now",
        "cohort/late-a-day": "enrolment stays open a day longer than the course says",
        "cohort/two-at-once": "a member takes two courses at a time",
        "cohort/unlisted": "a pupil goes from any stage into any other",
        "cohort/lesson-a-day-late": "a lesson may be finished a day later than the course says",
        "cohort/review-forgotten": "a review is graded and changes no memory",
        "cohort/mastery-unasked": "who mastered too little graduates",
        "cohort/leaver-invited": "a graduate who wishes to leave is invited",
        "cohort/seats-ignored": "invitations that stand hold no seat",
        "cohort/market-told": "the secret of the market is told while the course runs",
        "mock/suitability-unasked": "an asset above the member's level can be bought",
        "mock/level-unconfirmed": "a changed level counts before it is confirmed",
        "mock/plan-unasked": "orders are taken before there is a plan",
        "mock/debrief-unasked": "orders are taken while a debrief is owed",
        "mock/cash-spent-twice": "a purchase leaves the cash it costs where it was",
        "mock/known-price": "an order gets the last known price, not the next",
        "mock/sale-rounds-up": "a sale brings a fen more than the units are worth",
        "mock/tier-a-day-off": "the redemption fee counts a day more than was held",
        "mock/last-in-first-out": "the newest units are redeemed first",
        "mock/cash-a-day-early": "money comes a market day too early",
        "mock/gate-open": "what is suspended is redeemed all the same",
        "mock/cancelled-after-all": "an order that has its price is taken back",
        "mock/turnover-free": "trading much costs no points",
        "random/no-purpose": "streams of different purposes are the same",
        "time/utc-day": "the business day turns at midnight UTC",
        "commit/acknowledged-first": "commands are acknowledged before they are durable",
        "commit/told-twice": "subscribers are told an event twice",
        "keys/forgotten": "a restart forgets the commands it was sent before",
        "record/unchecked": "the hash of a record is not checked",
        "snapshot/not-synced": "a snapshot gets its name before it is on the disk",
        "store/syncs-seldom": "SQLite syncs at checkpoints only",
    }

    /// Number of the mutant that is planted, from 1; 0 for none.
    static PLANTED: AtomicUsize = AtomicUsize::new(0);
    static CALLS: AtomicU64 = AtomicU64::new(0);

    /// Plants the mutant `name`, or none, in place of what was planted before; whether there is
    /// such a mutant.
    pub fn plant(name: Option<&str>) -> bool {
        let Some(name) = name else {
            PLANTED.store(0, Ordering::SeqCst);
            return true;
        };
        let place = ALL.iter().position(|mutant| mutant.name == name);
        if let Some(place) = place {
            PLANTED.store(place + 1, Ordering::SeqCst);
        }
        place.is_some()
    }

    /// The mutant that is planted.
    #[must_use]
    pub fn current() -> Option<&'static Mutant> {
        ALL.get(PLANTED.load(Ordering::SeqCst).checked_sub(1)?)
    }

    /// Whether the program is to take the wrong turn `name`.
    #[inline]
    #[must_use]
    pub fn planted(name: &'static str) -> bool {
        match PLANTED.load(Ordering::Relaxed) {
            0 => false,
            number => ALL[number - 1].name == name,
        }
    }

    /// How often this was asked: what a draw may never depend on.
    #[must_use]
    pub fn calls() -> u64 {
        CALLS.fetch_add(1, Ordering::SeqCst)
    }
}
