-- Where the database stands: everything below says what the log says up to here.
CREATE TABLE position (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    size     INTEGER NOT NULL,
    root     BLOB NOT NULL,
    segment  BLOB NOT NULL,
    received INTEGER NOT NULL
) STRICT;

-- Leaves, byte for byte.
CREATE TABLE entries (
    idx      INTEGER PRIMARY KEY,
    received INTEGER NOT NULL,
    leaf     BLOB NOT NULL
) STRICT;
-- The first entry that was logged later than a time: what ends a key that was kept.
CREATE INDEX entries_received ON entries (received, idx);

-- Entries that the fold looks at.
CREATE TABLE events (
    idx INTEGER PRIMARY KEY
) STRICT;

-- Entries that say of a batch that what was held unopened is open.
CREATE TABLE opened (
    batch BLOB NOT NULL,
    idx   INTEGER NOT NULL,
    PRIMARY KEY (batch, idx)
) STRICT, WITHOUT ROWID;

-- Entries that name a version of the rules.
CREATE TABLE rules (
    idx     INTEGER PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT;

-- Hashes of complete subtrees, in the dense order of C2SP tlog-tiles: a proof reads O(log n) of them.
CREATE TABLE hashes (
    idx  INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;

-- Every key that a roster ever listed, with the entry that listed it first.
CREATE TABLE keys (
    key      TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    role     TEXT NOT NULL,
    admitted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How a roster ended a key: at an index, or for what is logged later than a time. A later row is never a later end.
CREATE TABLE ends (
    key   TEXT NOT NULL,
    idx   INTEGER NOT NULL,
    cut   INTEGER,
    until INTEGER,
    PRIMARY KEY (key, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
    id           BLOB PRIMARY KEY,
    idx          INTEGER NOT NULL UNIQUE,
    received     INTEGER NOT NULL,
    unit         TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    previous     BLOB,
    manifest     BLOB NOT NULL,
    payload      BLOB NOT NULL,
    payload_size INTEGER NOT NULL,
    lines        INTEGER NOT NULL,
    quarantined  TEXT,
    roster       INTEGER NOT NULL,
    unit_key     TEXT NOT NULL,
    approver     TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_place ON batches (unit, epoch, sequence);
CREATE INDEX batches_previous ON batches (previous);
CREATE INDEX batches_unit_key ON batches (unit_key, idx);
CREATE INDEX batches_approver ON batches (approver, idx);
-- Whether a unit forked is asked for each of its batches, and nearly none has: these few are found at once.
CREATE INDEX batches_forked ON batches (unit, epoch, sequence) WHERE quarantined = 'fork';
-- And whoever lists what waits for a person looks at these only.
CREATE INDEX batches_quarantined ON batches (idx) WHERE quarantined IS NOT NULL;

-- Record and withdrawn lines of logged manifests; sealed is NULL for a withdrawn one. key: the agent's, or the supervisor's.
CREATE TABLE lines (
    batch  BLOB NOT NULL,
    line   INTEGER NOT NULL,
    unit   TEXT NOT NULL,
    epoch  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    record TEXT NOT NULL,
    sealed BLOB,
    start  INTEGER NOT NULL,
    size   INTEGER NOT NULL,
    roster INTEGER NOT NULL,
    key    TEXT NOT NULL,
    idx    INTEGER NOT NULL,
    PRIMARY KEY (batch, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX lines_number ON lines (unit, epoch, number);
CREATE INDEX lines_record ON lines (unit, record);
CREATE INDEX lines_id ON lines (record);
CREATE INDEX lines_key ON lines (key, idx);

-- The lowest index of a head that leads to a batch, with the entry that made the link.
CREATE TABLE links (
    batch BLOB NOT NULL,
    since INTEGER NOT NULL,
    head  INTEGER NOT NULL,
    PRIMARY KEY (batch, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_since ON links (since);

CREATE TABLE rosters (
    version  INTEGER PRIMARY KEY,
    idx      INTEGER NOT NULL UNIQUE,
    received INTEGER NOT NULL,
    note     BLOB NOT NULL
) STRICT;

CREATE TABLE outcomes (
    batch   BLOB NOT NULL,
    version INTEGER NOT NULL,
    idx     INTEGER NOT NULL UNIQUE,
    note    BLOB NOT NULL,
    PRIMARY KEY (batch, version)
) STRICT, WITHOUT ROWID;

-- Decisions and second signatures, by the blob that the log names.
CREATE TABLE decisions (
    idx  INTEGER PRIMARY KEY,
    id   BLOB NOT NULL,
    blob BLOB NOT NULL,
    key  TEXT NOT NULL,
    note BLOB NOT NULL
) STRICT;
CREATE INDEX decisions_id ON decisions (id, idx);
CREATE INDEX decisions_blob ON decisions (blob);
CREATE INDEX decisions_key ON decisions (key, idx);

-- From this index on the work of this key is quarantined.
CREATE TABLE freezes (
    key TEXT PRIMARY KEY,
    idx INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every hello of a key by its counter; the first of a counter stands, later ones of it are kept beside.
CREATE TABLE hellos (
    key      TEXT NOT NULL,
    counter  INTEGER NOT NULL,
    id       BLOB NOT NULL,
    first    INTEGER NOT NULL,
    state    TEXT NOT NULL,
    note     BLOB NOT NULL,
    PRIMARY KEY (key, counter, id)
) STRICT, WITHOUT ROWID;

-- What a key in force said was its unit's newest batch and number; idx where the log says so too.
CREATE TABLE heads (
    key          TEXT NOT NULL,
    counter      INTEGER NOT NULL,
    unit         TEXT NOT NULL,
    idx          INTEGER,
    head_epoch   INTEGER,
    head         INTEGER,
    head_id      BLOB,
    number_epoch INTEGER,
    number       INTEGER,
    PRIMARY KEY (key, counter)
) STRICT, WITHOUT ROWID;
CREATE INDEX heads_place ON heads (unit, head_epoch, head);
CREATE INDEX heads_id ON heads (head_id, idx);
CREATE INDEX heads_logged ON heads (key, idx) WHERE idx IS NOT NULL;

-- Batches that are announced and not logged yet; staging has their manifests.
CREATE TABLE announced (
    id       BLOB PRIMARY KEY,
    unit     TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    previous BLOB,
    unit_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX announced_place ON announced (unit, epoch, sequence);

-- Blobs of the archive that were missing or wrong when they were read last.
CREATE TABLE doubts (
    blob  BLOB PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far reading the archive again has come: the first byte of the blobs that come next.
CREATE TABLE scrub (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    began INTEGER NOT NULL,
    next  INTEGER NOT NULL
) STRICT;
