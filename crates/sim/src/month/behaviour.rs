//! How a member of the community month behaves: whole numbers only, draws by counter.
//!
//! Every draw is a function of (seed, purpose, day, member), so it does not depend on how members
//! are divided into branches or threads, nor on what else is drawn.

/// One, in the fixed point that probabilities, engagement and skill are kept in.
pub const ONE: u32 = 1 << 16;

/// `parts` thousandths in fixed point, rounded to the nearest.
const fn thousandths(parts: u32) -> u32 {
    (parts * ONE + 500) / 1_000
}

/// A product of two fixed-point numbers, rounded down.
const fn times(a: u32, b: u32) -> u32 {
    ((a as u64 * b as u64) >> 16) as u32
}

/// Questions of a round.
pub const QUESTIONS: u32 = 3;

const ACTIVE_BASE: u32 = thousandths(50);
const ACTIVE_SLOPE: u32 = thousandths(850);
const LIKE_SLOPE: u32 = thousandths(300);
const COMMENT_SLOPE: u32 = thousandths(100);
const SKILL_STEP: u32 = thousandths(2);
const SKILL_MAX: u32 = thousandths(980);
const KEEP: u32 = thousandths(970);
const LEARN: u32 = thousandths(30);
const PULL_ACTIVE: u32 = thousandths(600);
const PULL_RIGHT: u32 = thousandths(100);
const PULL_IDLE: u32 = thousandths(200);

/// What a draw is for.
#[derive(Clone, Copy)]
enum Purpose {
    Engagement = 1,
    Skill,
    Day,
    Reactions,
}

/// The draws of one seed.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    seed: u64,
}

/// The finaliser of splitmix64: every bit of the result depends on every bit of `x`.
const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The golden ratio in 64 bits, odd: multiples of it spread evenly.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Draws {
    /// The draws of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed: mix(seed ^ GOLDEN) }
    }

    const fn key(self, purpose: Purpose, day: u16) -> u64 {
        mix(self.seed ^ ((purpose as u64) << 32 | day as u64).wrapping_mul(GOLDEN))
    }

    /// What the draws of one day start from.
    #[must_use]
    pub const fn day(self, day: u16) -> DayDraws {
        DayDraws { main: self.key(Purpose::Day, day), reactions: self.key(Purpose::Reactions, day) }
    }
}

const fn draw(key: u64, member: u32) -> u64 {
    mix(key.wrapping_add((member as u64 + 1).wrapping_mul(GOLDEN)))
}

/// Sixteen of the bits of a draw: a number below [`ONE`].
const fn part(draw: u64, index: u32) -> u32 {
    (draw >> (16 * index)) as u32 & (ONE - 1)
}

/// The keys of one day's draws.
#[derive(Clone, Copy, Debug)]
pub struct DayDraws {
    main: u64,
    reactions: u64,
}

/// What changes in a member from day to day, in fixed point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mind {
    /// How much the member takes part, 0 to [`ONE`].
    pub engagement: u32,
    /// How often the member is right, 0 to [`ONE`].
    pub skill: u32,
}

/// What a member does on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// Takes part at all.
    pub active: bool,
    /// Bit n: question n is answered rightly.
    pub right: u8,
    /// Likes the post of the day.
    pub likes: bool,
    /// Comments on the post of the day.
    pub comments: bool,
}

impl Mind {
    /// The member on the first day. Engagement is Beta(2, 3): the second smallest of four even
    /// draws. Skill is even between 0.3 and 0.9.
    #[must_use]
    pub fn new(draws: Draws, member: u32) -> Self {
        let four = draw(draws.key(Purpose::Engagement, 0), member);
        let mut parts = [0, 1, 2, 3].map(|index| part(four, index));
        parts.sort_unstable();
        let skill = part(draw(draws.key(Purpose::Skill, 0), member), 0);
        Self { engagement: parts[1], skill: thousandths(300) + times(thousandths(600), skill) }
    }

    /// Lives through a day.
    #[inline]
    pub fn live(&mut self, day: DayDraws, member: u32) -> Today {
        let main = draw(day.main, member);
        let e = self.engagement;
        let mut today = Today {
            active: part(main, 3) < ACTIVE_BASE + times(ACTIVE_SLOPE, e),
            ..Today::default()
        };
        let mut pull = PULL_IDLE;
        if today.active {
            for question in 0..QUESTIONS {
                today.right |= u8::from(part(main, question) < self.skill) << question;
                self.skill = (self.skill + SKILL_STEP).min(SKILL_MAX);
            }
            let reactions = draw(day.reactions, member);
            today.likes = part(reactions, 0) < times(LIKE_SLOPE, e);
            today.comments = part(reactions, 1) < times(COMMENT_SLOPE, e);
            pull = PULL_ACTIVE + PULL_RIGHT * today.right.count_ones();
        }
        let next = u64::from(KEEP) * u64::from(e) + u64::from(LEARN) * u64::from(pull);
        self.engagement = (((next + u64::from(ONE / 2)) >> 16) as u32).min(ONE);
        today
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Engagement and skill of the first members on the first day.
    const MINDS: [(u32, u32); 6] = [
        (7274, 49932),
        (15876, 30488),
        (28302, 54284),
        (33396, 23753),
        (22400, 22489),
        (12386, 49026),
    ];

    /// What member 3 of seed 7 does on the first days: active, right answers, like, comment; and
    /// engagement and skill after it.
    const DAYS: [(bool, u8, bool, bool, u32, u32); 8] = [
        (false, 0, false, false, 32787, 23753),
        (true, 3, true, false, 33376, 24146),
        (false, 0, false, false, 32768, 24146),
        (true, 1, false, false, 33161, 24539),
        (true, 1, false, false, 33542, 24932),
        (false, 0, false, false, 32929, 24932),
        (true, 4, false, false, 33317, 25325),
        (true, 0, true, false, 33497, 25718),
    ];

    #[test]
    fn draws_keep_their_golden_values() {
        let draws = Draws::new(7);
        let minds = std::array::from_fn(|member| {
            let Mind { engagement, skill } = Mind::new(draws, member as u32);
            (engagement, skill)
        });
        assert_eq!(minds, MINDS);
        let mut mind = Mind::new(draws, 3);
        let days = std::array::from_fn(|day| {
            let Today { active, right, likes, comments } = mind.live(draws.day(day as u16), 3);
            (active, right, likes, comments, mind.engagement, mind.skill)
        });
        assert_eq!(days, DAYS);
        // A thousand members and thirty days in one sum that minds their order.
        let sum = (0..1_000).fold(0u64, |sum, member| {
            let mut mind = Mind::new(draws, member);
            (0..30).fold(sum, |sum, day| {
                let today = mind.live(draws.day(day), member);
                let bits = u64::from(today.active)
                    | u64::from(today.right) << 1
                    | u64::from(today.likes) << 4
                    | u64::from(today.comments) << 5;
                sum.wrapping_mul(31).wrapping_add(bits + u64::from(mind.engagement))
            })
        });
        assert_eq!(sum, 9_289_407_165_627_052_185);
    }
}
