//! People who decide, each with a key and a passphrase of their own.

use std::{fs, path::PathBuf};

use shared::id::{CaseRef, Member, RecordId};

use super::{Broken, Ran, Sure, World, path_text};

/// An adjudicator.
pub struct Adjudicator {
    name: String,
    key: PathBuf,
    passphrase: PathBuf,
}

impl Adjudicator {
    /// Makes the key and lets the centre admit it.
    pub fn admitted(world: &World, name: &str) -> Sure<Self> {
        let folder = world.path().join(format!("desk-of-{name}"));
        fs::create_dir_all(&folder)?;
        let own = Self { name: name.to_owned(), key: folder.join("key"), passphrase: folder.join("passphrase") };
        fs::write(&own.passphrase, format!("{name} minds her own orchard\n"))?;
        let (key, passphrase) = (path_text(&own.key)?, path_text(&own.passphrase)?);
        let made = ["staff", "add", name, "--role", "adjudicator", "--key", key, "--passphrase-file", passphrase];
        let request = world.centre.run(&made)?.ok()?.text("request")?;
        world.centre.run(&["staff", "admit", &request, "--role", "adjudicator"])?.ok()?;
        Ok(own)
    }

    /// Gives a command that decides, without being asked.
    pub fn run(&self, world: &World, args: &[&str]) -> Sure<Ran> {
        let own = ["--as", &self.name, "--key", path_text(&self.key)?, "--passphrase-file", path_text(&self.passphrase)?, "--yes"];
        world.centre.run(&[args, &own].concat())
    }

    /// Decides about the case of a record: `said` is the verdict with its reference.
    pub fn decide(&self, world: &World, unit: &Member, record: RecordId, said: &[&str], reason: &str) -> Sure<Ran> {
        let case = CaseRef::holding(unit, record).to_string();
        self.run(world, &[&["case", "decide", &case], said, &["--reason", reason]].concat())
    }

    /// Confirms the note that `first` logged.
    pub fn confirm(&self, world: &World, first: &Ran) -> Sure<Ran> {
        let note = first.summary()["decision"].as_str().ok_or_else(|| Broken("no decision was logged".into()))?.to_owned();
        self.run(world, &["case", "confirm", &note])
    }
}
