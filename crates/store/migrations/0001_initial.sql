-- Times are milliseconds since 1970 in UTC, days are days since 1970. Bodies are encoded by the
-- code beside these tables; everything an accountant or an operator asks for is a column.

CREATE TABLE branch (
    branch   INTEGER NOT NULL PRIMARY KEY,
    seed     BLOB    NOT NULL,
    branches INTEGER NOT NULL,
    content  BLOB    NOT NULL,
    created  INTEGER NOT NULL
) STRICT;

-- One row per batch. `hash` covers the row and, by `prev`, all rows before it.
CREATE TABLE journal (
    branch INTEGER NOT NULL REFERENCES branch (branch),
    seq    INTEGER NOT NULL CHECK (seq > 0),
    at     INTEGER NOT NULL,
    prev   BLOB    NOT NULL,
    hash   BLOB    NOT NULL,
    body   BLOB    NOT NULL,
    PRIMARY KEY (branch, seq)
) STRICT;

-- Torn last records that were taken out of the journal, kept for whoever investigates.
CREATE TABLE journal_cut (
    branch INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    prev   BLOB    NOT NULL,
    hash   BLOB    NOT NULL,
    body   BLOB    NOT NULL,
    why    TEXT    NOT NULL
) STRICT;

-- kind: 0 award, 1 redemption, 2 expiry, 3 reversal.
-- from_kind, to_kind: 0 issue, 1 member, 2 redemption, 3 expiry, 4 house; at most one of the two
-- is a member, and `member` is their number.
-- seq: the batch that booked the entry. cause: what it goes back to, encoded.
CREATE TABLE ledger (
    branch       INTEGER NOT NULL,
    entry        INTEGER NOT NULL CHECK (entry > 0),
    seq          INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    day          INTEGER NOT NULL,
    kind         INTEGER NOT NULL,
    from_kind    INTEGER NOT NULL,
    to_kind      INTEGER NOT NULL CHECK (to_kind <> from_kind),
    member       INTEGER,
    points       INTEGER NOT NULL CHECK (points > 0),
    rule         TEXT,
    rule_code    INTEGER,
    rule_version INTEGER,
    cause        BLOB    NOT NULL,
    PRIMARY KEY (branch, entry),
    CHECK (kind <> 0 OR (rule IS NOT NULL AND member IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- A member's entries, by blocks of 8192 entries. With the member first, every entry of a commit
-- changes another page of the index: commits of 512 entries then took four times as long, with
-- 200,000 entries of 10,000 members stored.
CREATE INDEX ledger_member ON ledger (branch, entry / 8192, member);

-- The same cause is never rewarded twice by the same rule, whatever the code above does. The member
-- comes last: who does the same thing at the same time then shares pages of the index.
CREATE UNIQUE INDEX ledger_award ON ledger (branch, rule, cause, member) WHERE kind = 0;

CREATE TABLE outbox (
    branch    INTEGER NOT NULL,
    event     INTEGER NOT NULL CHECK (event > 0),
    seq       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    community INTEGER,
    body      BLOB    NOT NULL,
    PRIMARY KEY (branch, event)
) STRICT, WITHOUT ROWID;

-- place: 1, 2, 3 ... in the order of closing. hash: of the body.
CREATE TABLE closed_board (
    branch INTEGER NOT NULL,
    board  BLOB    NOT NULL,
    place  INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    body   BLOB    NOT NULL,
    PRIMARY KEY (branch, board),
    UNIQUE (branch, place)
) STRICT;

-- files: compressed. size: of what they unpack to. hash: of the compressed bytes.
CREATE TABLE pack (
    digest BLOB    NOT NULL PRIMARY KEY,
    size   INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    files  BLOB    NOT NULL
) STRICT;

-- The one table with personal data.
CREATE TABLE person (
    branch     INTEGER NOT NULL REFERENCES branch (branch),
    member     INTEGER NOT NULL,
    nickname   TEXT,
    avatar     TEXT,
    channel_id TEXT,
    updated    INTEGER NOT NULL,
    PRIMARY KEY (branch, member)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX person_channel ON person (branch, channel_id);

CREATE TABLE session (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    principal  BLOB    NOT NULL,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_principal ON session (principal);
CREATE INDEX session_expires ON session (expires);

CREATE TABLE account (
    id            INTEGER NOT NULL PRIMARY KEY,
    login         TEXT    NOT NULL UNIQUE,
    password_hash TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    branches      TEXT    NOT NULL,
    disabled      INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created       INTEGER NOT NULL
) STRICT;
