-- Of whom faces, fingers and eyes were captured in `new` records, as the log folds.

-- SHA-256 of each, in hex: whose rows of the next table are to go is known without a second index.
ALTER TABLE residents ADD COLUMN captures TEXT NOT NULL DEFAULT '[]';

-- part: half of the SHA-256, which is enough to tell two apart.
CREATE TABLE resident_parts (
    part      BLOB NOT NULL,
    reference TEXT NOT NULL,
    PRIMARY KEY (part, reference)
) STRICT, WITHOUT ROWID;
