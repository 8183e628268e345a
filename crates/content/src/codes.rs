//! Every code a check can give, in one table. A code, once released, keeps its meaning.

/// A code of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Code(&'static str);

impl Code {
    /// As printed: `C0201`.
    pub(crate) fn as_str(self) -> &'static str {
        self.0
    }
}

macro_rules! codes {
    ($($name:ident = $code:literal;)*) => {
        $(pub(crate) const $name: Code = Code($code);)*

        /// Codes in order, each with its page.
        const TABLE: &[(&str, &str)] =
            &[$(($code, include_str!(concat!("pages/", $code, ".md")))),*];
        const CODES: &[&str] = &[$($code),*];
    };
}

codes! {
    // Files and syntax.
    TOO_MUCH = "C0001";
    BYTE_ORDER_MARK = "C0002";
    HIDDEN_CHARACTER = "C0003";
    SYNTAX = "C0004";
    FULL_WIDTH = "C0005";
    FIELD_TWICE = "C0006";
    KEY_TWICE = "C0007";
    UNKNOWN_FIELD = "C0008";
    MISSING_FIELD = "C0009";
    UNKNOWN_NAME = "C0010";
    WRONG_VALUE = "C0011";
    BAD_TEXT = "C0012";
    WRONG_SCHEMA = "C0013";
    UNKNOWN_FOLDER = "C0014";
    FILE_TWICE = "C0016";
    POINTS_MISSING = "C0017";
    // Ids and references.
    BAD_ID = "C0101";
    ID_TWICE = "C0102";
    WAS_CLASH = "C0103";
    WAS_CYCLE = "C0104";
    DEAD_PRODUCT = "C0105";
    DEAD_QUESTION = "C0106";
    DEAD_RULE = "C0107";
    DEAD_NOTICE = "C0108";
    OLD_ID = "C0109";
    REFERENCE_TWICE = "C0110";
    // Questions and facts.
    DEAD_FACT = "C0201";
    CHANGED_FACT = "C0202";
    PAGE_VERSION = "C0203";
    FACT_KIND = "C0204";
    AMOUNT_IDLE = "C0205";
    CLAIM_SPELLING = "C0206";
    SOURCE_PRODUCT = "C0207";
    SHEET_KIND = "C0208";
    ANSWER_IN_STEM = "C0209";
    OPTION_TWICE = "C0210";
    OPTION_LONG = "C0211";
    OPTION_COUNT = "C0212";
    DIFFICULTY = "C0213";
    EDUCATION_SHOWS_PRODUCT = "C0214";
    TYPED_EMPTY = "C0215";
    TOLERANCE = "C0216";
    LANGUAGES_DIFFER = "C0217";
    NO_QUESTIONS = "C0218";
    // Rewards and cost.
    FORBIDDEN_TRIGGER = "C0301";
    PAY_RANGE = "C0302";
    CONDITION_MISFIT = "C0303";
    CONDITION_DEEP = "C0304";
    CONDITION_NEVER = "C0305";
    VERSION_ORDER = "C0306";
    VERSION_DATES = "C0307";
    RULE_NEVER_FIRES = "C0308";
    COST_ABOVE_BUDGET = "C0309";
    COST_UNBOUNDED = "C0310";
    LIKE_REWARDED = "C0311";
    CAP_RANGE = "C0312";
    PAY_ABOVE_CAP = "C0313";
    POINTS_PROGRAMME = "C0314";
    PAY_MISFIT = "C0315";
    NO_VERSION_AHEAD = "C0316";
    // Moments and WeChat.
    MOMENTS_FORBIDDEN = "C0401";
    SENDER_ROLE = "C0402";
    LIKE_OVERRIDE = "C0403";
    POSTS_PER_DAY = "C0404";
    WINDOW_HOURS = "C0405";
    CARD_LINK = "C0406";
    CARD_INDUCES = "C0407";
    MOMENTS_NO_QUESTION = "C0408";
    // Words, notices, approval.
    BLOCKED_WORD = "C0501";
    LOW_RISK_WORD = "C0502";
    NOTICE_NEEDED = "C0503";
    NOTICE_UNDEFINED = "C0504";
    APPROVAL_EMPTY = "C0505";
    APPROVAL_EXPIRED = "C0506";
    APPROVAL_SHORT = "C0507";
    WORD_LIST = "C0508";
    // Products.
    BENCHMARK_BASIS = "C0601";
    BENCHMARK_RANGE = "C0602";
    PERFORMANCE = "C0603";
    FEE_TIERS = "C0604";
    SHORT_HOLDING_FEE = "C0605";
    PRIVATE_OFFERING = "C0606";
    STALE = "C0607";
    AS_OF_FUTURE = "C0608";
    CURRENCY = "C0609";
    MIN_AMOUNT = "C0610";
    ZERO_PAGE_VERSION = "C0611";
    NO_SOURCE = "C0612";
    YIELD_MISFIT = "C0613";
    LOCK_UP = "C0614";
    FEE_ABOVE_ALL = "C0615";
    // Quests: quiz, streak, frame.
    QUEST_DAYS = "C0701";
    QUEST_SIZE = "C0702";
    AUDIENCE = "C0703";
    AUDIENCE_UNKNOWN = "C0704";
    ROUND_DAY = "C0705";
    ROUND_HOURS = "C0706";
    ROUND_ORDER = "C0707";
    ROUND_SIZE = "C0708";
    QUESTION_AGAIN = "C0709";
    ATTEMPTS = "C0710";
    CORRECTION_DAYS = "C0711";
    CURVE = "C0712";
    PRODUCT_SHARE = "C0713";
    REVEAL_EARLY = "C0714";
    EDUCATION_SELLS = "C0715";
    FREEZES = "C0716";
    LENIENCY = "C0717";
    MAKE_UPS = "C0718";
    COMEBACK = "C0719";
    PHRASE = "C0720";
    PHRASE_MACHINE = "C0721";
    PHRASE_TWICE = "C0722";
    PHRASE_NONE = "C0723";
    PHRASE_MOMENTS = "C0724";
    REFERRAL_DEPTH = "C0725";
    // Communities.
    CAPACITY = "C0801";
    TOUCH = "C0802";
    QUIET_HOURS = "C0803";
    // Courses.
    COURSE_FILES = "C0901";
    DEAD_ASSESSMENT = "C0902";
    LESSON_DAY = "C0903";
    COURSE_DAYS = "C0904";
    COURSE_QUIZ_TIMES = "C0905";
    CONCEPT_UNTAUGHT = "C0906";
    REVIEW_ITEM = "C0907";
    FEW_QUESTIONS = "C0908";
    ASKED_TWICE = "C0909";
    PAIRED = "C0910";
    EDUCATION_SHARE = "C0911";
    PRODUCT_EARLY = "C0912";
    BLOCK_LONG = "C0913";
    FEW_BLOCKS = "C0914";
    LESSON_MINUTES = "C0915";
    FORMULA = "C0916";
    WORKED = "C0917";
    COMPUTE = "C0918";
    MOCK_TASK = "C0919";
    SCORE_SUM = "C0920";
    BANDS = "C0921";
    DRAWDOWN_LIMITS = "C0922";
    GRADUATION = "C0923";
    MIGRATION = "C0924";
    COURSE_NUMBER = "C0925";
    ASSESSMENT_QUESTION = "C0926";
    ASSESSMENT_LEVELS = "C0927";
    ASSESSMENT_LIMITS = "C0928";
    DEAD_SCENARIO = "C0929";
    SCRIPT_DAYS = "C0930";
    LESSON_SHOCK = "C0931";
    DESTINATION_UNKNOWN = "C0932";
    // Mock markets and scenarios.
    DEAD_MARKET = "C1001";
    SHOCK_TARGET = "C1002";
    PRICE_SHOCKS = "C1003";
    CRASHES = "C1004";
    SHOCK_EARLY = "C1005";
    SHOCK_DAY = "C1006";
    SCENARIO_DAYS = "C1007";
    SHOCK_SIZE = "C1008";
    SHOCK_TWICE = "C1009";
    MODEL_RANGE = "C1010";
    HISTORY_DAYS = "C1011";
    REAL_INDEX = "C1012";
    ASSET_RISK = "C1013";
    ASSETS = "C1014";
    ASSET_FEES = "C1015";
    ASSET_TRADING = "C1016";
    ASSET_PRICE = "C1017";
    SHEET_DIFFERS = "C1018";
    CLOSED_DAYS = "C1019";
    MARKET_TARGET = "C1020";
}

/// All codes, in order.
#[must_use]
pub fn codes() -> &'static [&'static str] {
    CODES
}

/// What a code means in a few words: Chinese, English.
#[must_use]
pub fn title(code: &str) -> Option<(&'static str, &'static str)> {
    // `# C0201 产品页上没有这个事实: the page does not state this`
    let heading = explain(code)?.lines().next()?;
    heading.splitn(3, ' ').nth(2)?.split_once(": ")
}

/// The page of a code in Markdown: why the rule exists, an example that breaks it, what is said,
/// and the cure. Upper and lower case are the same.
#[must_use]
pub fn explain(code: &str) -> Option<&'static str> {
    TABLE.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|&(_, page)| page)
}
