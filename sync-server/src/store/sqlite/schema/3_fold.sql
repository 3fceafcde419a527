-- What the log folds to: everything here is a function of the tables of steps 1 and 2, and is made again beside them by `fsck`.

-- The next entry that the fold looks at. judged: it is a batch, judged, whose first outcome is not logged yet.
CREATE TABLE fold (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    next   INTEGER NOT NULL,
    judged INTEGER NOT NULL
) STRICT;
INSERT INTO fold (one, next, judged) VALUES (1, 0, 0);

-- What each record line was told first, at its batch's entry.
CREATE TABLE firsts (
    batch BLOB NOT NULL,
    line  INTEGER NOT NULL,
    fate  TEXT NOT NULL,
    PRIMARY KEY (batch, line)
) STRICT, WITHOUT ROWID;

-- What became of a record, and what it holds.
CREATE TABLE records (
    unit         TEXT NOT NULL,
    record       TEXT NOT NULL,
    sealed       BLOB NOT NULL,
    fate         TEXT NOT NULL,
    subject      TEXT,
    against      TEXT NOT NULL,
    place        INTEGER,
    batch        BLOB NOT NULL,
    line         INTEGER NOT NULL,
    epoch        INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    holds_id     INTEGER NOT NULL,
    holds_number INTEGER NOT NULL,
    mode         TEXT,
    decision     BLOB,
    blind        INTEGER NOT NULL,
    PRIMARY KEY (unit, record, sealed)
) STRICT, WITHOUT ROWID;
-- subject: the resident of a merged record, the case of a held one.
CREATE INDEX records_subject ON records (subject);
CREATE INDEX records_number ON records (unit, epoch, number) WHERE holds_number = 1;
CREATE INDEX records_batch ON records (batch);
CREATE INDEX records_held ON records (unit, record, sealed) WHERE fate GLOB 'held *';

-- Numbers that a supervisor's withdrawal holds.
CREATE TABLE withdrawn (
    unit   TEXT NOT NULL,
    epoch  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    batch  BLOB NOT NULL,
    PRIMARY KEY (unit, epoch, number, batch)
) STRICT, WITHOUT ROWID;

-- Records that wait for another of their unit.
CREATE TABLE waiting (
    unit   TEXT NOT NULL,
    target TEXT NOT NULL,
    turn   INTEGER NOT NULL,
    record TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (unit, target, turn)
) STRICT, WITHOUT ROWID;

-- With row ids: a table without them keeps a quarter of a page of each row, and a resident is a little more.
CREATE TABLE residents (
    reference TEXT PRIMARY KEY,
    fields    TEXT NOT NULL,
    parts     TEXT NOT NULL,
    sources   TEXT NOT NULL,
    documents TEXT NOT NULL,
    identity  TEXT NOT NULL,
    founded   INTEGER NOT NULL
) STRICT;

-- Under what residents stand, by each version of the rules.
CREATE TABLE resident_keys (
    key       TEXT NOT NULL,
    reference TEXT NOT NULL,
    rules     INTEGER NOT NULL,
    PRIMARY KEY (key, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX resident_keys_of ON resident_keys (reference);

-- What became of each line of a decision.
CREATE TABLE decided (
    id    BLOB NOT NULL,
    line  INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (id, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX decided_waits ON decided (id) WHERE state = 'waits';

-- What was decided about a batch. accepted: in spite of which code; NULL: refused.
CREATE TABLE batches_decided (
    batch    BLOB PRIMARY KEY,
    decision BLOB NOT NULL,
    accepted TEXT
) STRICT, WITHOUT ROWID;
