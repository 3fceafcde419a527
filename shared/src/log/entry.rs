//! A log entry: the leaf's exact bytes.
//!
//! ```text
//! enroll-log/v1
//! received 2026-11-20T21:30:02Z
//! batch sha256:<id> manifest sha256:<blob>
//! unit van-017
//! epoch 1
//! sequence 42
//! previous sha256:…
//! payload 15120384 sha256:…
//! state accepted
//! ```
//! Others have one line after `received`: `time`, `roster 13 sha256:…`, `outcome sha256:<batch id> 2 sha256:…`,
//! `access sha256:…`, `rules 3`, `decision sha256:…`, `opened sha256:<batch id>`, `erase van-017 <record id> sha256:… decision sha256:…`,
//! `head van-017+6e1dd5c4 1.42 sha256:… number 1.1215 hello 391 sha256:…`, `freeze van-017+6e1dd5c4 sha256:… sha256:…`.
//!
//! **Invariants:** at most 1 KiB; one spelling; nothing in it names a resident.

use std::fmt;

use crate::{
    batch::Manifest,
    decision::RecordKey,
    id::{BatchId, Blob, Digest, Member, Number, Place, RosterVersion},
    keys::KeyRef,
    problem::{Code, Problem, is_code},
    rules::Rules,
    text::{Lines, TextError, decimal},
    time::Second,
};

#[cfg(test)]
mod tests;

/// Largest entry, in bytes.
pub const MAX_ENTRY: usize = 1024;

/// What the log says about one thing, and when the centre received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Log time: never goes back from one entry to the next.
    pub received: Second,
    /// What was logged.
    pub body: Body,
}

/// What was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A batch: from here on the centre owns it.
    Batch(BatchEntry),
    /// Nothing happened; time passed.
    Time,
    /// A roster.
    Roster {
        /// Its version.
        version: RosterVersion,
        /// Its note.
        blob: Blob,
    },
    /// An outcome.
    Outcome {
        /// Of which batch.
        batch: BatchId,
        /// From 1.
        version: u64,
        /// Its note.
        blob: Blob,
    },
    /// A decision, or the second signature under one.
    Decision(Blob),
    /// What of a batch was held unopened is open now: this is the place of these records.
    Opened(BatchId),
    /// The bytes of a record were destroyed.
    Erase {
        /// Which record.
        record: RecordKey,
        /// The decision that says so.
        decision: Blob,
    },
    /// Somebody at the centre is about to read personal data.
    Access(Blob),
    /// From here on this version of the rules holds.
    Rules(Rules),
    /// Where a unit said that it stands.
    Head(HeadEntry),
    /// A key contradicted itself: its own index is the cut.
    Freeze {
        /// Which unit's key.
        key: KeyRef,
        /// One of the two notes.
        first: Blob,
        /// The other.
        second: Blob,
    },
}

/// A logged batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchEntry {
    /// SHA-256 of the manifest's text.
    pub batch: BatchId,
    /// SHA-256 of the manifest's bytes.
    pub manifest: Blob,
    /// Whose.
    pub unit: Member,
    /// Epoch and sequence.
    pub place: Place,
    /// The batch before, if the unit has one.
    pub previous: Option<BatchId>,
    /// Size of the payload in bytes.
    pub payload_size: u64,
    /// SHA-256 of the payload.
    pub payload: Digest,
    /// May it merge?
    pub state: BatchState,
}

impl BatchEntry {
    /// What the log says about a manifest's batch.
    pub fn of(manifest: &Manifest, state: BatchState) -> Self {
        let facts = manifest.facts();
        Self {
            batch: manifest.id(),
            manifest: manifest.blob(),
            unit: facts.unit.clone(),
            place: facts.place,
            previous: facts.previous,
            payload_size: facts.payload_size,
            payload: facts.payload,
            state,
        }
    }
}

/// May a logged batch merge?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchState {
    /// Yes.
    Accepted,
    /// Authentic, but a rule keeps it from merging.
    Quarantined(Code),
}

impl fmt::Display for BatchState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Quarantined(code) => write!(f, "quarantined {code}"),
        }
    }
}
impl std::str::FromStr for BatchState {
    type Err = crate::id::IdError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s.strip_prefix("quarantined ") {
            None if s == "accepted" => Ok(Self::Accepted),
            Some(code) => code.parse().map(Self::Quarantined),
            None => Err(crate::id::IdError("batch state")),
        }
    }
}

/// Where a unit said that it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadEntry {
    /// Which unit's key said so.
    pub key: KeyRef,
    /// Its newest batch, with its id.
    pub head: Option<(Place, BatchId)>,
    /// Its newest record number.
    pub number: Option<Number>,
    /// Counter of the hello that said so.
    pub hello: u64,
    /// That hello, in the archive.
    pub note: Blob,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enroll-log/v1\nreceived {}\n", self.received)?;
        match &self.body {
            Body::Batch(batch) => batch.fmt(f),
            Body::Time => f.write_str("time\n"),
            Body::Roster { version, blob } => writeln!(f, "roster {version} {blob}"),
            Body::Outcome { batch, version, blob } => writeln!(f, "outcome {batch} {version} {blob}"),
            Body::Decision(blob) => writeln!(f, "decision {blob}"),
            Body::Opened(batch) => writeln!(f, "opened {batch}"),
            Body::Erase { record, decision } => writeln!(f, "erase {record} decision {decision}"),
            Body::Access(blob) => writeln!(f, "access {blob}"),
            Body::Rules(rules) => writeln!(f, "rules {rules}"),
            Body::Head(head) => head.fmt(f),
            Body::Freeze { key, first, second } => writeln!(f, "freeze {key} {first} {second}"),
        }
    }
}

impl fmt::Display for BatchEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "batch {} manifest {}", self.batch, self.manifest)?;
        writeln!(f, "unit {}\nepoch {}\nsequence {}", self.unit, self.place.epoch, self.place.sequence)?;
        match self.previous {
            Some(previous) => writeln!(f, "previous {previous}")?,
            None => writeln!(f, "previous none")?,
        }
        writeln!(f, "payload {} {}\nstate {}", self.payload_size, self.payload, self.state)
    }
}

impl fmt::Display for HeadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "head {} ", self.key)?;
        match &self.head {
            Some((place, batch)) => write!(f, "{place} {batch}")?,
            None => f.write_str("none")?,
        }
        match self.number {
            Some(number) => write!(f, " number {number}")?,
            None => f.write_str(" number none")?,
        }
        writeln!(f, " hello {} {}", self.hello, self.note)
    }
}

impl Entry {
    /// The leaf's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    /// Reads a leaf. A kind of entry that this version does not know is `upgrade-needed`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(bytes).map_err(|_| Code::TextMalformed)?;
        if bytes.len() > MAX_ENTRY {
            return Err(Code::TextMalformed.into());
        }
        let entry = read(text)?;
        if entry.to_string() == text { Ok(entry) } else { Err(Code::TextMalformed.into()) }
    }
}

fn read(text: &str) -> Result<Entry, TextError> {
    let mut lines = Lines::new(text)?;
    lines.header("enroll-log")?;
    let received = lines.field("received")?;
    let received = lines.parse(received)?;
    let kind = lines.peek().and_then(|l| l.split(' ').next()).unwrap_or("");
    let body = match kind {
        "batch" => Body::Batch(batch(&mut lines)?),
        "time" => {
            lines.take()?;
            Body::Time
        }
        "roster" => {
            let [version, blob] = words(&mut lines, kind)?;
            Body::Roster { version: lines.parse(version)?, blob: lines.parse(blob)? }
        }
        "outcome" => {
            let [batch, version, blob] = words(&mut lines, kind)?;
            Body::Outcome { batch: lines.parse(batch)?, version: count(&lines, version)?, blob: lines.parse(blob)? }
        }
        "decision" | "access" => {
            let [blob] = words(&mut lines, kind)?;
            let blob = lines.parse(blob)?;
            if kind == "access" { Body::Access(blob) } else { Body::Decision(blob) }
        }
        "head" => Body::Head(head(&mut lines)?),
        "freeze" => {
            let [key, first, second] = words(&mut lines, kind)?;
            Body::Freeze { key: lines.parse(key)?, first: lines.parse(first)?, second: lines.parse(second)? }
        }
        "opened" => {
            let [batch] = words(&mut lines, kind)?;
            Body::Opened(lines.parse(batch)?)
        }
        "erase" => {
            let [unit, record, digest, word, decision] = words(&mut lines, kind)?;
            if word != "decision" {
                return Err(lines.bad());
            }
            let record = RecordKey { unit: lines.parse(unit)?, record: lines.parse(record)?, digest: lines.parse(digest)? };
            Body::Erase { record, decision: lines.parse(decision)? }
        }
        "rules" => {
            let [number] = words(&mut lines, kind)?;
            let number = count(&lines, number)?;
            Body::Rules(Rules::of_number(number).ok_or(TextError::UpgradeNeeded)?)
        }
        "key" | "lost" | "salvage" => return Err(TextError::UpgradeNeeded),
        _ => return Err(TextError::Malformed { line: 3 }),
    };
    lines.end()?;
    Ok(Entry { received, body })
}

fn words<'a, const N: usize>(lines: &mut Lines<'a>, word: &str) -> Result<[&'a str; N], TextError> {
    let value = lines.field(word)?;
    lines.words(value)
}

fn count(lines: &Lines<'_>, text: &str) -> Result<u64, TextError> {
    decimal(text).filter(|&n| n >= 1).ok_or_else(|| lines.bad())
}

fn batch(lines: &mut Lines<'_>) -> Result<BatchEntry, TextError> {
    let [batch, word, manifest] = words(lines, "batch")?;
    if word != "manifest" {
        return Err(lines.bad());
    }
    let (batch, manifest) = (lines.parse(batch)?, lines.parse(manifest)?);
    let unit = lines.field("unit")?;
    let unit = lines.parse(unit)?;
    let epoch = lines.field("epoch")?;
    let epoch = u32::try_from(count(lines, epoch)?).map_err(|_| lines.bad())?;
    let sequence = lines.field("sequence")?;
    let place = Place::new(epoch, count(lines, sequence)?).map_err(|_| lines.bad())?;
    let previous = match lines.field("previous")? {
        "none" => None,
        id => Some(lines.parse(id)?),
    };
    let [payload_size, payload] = words(lines, "payload")?;
    let payload_size = decimal(payload_size).ok_or_else(|| lines.bad())?;
    let payload = lines.parse(payload)?;
    let state = lines.field("state")?;
    // a code that is not in our table is one of newer software
    let newer = || state.strip_prefix("quarantined ").is_some_and(is_code);
    let state = lines.parse(state).map_err(|malformed| if newer() { TextError::UpgradeNeeded } else { malformed })?;
    Ok(BatchEntry { batch, manifest, unit, place, previous, payload_size, payload, state })
}

fn head(lines: &mut Lines<'_>) -> Result<HeadEntry, TextError> {
    let value = lines.field("head")?;
    let mut words = value.split(' ');
    let bad = lines.bad();
    let mut next = || words.next().ok_or(bad);
    let key = lines.parse(next()?)?;
    let head = match next()? {
        "none" => None,
        place => Some((lines.parse(place)?, lines.parse(next()?)?)),
    };
    let ("number", number) = (next()?, next()?) else { return Err(bad) };
    let number = if number == "none" { None } else { Some(lines.parse(number)?) };
    let ("hello", counter, id) = (next()?, next()?, next()?) else { return Err(bad) };
    Ok(HeadEntry { key, head, number, hello: count(lines, counter)?, note: lines.parse(id)? })
}
