-- What members wrote in courses, in their own words: personal data like `person`, and erased with
-- it. The journal holds the hash alone.
CREATE TABLE words (
    branch  INTEGER NOT NULL REFERENCES branch (branch),
    member  INTEGER NOT NULL,
    hash    BLOB    NOT NULL,
    words   TEXT    NOT NULL,
    written INTEGER NOT NULL,
    PRIMARY KEY (branch, member, hash)
) STRICT, WITHOUT ROWID;
