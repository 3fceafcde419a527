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

-- Hashes of complete subtrees, in the dense order of C2SP tlog-tiles: a proof reads O(log n) of them.
CREATE TABLE hashes (
    idx  INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;

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
    quarantined  TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_place ON batches (unit, epoch, sequence);
CREATE INDEX batches_previous ON batches (previous);

-- Record and withdrawn lines of logged manifests; sealed is NULL for a withdrawn one.
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
    PRIMARY KEY (batch, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX lines_number ON lines (unit, epoch, number);
CREATE INDEX lines_record ON lines (unit, record);
CREATE INDEX lines_id ON lines (record);

CREATE TABLE rosters (
    version INTEGER PRIMARY KEY,
    idx     INTEGER NOT NULL UNIQUE,
    note    BLOB NOT NULL
) STRICT;

CREATE TABLE outcomes (
    batch   BLOB NOT NULL,
    version INTEGER NOT NULL,
    idx     INTEGER NOT NULL UNIQUE,
    note    BLOB NOT NULL,
    PRIMARY KEY (batch, version)
) STRICT, WITHOUT ROWID;

-- From this index on the unit's work of this epoch is quarantined.
CREATE TABLE freezes (
    unit  TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    idx   INTEGER NOT NULL,
    PRIMARY KEY (unit, epoch)
) STRICT, WITHOUT ROWID;

-- Every hello by its counter; the first of a counter stands, later ones of it are kept beside.
CREATE TABLE hellos (
    unit     TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    counter  INTEGER NOT NULL,
    id       BLOB NOT NULL,
    first    INTEGER NOT NULL,
    note     BLOB,
    PRIMARY KEY (unit, epoch, counter, id)
) STRICT, WITHOUT ROWID;

-- What a unit said was its newest batch and number; idx where the log says so too.
CREATE TABLE heads (
    unit         TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    counter      INTEGER NOT NULL,
    idx          INTEGER,
    head_epoch   INTEGER,
    head         INTEGER,
    head_id      BLOB,
    number_epoch INTEGER,
    number       INTEGER,
    PRIMARY KEY (unit, epoch, counter)
) STRICT, WITHOUT ROWID;
CREATE INDEX heads_place ON heads (unit, head_epoch, head);
CREATE INDEX heads_id ON heads (head_id);

-- Batches that are announced and not logged yet; staging has their manifests.
CREATE TABLE announced (
    id       BLOB PRIMARY KEY,
    unit     TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    previous BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX announced_place ON announced (unit, epoch, sequence);
CREATE INDEX announced_previous ON announced (previous);
