//! Canaries: people whose every name and picture would be known again, and the searches for them.
//!
//! | file | searches |
//! |---|---|
//! | `needles` | for readable traces: UTF-8, UTF-16, base64 at its three alignments, hexadecimal, pieces of images |
//! | `carve` | for keys: everything wrapped that a thief with laptop and some passphrases can unwrap |
//! | `disk` | the raw image of a unit's disk, free space too; folders; the memory of a process |

mod carve;
mod disk;
mod needles;

use std::path::Path;

use sha2::{Digest as _, Sha256};
use shared::{
    form::Form,
    id::Transaction,
    problem::Problem,
    sample::{Kind, Resident, Sample, Size, forms},
    time::Second,
};

pub use self::{
    carve::Thief,
    disk::{Disk, WITH_CORES, folder_bytes, memory_of, names, swap_spaces, writes_cores},
    needles::{Needles, Trace},
};
use crate::world::{Source, Sure};

/// A person whose traces are known.
pub struct Canary {
    /// Which one.
    pub n: u64,
    /// Everything about them.
    pub resident: Resident,
}

impl Canary {
    /// The `n`th one: a sample's resident for the residence certificate, with names that nothing else holds.
    pub fn new(n: u64) -> Result<Self, Problem> {
        let form: &Form = &forms()[2];
        let sample = Sample::new(0x00ca_0a27, Second::from_unix(1_790_000_000), Size::Tiny);
        let mut resident = sample.take(n, 0, form, Transaction::New, Kind::Complete)?;
        let mut put = |field: &str, value: String| resident.input.person.insert(field.to_owned(), Some(value));
        for (field, script) in [("given_latin", LATIN), ("family_latin", LATIN), ("given_ar", ARABIC), ("family_ar", ARABIC)] {
            put(field, word(n, field, script));
        }
        put("address", format!("{} rue {}", n + 1, word(n, "address", LATIN)));
        put("village", word(n, "village", LATIN));
        put("phone", word(n, "phone", DIGITS));
        Ok(Self { n, resident })
    }

    /// Texts that would be known again, with the names of their fields.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = ["given_latin", "family_latin", "given_ar", "family_ar", "address", "village", "phone"];
        fields.into_iter().filter_map(|field| Some((field, self.resident.input.person.get(field)?.as_deref()?)))
    }

    /// The name by which cards and drafts know them.
    pub fn name(&self) -> &str {
        self.texts().next().map_or("", |(_, name)| name)
    }

    /// Writes their folder.
    pub fn source(&self, under: &Path) -> Sure<Source> {
        Source::of(&under.join(format!("canary-{}", self.n)), self.n, &self.resident)
    }
}

const LATIN: &str = "abcdefghijklmnopqrstuvwxyz";
const ARABIC: &str = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي";
const DIGITS: &str = "0123456789";

/// Fourteen letters of a script that only this field of this person has.
fn word(n: u64, field: &str, script: &str) -> String {
    let letters: Vec<char> = script.chars().collect();
    Sha256::digest(format!("canary {n} {field}")).iter().take(14).map(|&b| letters[usize::from(b) % letters.len()]).collect()
}
