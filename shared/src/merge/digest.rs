//! The registry digest: two registries are the same if and only if this is.
//!
//! ```text
//! enroll-registry/v1
//! rules 1
//! record van-017 1b9d6bcd-… sha256:2c26… merged 5f0c…
//! record van-017 6ec0bd7f-… sha256:91fe… refused line-mismatch
//! resident 5f0c… {"fields":{…},"parts":{…},"sources":["van-017 1b9d6bcd-… sha256:2c26…"]}
//! ```
//! After the two header lines, all lines sorted by bytes, each ending in LF; the object is RFC 8785 (keys are ASCII and
//! all values are strings, so sorted keys and the escapes of `serde_json` are its form).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{
    RULES, RecordKey,
    fold::{Folded, Resident},
};
use crate::{
    id::{Digest, ResidentRef},
    outcome::Fate,
};

/// Digest of a whole registry.
pub fn registry_digest(registry: &Folded) -> Digest {
    let residents = registry.residents.iter().map(|(reference, resident)| resident_line(reference, resident));
    let records = registry.fates.iter().map(|(key, fate)| record_line(key, fate));
    of_lines(residents.chain(records).collect())
}

/// Digest of the lines of a registry, wherever they were kept.
pub fn of_lines(mut lines: Vec<String>) -> Digest {
    lines.sort_unstable();
    let mut hash = Sha256::new_with_prefix(format!("enroll-registry/v1\nrules {RULES}\n"));
    for line in lines {
        hash.update(line);
        hash.update(b"\n");
    }
    Digest::from_bytes(hash.finalize().into())
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
