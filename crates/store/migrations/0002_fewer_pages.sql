-- Both indexes of the ledger took the entries of one commit to as many pages as there were
-- members, and a commit writes every page it changes to the log: 55 of them for 34 check-ins.

-- Blocks of 1,024 entries fill a handful of pages, where 8,192 fill thirty.
DROP INDEX ledger_member;
CREATE INDEX ledger_member ON ledger (branch, entry / 1024, member);

-- The same cause is never rewarded twice by the same rule, whatever the code above does. 62 members
-- in a row share a row, with a bit each.
CREATE TABLE award (
    branch  INTEGER NOT NULL,
    rule    TEXT    NOT NULL,
    cause   BLOB    NOT NULL,
    block   INTEGER NOT NULL,
    members INTEGER NOT NULL,
    PRIMARY KEY (branch, rule, cause, block)
) STRICT, WITHOUT ROWID;

INSERT INTO award (branch, rule, cause, block, members)
SELECT branch, rule, cause, member / 62, SUM(1 << (member % 62)) FROM ledger
WHERE kind = 0 GROUP BY branch, rule, cause, member / 62;

DROP INDEX ledger_award;

CREATE TRIGGER ledger_award AFTER INSERT ON ledger WHEN NEW.kind = 0
BEGIN
    INSERT INTO award (branch, rule, cause, block, members)
    VALUES (NEW.branch, NEW.rule, NEW.cause, NEW.member / 62, 1 << (NEW.member % 62))
    ON CONFLICT (branch, rule, cause, block) DO UPDATE SET members =
        CASE members & excluded.members
            WHEN 0 THEN members | excluded.members
            ELSE RAISE(ROLLBACK, 'this cause was rewarded by this rule before')
        END;
END;

CREATE TRIGGER ledger_award_cut AFTER DELETE ON ledger WHEN OLD.kind = 0
BEGIN
    UPDATE award SET members = members & ~(1 << (OLD.member % 62))
    WHERE branch = OLD.branch AND rule = OLD.rule AND cause = OLD.cause
        AND block = OLD.member / 62;
END;
