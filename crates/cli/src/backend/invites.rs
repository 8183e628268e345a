//! Invites: signed, so that they need no table; a member's is noted as used when it is.

use dengmi_api::backend::{Invite, InviteError, InviteTarget, Unavailable};
use dengmi_core::random::Seed;
use dengmi_core::{BranchId, CommunityId, MemberId, Timestamp};
use dengmi_host::Host;
use dengmi_store::{Directory, SessionRow, Store, StoreError};
use uuid::Uuid;

use super::unavailable;

/// Bytes of an invite before its signature: kind, branch, number within it, own number, expiry.
const LEN: usize = 1 + 2 + 4 + 8 + 8;
/// Bytes of the signature: 128 bits, which nobody guesses over a network.
const MAC: usize = 16;

fn branch_of(target: InviteTarget) -> BranchId {
    match target {
        InviteTarget::Community(id) => id.branch,
        InviteTarget::Member(id) => id.branch,
    }
}

fn sign(seed: &Seed, payload: &[u8]) -> [u8; MAC] {
    let key = blake3::derive_key("dengmi invite key v1", &seed.0);
    let mut mac = [0; MAC];
    mac.copy_from_slice(&blake3::keyed_hash(&key, payload).as_bytes()[..MAC]);
    mac
}

/// Compares without telling by its time how much was right.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn encode(seed: &Seed, invite: Invite, expires: Timestamp) -> String {
    let (kind, seq) = match invite.target {
        InviteTarget::Community(id) => (b'c', id.seq),
        InviteTarget::Member(id) => (b'm', id.seq),
    };
    let mut bytes = vec![kind];
    bytes.extend(branch_of(invite.target).0.to_be_bytes());
    bytes.extend(seq.to_be_bytes());
    bytes.extend(invite.number.to_be_bytes());
    bytes.extend(expires.0.to_be_bytes());
    let mac = sign(seed, &bytes);
    bytes.extend(mac);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a token says, if its signature is good. `seed` gives the seed of a branch.
fn decode(token: &str, seed: impl Fn(BranchId) -> Option<Seed>) -> Option<(Invite, Timestamp)> {
    // One spelling only: a used invite must not pass for another one.
    let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if token.len() != 2 * (LEN + MAC) || !token.bytes().all(plain) {
        return None;
    }
    let digit = |at: usize| token.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    let bytes: Option<Vec<u8>> = (0..token.len()).step_by(2).map(digit).collect();
    let bytes = bytes?;
    let (payload, mac) = bytes.split_at(LEN);
    let (kind, rest) = payload.split_first()?;
    let (branch, rest) = rest.split_first_chunk()?;
    let (seq, rest) = rest.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (expires, _) = rest.split_first_chunk()?;
    let branch = BranchId(u16::from_be_bytes(*branch));
    if !same(mac, &sign(&seed(branch)?, payload)) {
        return None;
    }
    let seq = u32::from_be_bytes(*seq);
    let target = match kind {
        b'c' => InviteTarget::Community(CommunityId::new(branch, seq)),
        b'm' => InviteTarget::Member(MemberId::new(branch, seq)),
        _ => return None,
    };
    let invite = Invite { target, number: u64::from_be_bytes(*number) };
    Some((invite, Timestamp(i64::from_be_bytes(*expires))))
}

/// Signs an invite.
pub(super) fn issue<S: Store>(
    host: &Host<S>,
    target: InviteTarget,
    expires: Timestamp,
) -> Result<String, Unavailable> {
    let meta = host.meta(branch_of(target)).ok_or(Unavailable)?;
    let mut number = [0; 8];
    getrandom::fill(&mut number).map_err(|_| Unavailable)?;
    Ok(encode(&meta.seed, Invite { target, number: u64::from_be_bytes(number) }, expires))
}

/// Checks an invite; a member's is used up.
pub(super) async fn redeem<S: Store>(
    host: &Host<S>,
    directory: &S,
    token: &str,
    key: Uuid,
) -> Result<Result<Invite, InviteError>, Unavailable> {
    let seed = |branch| host.meta(branch).map(|meta| meta.seed);
    let Some((invite, expires)) = decode(token, seed) else {
        return Ok(Err(InviteError::Invalid));
    };
    let now = host.now();
    if now >= expires {
        return Ok(Err(InviteError::Expired));
    }
    if let InviteTarget::Member(_) = invite.target
        && !first_use(directory, token, key, now, expires).await?
    {
        return Ok(Err(InviteError::Used));
    }
    Ok(Ok(invite))
}

/// Notes the use of an invite, until it expires, among the sessions: a row that no token opens.
/// True where it is the first use, or the same request again.
async fn first_use(
    directory: &impl Directory,
    token: &str,
    key: Uuid,
    now: Timestamp,
    expires: Timestamp,
) -> Result<bool, Unavailable> {
    let token_hash = blake3::derive_key("dengmi used invite v1", token.as_bytes());
    let principal = [b"i".as_slice(), key.as_bytes()].concat();
    let row = SessionRow {
        token_hash,
        principal: principal.clone(),
        created: now,
        expires,
        last_seen: now,
    };
    match directory.insert_session(row).await {
        Ok(()) => Ok(true),
        Err(StoreError::Taken { .. }) => {
            let used = directory.session(token_hash).await.map_err(unavailable)?;
            Ok(used.is_some_and(|row| row.principal == principal))
        }
        Err(error) => Err(unavailable(error)),
    }
}

#[cfg(test)]
mod tests {
    use dengmi_store::MemoryStore;

    use super::*;

    const SEED: Seed = Seed([7; 32]);
    const AT: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn only_an_unchanged_invite_is_good() {
        let target = InviteTarget::Member(MemberId::new(BranchId(1), 42));
        let invite = Invite { target, number: 9 };
        let token = encode(&SEED, invite, AT);
        let seed = |branch: BranchId| (branch.0 == 1).then_some(SEED);
        assert_eq!(decode(&token, seed), Some((invite, AT)));
        for at in 0..token.len() {
            let other = if &token[at..=at] == "0" { "1" } else { "0" };
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert_eq!(decode(&changed, seed), None, "digit {at}");
        }
        assert_eq!(decode(&token.to_uppercase(), seed), None);
        assert_eq!(decode(&token.replacen("0", "+", 1), seed), None);
        assert_eq!(decode(&token, |_| Some(Seed([8; 32]))), None);
        for bad in ["", "zz", &token[2..], &format!("{token}00"), &"é".repeat(39)] {
            assert_eq!(decode(bad, seed), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_members_invite_works_once() {
        let store = MemoryStore::new();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let later = AT.plus_ms(1_000);
        assert!(first_use(&store, "invite", one, AT, later).await.unwrap());
        assert!(first_use(&store, "invite", one, AT, later).await.unwrap(), "the same request");
        assert!(!first_use(&store, "invite", two, AT, later).await.unwrap());
        assert!(first_use(&store, "another", two, AT, later).await.unwrap());
    }
}
