-- what the unit is, and how far it has come: one row
CREATE TABLE state (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    unit          TEXT NOT NULL,
    unit_key      TEXT NOT NULL,               -- verifier key
    unit_secret   BLOB NOT NULL,               -- under the machine secret
    next_key      TEXT,                        -- made by new-key, in force once a roster names it
    next_secret   BLOB,                        -- under the machine secret
    vault_secret  BLOB NOT NULL,               -- under the machine secret
    server        TEXT NOT NULL,
    ca            BLOB,                        -- PEM, when the server's certificate is not a public one
    roster_key    TEXT NOT NULL,               -- given at init: signs the first roster
    argon_mib     INTEGER NOT NULL,
    argon_passes  INTEGER NOT NULL,
    epoch         INTEGER NOT NULL DEFAULT 0,  -- 0 until a roster names the unit's key
    last_number   INTEGER NOT NULL DEFAULT 0,  -- of this epoch
    last_sequence INTEGER NOT NULL DEFAULT 0,  -- of this epoch
    head          TEXT,                        -- id of the newest batch of any epoch
    hello         INTEGER NOT NULL DEFAULT 0,  -- highest counter that may have left this laptop
    seen_size     INTEGER NOT NULL DEFAULT 0,  -- newest log head that was verified
    seen_root     TEXT NOT NULL,               -- base64
    log_time      INTEGER,                     -- newest `received` verified, Unix seconds
    ahead         INTEGER NOT NULL DEFAULT 0,  -- seconds by which this clock was ahead of the centre's at the last hello
    settled       INTEGER NOT NULL DEFAULT 0,  -- log size up to which all receipts and outcomes are here
    standing      TEXT NOT NULL DEFAULT 'ok'   -- by the centre's last word
                  CHECK (standing IN ('ok', 'vault-rewound', 'frozen', 'epoch-needed')),
    standing_since INTEGER,                    -- Unix seconds; NULL while it is ok
    CHECK ((next_key IS NULL) = (next_secret IS NULL))
) STRICT;

-- alarms that have no time of their own: since when each is seen
CREATE TABLE noticed (
    code  TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT;

-- alarms that a supervisor has cleared by name: never deleted
CREATE TABLE cleared (
    n      INTEGER PRIMARY KEY AUTOINCREMENT,
    code   TEXT NOT NULL,
    at     INTEGER NOT NULL,                   -- Unix seconds
    by     TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- batches that the centre asks to keep, by its last answer
CREATE TABLE holds (
    epoch    INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (epoch, sequence)
) STRICT;

CREATE TABLE members (
    name      TEXT PRIMARY KEY,
    role      TEXT NOT NULL CHECK (role IN ('agent', 'supervisor')),
    key       TEXT NOT NULL,                   -- verifier key
    recipient TEXT,                            -- age recipient of a supervisor
    salt      BLOB NOT NULL,
    mib       INTEGER NOT NULL,
    passes    INTEGER NOT NULL,
    secret    BLOB NOT NULL                    -- under the passphrase
) STRICT;

CREATE TABLE rosters (
    version INTEGER PRIMARY KEY,
    note    BLOB NOT NULL,
    proof   BLOB NOT NULL,                     -- of its log entry
    taken   INTEGER NOT NULL                   -- Unix seconds
) STRICT;

CREATE TABLE forms (
    digest TEXT PRIMARY KEY,
    bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE drafts (
    id      TEXT PRIMARY KEY,
    agent   TEXT NOT NULL,
    slot    INTEGER NOT NULL,
    started INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    blob    BLOB NOT NULL                      -- under the key in the slot
) STRICT;

CREATE TABLE draft_parts (
    draft TEXT NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
    name  TEXT NOT NULL,
    blob  BLOB NOT NULL,                       -- under the key in the draft's slot
    PRIMARY KEY (draft, name)
) STRICT;

CREATE TABLE records (
    epoch     INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    record    TEXT NOT NULL UNIQUE,
    agent     TEXT NOT NULL,
    form      TEXT NOT NULL,
    kind      TEXT NOT NULL,                   -- transaction
    finished  INTEGER NOT NULL,                -- minutes since 1970
    size      INTEGER NOT NULL,
    digest    TEXT NOT NULL,
    line      TEXT NOT NULL,                   -- the signed record line
    slip      TEXT NOT NULL UNIQUE,            -- hash of the slip code
    source    TEXT UNIQUE,                     -- digest, salted with the vault key, of what it was enrolled from
    withdrawn TEXT,                            -- reason
    by        TEXT,                            -- the supervisor who withdrew it
    batch     TEXT REFERENCES batches (id),
    offset    INTEGER,                         -- in the payload
    review_slot  INTEGER, review  BLOB,        -- under the key in the slot, gone after close
    contact_slot INTEGER, contact BLOB,        -- under the key in the slot, gone after merge
    readers   TEXT NOT NULL DEFAULT '',        -- keys of the supervisors who open these cards, name+id
    again     INTEGER NOT NULL DEFAULT 0 CHECK (again IN (0, 1)), -- 1: its number was given twice, its agent signs anew
    CHECK ((withdrawn IS NULL) = (by IS NULL)),
    PRIMARY KEY (epoch, number)
) STRICT;
CREATE INDEX records_by_batch ON records (batch, epoch, number);

CREATE TABLE sealed (
    epoch  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes  BLOB NOT NULL,                      -- the age file, as it will travel
    PRIMARY KEY (epoch, number)
) STRICT;

CREATE TABLE batches (
    id        TEXT PRIMARY KEY,
    epoch     INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    manifest  BLOB NOT NULL,
    payload   INTEGER NOT NULL,                -- bytes
    records   INTEGER NOT NULL,
    closed    INTEGER NOT NULL,                -- minutes since 1970
    announced INTEGER NOT NULL DEFAULT 0,      -- 1 once the centre knows the manifest
    sent      INTEGER NOT NULL DEFAULT 0,      -- bytes that the centre has, by its last word
    problem   TEXT,                            -- code of why it was not taken
    detail    TEXT,                            -- and what it said
    CHECK ((problem IS NULL) = (detail IS NULL)),
    UNIQUE (epoch, sequence)
) STRICT;

CREATE TABLE receipts (
    batch    TEXT PRIMARY KEY REFERENCES batches (id),
    proof    BLOB NOT NULL,                    -- C2SP tlog-proof
    log_index INTEGER NOT NULL,
    received INTEGER NOT NULL,                 -- log time, Unix seconds
    state    TEXT NOT NULL                     -- accepted | quarantined <code>
) STRICT;

CREATE TABLE outcomes (
    batch   TEXT NOT NULL REFERENCES batches (id),
    version INTEGER NOT NULL,
    note    BLOB NOT NULL,
    proof   BLOB NOT NULL,                     -- of its log entry
    PRIMARY KEY (batch, version)
) STRICT;

-- what the newest outcome says of each record
CREATE TABLE effects (
    epoch   INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    version INTEGER NOT NULL,
    fate    TEXT NOT NULL,                     -- merged REFERENCE | held CODE CASE | refused CODE
    PRIMARY KEY (epoch, number)
) STRICT;
