//! A unit: a vault, an agent and a supervisor with their passphrases in files, and the link to the centre.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{Broken, Centre, Finished, Link, Program, Ran, Source, Sure, centre::text};

/// A unit.
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Its data folder.
    pub data: PathBuf,
    /// Its agent.
    pub agent: String,
    /// Its supervisor.
    pub supervisor: String,
    /// The agent's passphrase.
    pub passphrase: String,
    /// The supervisor's.
    pub supervisor_passphrase: String,
    /// How it reaches the centre.
    pub link: Link,
    program: Program,
    safe: PathBuf,
}

/// Where a record stands, as `status --records` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// One word: finished, closed, sent, safe, merged, …
    pub state: String,
    /// What it means.
    pub told: String,
}

impl Unit {
    /// Makes a unit with an agent and a supervisor; nobody is admitted yet.
    pub fn found(folder: &Path, name: &str, centre: &Centre) -> Sure<Self> {
        let data = folder.join(name);
        let number = name.rsplit('-').next().unwrap_or(name);
        let unit = Self {
            name: name.to_owned(),
            agent: format!("agent-{number}"),
            supervisor: format!("supervisor-{number}"),
            passphrase: format!("the people of {name}"),
            supervisor_passphrase: format!("who answers for {name}"),
            link: Link::new()?,
            program: Program::new("enroll-client", &["--json", "--data-dir", text(&data)?])?,
            safe: folder.join("safe"),
            data,
        };
        fs::write(unit.secret(&unit.agent), &unit.passphrase)?;
        fs::write(unit.secret(&unit.supervisor), &unit.supervisor_passphrase)?;
        let url = format!("https://{}", unit.link.address());
        let certificate = text(&centre.certificate)?;
        let init = ["init", "--server", &url, "--roster-key", &centre.roster_key, "--unit", name, "--ca", certificate, "--argon2-mib", "1"];
        unit.run(&init)?.ok()?;
        unit.with_secret(&unit.agent, &["agent", "add", &unit.agent])?.ok()?;
        unit.with_secret(&unit.supervisor, &["agent", "add", "--supervisor", &unit.supervisor])?.ok()?;
        Ok(unit)
    }

    /// The unit goes by plain HTTP from now on, so that what leaves the centre can be read in a recording.
    pub fn speak_plainly(&self) -> Sure<()> {
        let db = rusqlite::Connection::open(self.data.join("vault.db"))?;
        let changed = db.execute("UPDATE state SET server = ?1, ca = NULL", [format!("http://{}", self.link.address())])?;
        if changed == 1 { Ok(()) } else { Err(Broken("no unit there".into())) }
    }

    /// The program with the flags of this unit.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// From the next command on, the test build with these switches; with none, the program itself again.
    pub fn sabotage(&mut self, switches: &[&str]) -> Sure<()> {
        self.program = self.program.sabotaged(switches)?;
        Ok(())
    }

    /// Runs a command that needs nobody.
    pub fn run(&self, args: &[&str]) -> Sure<Ran> {
        self.program.run(args)
    }

    /// The file with the passphrase of a member.
    pub fn secret(&self, member: &str) -> PathBuf {
        self.safe.join(format!("{}.{member}.passphrase", self.name))
    }

    fn with_secret(&self, member: &str, args: &[&str]) -> Sure<Ran> {
        self.run(&[&["--passphrase-file", text(&self.secret(member))?], args].concat())
    }

    /// Runs a command as the agent.
    pub fn agent(&self, args: &[&str]) -> Sure<Ran> {
        self.run(&self.as_agent(args)?.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs a command as the supervisor.
    pub fn supervisor(&self, args: &[&str]) -> Sure<Ran> {
        self.run(&self.as_supervisor(args)?.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The arguments of a command as the agent.
    pub fn as_agent(&self, args: &[&str]) -> Sure<Vec<String>> {
        self.as_member(&self.agent, args)
    }

    /// The arguments of a command as the supervisor.
    pub fn as_supervisor(&self, args: &[&str]) -> Sure<Vec<String>> {
        self.as_member(&self.supervisor, args)
    }

    fn as_member(&self, name: &str, args: &[&str]) -> Sure<Vec<String>> {
        let secret = self.secret(name);
        let flags = ["--as", name, "--passphrase-file", text(&secret)?];
        Ok(flags.iter().chain(args).map(|&a| a.to_owned()).collect())
    }

    /// Enrols residents' folders in one run; all must be finished. The folders go.
    pub fn enrol(&self, sources: &[Source]) -> Sure<Vec<Finished>> {
        let mut args = vec!["enrol", "--yes", "--remove-source"];
        for source in sources {
            args.push(text(&source.folder)?);
        }
        let ran = self.agent(&args)?.ok()?;
        let lines: Vec<_> = ran.of("finished").collect();
        if lines.len() != sources.len() {
            return Err(ran.broken("not every resident was finished"));
        }
        lines.iter().zip(sources).map(|(line, source)| self.finished(line, Some(source.resident))).collect()
    }

    /// What the screen said about a finished record.
    pub fn finished(&self, line: &serde_json::Value, resident: Option<u64>) -> Sure<Finished> {
        let text = |key: &str| line[key].as_str().map(str::to_owned).ok_or_else(|| Broken(format!("finished without {key}: {line}")));
        Ok(Finished { unit: self.name.clone(), number: text("number")?, record: text("record")?, resident, slip: text("slip")? })
    }

    /// Closes the day, approved by the supervisor.
    pub fn close(&self) -> Sure<Ran> {
        self.supervisor(&["close"])?.ok()
    }

    /// Sends and takes what there is, with nobody at the keyboard.
    pub fn sync(&self) -> Sure<Ran> {
        self.run(&["sync"])
    }

    /// Where each record stands, by number.
    pub fn records(&self) -> Sure<BTreeMap<String, Stand>> {
        // under an alarm it ends with its exit code, and says it all
        let ran = self.run(&["status", "--records"])?;
        if ran.summary()["message_type"] != "summary" {
            return Err(ran.broken("status"));
        }
        let text = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        Ok(ran.of("record").map(|l| (text(l, "number"), Stand { state: text(l, "state"), told: text(l, "told") })).collect())
    }

    /// Syncs until every record has an outcome, a minute at most.
    pub fn settle(&self) -> Sure<BTreeMap<String, Stand>> {
        super::until(&format!("{}: outcomes of all records", self.name), || {
            let ran = self.sync()?;
            let records = self.records()?;
            match ran.exit {
                Some(0 | 3 | 4 | 5) => {}
                _ => return Err(ran.broken(&format!("sync of {}", self.name))),
            }
            let open = |s: &Stand| matches!(s.state.as_str(), "finished" | "closed" | "sent" | "safe");
            Ok(records.values().all(|s| !open(s)).then_some(records))
        })
    }

    /// Its batches, as `status` tells them.
    pub fn batches(&self) -> Sure<Vec<serde_json::Value>> {
        Ok(self.run(&["status"])?.of("batch").cloned().collect())
    }
}
