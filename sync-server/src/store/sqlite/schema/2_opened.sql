-- Logged batches whose records are to be opened, or were. lease: until when (unix) a worker has it.
CREATE TABLE merge_work (
    batch    BLOB PRIMARY KEY,
    idx      INTEGER NOT NULL UNIQUE,
    state    TEXT NOT NULL CHECK (state IN ('open', 'opened', 'folded')),
    lease    INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX merge_open ON merge_work (idx) WHERE state = 'open';
CREATE INDEX merge_due ON merge_work (idx) WHERE due = 1;

-- Record lines that were opened.
CREATE TABLE deliveries (
    batch  BLOB NOT NULL,
    line   INTEGER NOT NULL,
    unit   TEXT NOT NULL,
    record TEXT NOT NULL,
    sealed BLOB NOT NULL,
    found  TEXT NOT NULL,
    PRIMARY KEY (batch, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_record ON deliveries (unit, record, sealed);
-- Records that are held because their opening broke off, or only newer software reads them: looked for at each start, and nearly
-- always none.
CREATE INDEX deliveries_unopened ON deliveries (batch, found) WHERE found IN ('unopened', 'refused upgrade-needed');

-- What an opened record says.
CREATE TABLE essences (
    unit    TEXT NOT NULL,
    record  TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    essence TEXT NOT NULL,
    PRIMARY KEY (unit, record, sealed)
) STRICT;

