-- Two thirds of what a commit of check-ins cost went into two lookups: every entry changed a page
-- of the index by member, and another one of the bits by rule and cause.

-- The entries of members in blocks of 1,024 entries, written once, when a block is complete. Later
-- entries are few enough to be looked through.
DROP INDEX ledger_member;

CREATE TABLE ledger_member (
    branch INTEGER NOT NULL,
    block  INTEGER NOT NULL,
    member INTEGER NOT NULL,
    entry  INTEGER NOT NULL,
    PRIMARY KEY (branch, block, member, entry)
) STRICT, WITHOUT ROWID;

INSERT INTO ledger_member (branch, block, member, entry)
SELECT ledger.branch, entry / 1024, member, entry FROM ledger
JOIN (SELECT branch, (MAX(entry) + 1) / 1024 AS complete FROM ledger GROUP BY branch) AS last
    ON last.branch = ledger.branch AND entry / 1024 < complete
WHERE member IS NOT NULL
ORDER BY 1, 2, 3, 4;

-- The same cause is never rewarded twice by the same rule. Rule and cause have a number, and 62
-- members in a row share a row of bits: key is that number times 2^27, and member / 62.
CREATE TABLE award_cause (
    id     INTEGER NOT NULL PRIMARY KEY,
    branch INTEGER NOT NULL,
    rule   TEXT    NOT NULL,
    cause  BLOB    NOT NULL,
    UNIQUE (branch, rule, cause)
) STRICT;

INSERT INTO award_cause (branch, rule, cause)
SELECT DISTINCT branch, rule, cause FROM award ORDER BY branch, rule, cause;

DROP TRIGGER ledger_award;
DROP TRIGGER ledger_award_cut;
ALTER TABLE award RENAME TO award_before;

CREATE TABLE award (
    key     INTEGER NOT NULL PRIMARY KEY,
    members INTEGER NOT NULL
) STRICT;

INSERT INTO award (key, members)
SELECT id << 27 | block, members FROM award_before
JOIN award_cause USING (branch, rule, cause) ORDER BY 1;

DROP TABLE award_before;

CREATE TRIGGER ledger_award_cut AFTER DELETE ON ledger WHEN OLD.kind = 0
BEGIN
    UPDATE award SET members = members & ~(1 << (OLD.member % 62))
    WHERE key = (
        SELECT id << 27 | OLD.member / 62 FROM award_cause
        WHERE branch = OLD.branch AND rule = OLD.rule AND cause = OLD.cause
    );
END;
