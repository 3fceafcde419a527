//! The oracle file: what was acknowledged, kept apart from everything that may lose it.
//!
//! ```text
//! {"unit":"van-1","number":"1.7","record":"1b9d6bcd-…","resident":41,"slip":"…"}
//! ```

use std::{
    collections::BTreeSet,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{Broken, Sure};

/// A record that a screen called finished.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finished {
    /// The unit.
    pub unit: String,
    /// Its number there.
    pub number: String,
    /// Its record id.
    pub record: String,
    /// Which sample resident it was made from; none when it was not made from one.
    pub resident: Option<u64>,
    /// The slip code that the resident was given.
    pub slip: String,
}

/// The file.
pub struct Oracle {
    path: PathBuf,
}

impl Oracle {
    /// Opens it; empty when it is not there.
    pub fn open(path: &Path) -> Sure<Self> {
        File::options().create(true).append(true).open(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes down what was acknowledged.
    pub fn note(&self, finished: &[Finished]) -> Sure<()> {
        let mut file = File::options().append(true).open(&self.path)?;
        for f in finished {
            let line = json!({ "unit": f.unit, "number": f.number, "record": f.record, "resident": f.resident, "slip": f.slip });
            writeln!(file, "{line}")?;
        }
        file.sync_data()?;
        Ok(())
    }

    /// Everything acknowledged so far.
    pub fn all(&self) -> Sure<Vec<Finished>> {
        let text = std::fs::read_to_string(&self.path)?;
        text.lines().map(|line| Finished::read(&serde_json::from_str(line)?)).collect()
    }

    /// The record ids of everything acknowledged; one that was acknowledged twice is an error.
    pub fn records(&self) -> Sure<BTreeSet<String>> {
        let all = self.all()?;
        let records: BTreeSet<String> = all.iter().map(|f| f.record.clone()).collect();
        if records.len() == all.len() { Ok(records) } else { Err(Broken("a record id was acknowledged twice".into())) }
    }
}

impl Finished {
    fn read(line: &Value) -> Sure<Self> {
        let text = |key: &str| line[key].as_str().map(str::to_owned).ok_or_else(|| Broken(format!("the oracle file has no {key}: {line}")));
        Ok(Self {
            unit: text("unit")?,
            number: text("number")?,
            record: text("record")?,
            resident: line["resident"].as_u64(),
            slip: text("slip")?,
        })
    }
}
