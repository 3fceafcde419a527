//! The registry digest: two registries are the same if and only if this is.
//!
//! ```text
//! enroll-registry/v1
//! rules 3
//! record van-017 1b9d6bcd-… sha256:2c26… merged 5f0c…
//! record van-017 6ec0bd7f-… sha256:91fe… refused line-mismatch
//! resident 5f0c… {"fields":{…},"parts":{…},"sources":["van-017 1b9d6bcd-… sha256:2c26…"]}
//! ```
//! After the two header lines, all lines sorted by bytes, each ending in LF; the object is RFC 8785 (keys are ASCII and
//! all values are strings, so sorted keys and the escapes of `serde_json` are its form).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{RecordKey, Registry, Resident};
use crate::{
    id::{Digest, ResidentRef},
    outcome::Fate,
    rules::Rules,
};

/// Digest of a whole registry.
pub fn registry_digest(registry: &Registry) -> Digest {
    let residents = registry.residents.iter().map(|(reference, resident)| resident_line(reference, resident));
    let records = registry.fates.iter().map(|(key, fate)| record_line(key, fate));
    let mut sorted: Vec<String> = residents.chain(records).collect();
    sorted.sort_unstable();
    let mut lines = Lines::default();
    for line in sorted {
        lines.add(line).expect("sorted");
    }
    lines.digest()
}

/// Digests the lines of a registry one after the other, in their order, so that nobody needs to hold them all.
pub struct Lines {
    hash: Sha256,
    last: String,
}

/// A line that comes before one that was taken already: whoever gives them doesn't sort by bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("lines of a registry out of order")]
pub struct OutOfOrder;

impl Default for Lines {
    fn default() -> Self {
        Self { hash: Sha256::new_with_prefix(format!("enroll-registry/v1\nrules {}\n", Rules::NEWEST)), last: String::new() }
    }
}

impl Lines {
    /// Takes the next line, without its LF.
    pub fn add(&mut self, line: String) -> Result<(), OutOfOrder> {
        if line < self.last {
            return Err(OutOfOrder);
        }
        self.hash.update(&line);
        self.hash.update(b"\n");
        self.last = line;
        Ok(())
    }

    /// The digest of all that were taken.
    pub fn digest(self) -> Digest {
        Digest::from_bytes(self.hash.finalize().into())
    }
}

/// The line of a record.
pub fn record_line(key: &RecordKey, fate: &Fate) -> String {
    let fate = match fate {
        Fate::Merged(resident) => format!("merged {resident}"),
        Fate::Held(code, _) => format!("held {code}"),
        Fate::Refused(code) => format!("refused {code}"),
    };
    format!("record {} {} {} {fate}", key.unit, key.record, key.digest)
}

/// The line of a resident.
pub fn resident_line(reference: &ResidentRef, resident: &Resident) -> String {
    #[derive(serde::Serialize)]
    struct Object<'a> {
        fields: BTreeMap<&'a str, &'a str>,
        parts: BTreeMap<&'a str, &'a str>,
        sources: Vec<String>,
    }
    let object = Object {
        fields: resident.fields.iter().map(|(name, (value, _))| (name.as_str(), value.as_str())).collect(),
        parts: resident.parts.iter().map(|(name, (value, _))| (name.as_str(), value.as_str())).collect(),
        sources: resident.sources.iter().map(|s| format!("{} {} {}", s.unit, s.record, s.digest)).collect(),
    };
    format!("resident {reference} {}", serde_json::to_string(&object).expect("strings only"))
}
