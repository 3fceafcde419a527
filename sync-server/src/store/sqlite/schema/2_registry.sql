-- Logged batches whose records are to be opened, or were. lease: until when (unix) a worker has it.
CREATE TABLE merge_work (
    batch    BLOB PRIMARY KEY,
    idx      INTEGER NOT NULL UNIQUE,
    state    TEXT NOT NULL CHECK (state IN ('open', 'done')),
    lease    INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    unit_key TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX merge_open ON merge_work (idx) WHERE state = 'open';
CREATE INDEX merge_due ON merge_work (idx) WHERE due = 1;
CREATE INDEX merge_unit_key ON merge_work (unit_key);

-- Up to which roster's revocations the tables below are folded.
CREATE TABLE merge_roster (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT;

-- Record lines that were opened. found: 'signed', 'refused', 'unopened'.
CREATE TABLE deliveries (
    batch         BLOB NOT NULL,
    line          INTEGER NOT NULL,
    unit          TEXT NOT NULL,
    record        TEXT NOT NULL,
    sealed        BLOB NOT NULL,
    epoch         INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    finished      INTEGER NOT NULL,
    seen          INTEGER NOT NULL,
    roster        INTEGER NOT NULL,
    before_seen   INTEGER,
    before_roster INTEGER,
    agent_key     TEXT NOT NULL,
    found         TEXT NOT NULL CHECK (found IN ('signed', 'refused', 'unopened')),
    code          TEXT,
    PRIMARY KEY (batch, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_record ON deliveries (unit, record, sealed);
CREATE INDEX deliveries_agent ON deliveries (agent_key);

-- What an opened record says.
CREATE TABLE essences (
    unit     TEXT NOT NULL,
    record   TEXT NOT NULL,
    sealed   BLOB NOT NULL,
    kind     TEXT NOT NULL,
    target   TEXT,
    fields   TEXT NOT NULL,
    parts    TEXT NOT NULL,
    PRIMARY KEY (unit, record, sealed)
) STRICT, WITHOUT ROWID;

-- Records that share a link can influence each other.
CREATE TABLE links (
    link   TEXT NOT NULL,
    unit   TEXT NOT NULL,
    record TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (link, unit, record, sealed)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_of ON links (unit, record, sealed);

CREATE TABLE fates (
    unit   TEXT NOT NULL,
    record TEXT NOT NULL,
    sealed BLOB NOT NULL,
    fate   TEXT NOT NULL,
    subject TEXT,
    PRIMARY KEY (unit, record, sealed)
) STRICT, WITHOUT ROWID;
-- subject: the resident of a merged record, the case of a held one.
CREATE INDEX fates_subject ON fates (subject);

CREATE TABLE residents (
    reference TEXT PRIMARY KEY,
    fields    TEXT NOT NULL,
    parts     TEXT NOT NULL,
    sources   TEXT NOT NULL,
    number    TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX residents_number ON residents (number);
