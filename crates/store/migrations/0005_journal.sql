-- A record lay in one tree and its number in another one, so that every commit changed a page of
-- both. With the number as the tree's key it is one page.
CREATE TABLE journal_by_number (
    branch INTEGER NOT NULL REFERENCES branch (branch),
    seq    INTEGER NOT NULL CHECK (seq > 0),
    at     INTEGER NOT NULL,
    prev   BLOB    NOT NULL,
    hash   BLOB    NOT NULL,
    body   BLOB    NOT NULL,
    PRIMARY KEY (branch, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO journal_by_number (branch, seq, at, prev, hash, body)
SELECT branch, seq, at, prev, hash, body FROM journal ORDER BY branch, seq;

DROP TABLE journal;
ALTER TABLE journal_by_number RENAME TO journal;
