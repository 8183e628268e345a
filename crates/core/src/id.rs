//! Domain ids. An id names its branch and a number that the branch's engine gave out, in order,
//! starting at 1; it is written `m7-1204` (member 1204 of branch 7) and is never reused.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A branch of the bank. One branch is one shard: one engine, one journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BranchId(pub u16);

impl fmt::Display for BranchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

impl FromStr for BranchId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix('b').ok_or(IdError { expected: "b1" })?;
        parse_plain(digits).map(BranchId).ok_or(IdError { expected: "b1" })
    }
}

/// What kind of thing an [`Id`] names; the prefix keeps a member's id from being taken for a
/// community's.
pub trait Kind {
    /// One letter, first in the written form.
    const PREFIX: char;
    /// An example of the written form, for error texts.
    const EXAMPLE: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $tag:ident, $alias:ident, $prefix:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $tag;
        impl Kind for $tag {
            const PREFIX: char = $prefix;
            const EXAMPLE: &'static str = $example;
        }
        #[doc = concat!("Id written like `", $example, "`.")]
        pub type $alias = Id<$tag>;
    )*};
}

kinds! {
    /// A customer in a community.
    MemberKind, MemberId, 'm', "m1-42";
    /// A customer group.
    CommunityKind, CommunityId, 'c', "c1-3";
    /// A relationship manager.
    ManagerKind, ManagerId, 'g', "g1-5";
    /// One launched instance of a quest.
    RunKind, RunId, 'r', "r1-9";
    /// One quiz round of a run.
    RoundKind, RoundId, 'q', "q1-31";
    /// One Moments post of a run.
    PostKind, PostId, 'p', "p1-8";
    /// One started instance of a course.
    CohortKind, CohortId, 'k', "k1-2";
}

/// A number given out by a branch's engine, tagged with what it names.
pub struct Id<K> {
    /// The branch whose engine gave out the number.
    pub branch: BranchId,
    /// 1, 2, 3 ... in the order of creation.
    pub seq: u32,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// The id of number `seq` in `branch`.
    #[must_use]
    pub const fn new(branch: BranchId, seq: u32) -> Self {
        Self { branch, seq, kind: PhantomData }
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        (self.branch, self.seq) == (other.branch, other.seq)
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.branch, self.seq).cmp(&(other.branch, other.seq))
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.branch, self.seq).hash(state);
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}-{}", K::PREFIX, self.branch.0, self.seq)
    }
}

/// The text is no id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind; one looks like `{expected}`")]
pub struct IdError {
    /// A well-formed example.
    pub expected: &'static str,
}

/// Digits only, no sign, no leading zero: every id has exactly one spelling.
fn parse_plain<N: FromStr>(digits: &str) -> Option<N> {
    let plain = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    plain.then(|| digits.parse().ok()).flatten()
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let parsed = text.strip_prefix(K::PREFIX).and_then(|rest| {
            let (branch, seq) = rest.split_once('-')?;
            Some(Self::new(BranchId(parse_plain(branch)?), parse_plain(seq)?))
        });
        parsed.filter(|id| id.seq > 0).ok_or(IdError { expected: K::EXAMPLE })
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.branch, self.seq).serialize(serializer)
        }
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            let (branch, seq) = Deserialize::deserialize(deserializer)?;
            Ok(Self::new(branch, seq))
        }
    }
}

/// A name out of the content: `steady-90d`, or `wealth/steady-90d` for a file in a folder.
/// Lower-case ASCII letters, digits, `-` and `_`, segments joined by `/`, 1 to 96 bytes. Never a
/// path: `.` is not allowed, so `..` cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(std::sync::Arc<str>);

impl Slug {
    /// Longest slug, in bytes.
    pub const LEN_MAX: usize = 96;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no slug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an id: use lower-case letters, digits, `-` and `_`, segments joined by `/`, at most 96 characters"
)]
pub struct SlugError(pub String);

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        let segment_ok = |segment: &str| {
            !segment.is_empty()
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        };
        if text.len() <= Self::LEN_MAX && text.split('/').all(segment_ok) {
            Ok(Self(text.into()))
        } else {
            // The offending text is shown, but never more of it than a slug may hold.
            Err(SlugError(text.chars().take(Self::LEN_MAX).collect()))
        }
    }
}

impl TryFrom<String> for Slug {
    type Error = SlugError;

    fn try_from(text: String) -> Result<Self, SlugError> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0.as_ref().to_owned()
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A BLAKE3 digest: of a content pack, of an engine's state, of a journal record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of `self` followed by `bytes`: one link of a chain.
    #[must_use]
    pub fn chain(&self, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(bytes);
        Self(*hasher.finalize().as_bytes())
    }

    /// The first 12 hexadecimal digits, enough to tell two apart by eye.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        blake3::Hash::from_hex(text)
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(|_| IdError { expected: "64 hexadecimal digits" })
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(u16, u32)>) {
        let parsed = text.parse::<MemberId>().ok().map(|id| (id.branch.0, id.seq));
        assert_eq!(parsed, expected, "{text}");
        if parsed.is_some() {
            assert_eq!(text.parse::<MemberId>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        check("m1-42", Some((1, 42)));
        check("m0-1", Some((0, 1)));
        for bad in [
            "",
            "m",
            "m1",
            "m1-",
            "m1-0",
            "m01-1",
            "m1-01",
            "m1-+1",
            "c1-1",
            "m1-4294967296",
            "m1-1 ",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn a_slug_is_never_a_path() {
        for good in ["a", "wealth/steady-90d", "n_1"] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "/", "a/", "/a", "../a", "a//b", "A", "灯", "a b", "a\0", "%2e", "a\\b"] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
        assert!("x".repeat(97).parse::<Slug>().is_err());
    }
}
