//! A unit in a folder of its own, driven through the real binary.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use enroll_client::vault::{Places, Vault, outbox::BatchRow};
use serde_json::Value;
use shared::{
    batch::{Line, Manifest},
    form::{FIRST, Form},
    id::Transaction,
    keys::VerifierKey,
    sample::{Kind, Resident, Sample, Size},
    time::Second,
};

use super::centre::Centre;

pub const PASSPHRASE: &str = "seven camels on a bridge";

/// A unit.
pub struct Unit {
    pub folder: tempfile::TempDir,
}

/// What a run of the binary gave.
pub struct Ran {
    pub exit: i32,
    pub lines: Vec<Value>,
    pub stderr: String,
}

impl Ran {
    /// The last line: a summary, or an error.
    pub fn last(&self) -> &Value {
        self.lines.last().unwrap_or(&Value::Null)
    }
    /// It went well; its summary.
    pub fn done(self) -> Value {
        assert_eq!(self.exit, 0, "{:?} {}", self.lines, self.stderr);
        assert_eq!(self.last()["message_type"], "summary");
        self.last().clone()
    }
    /// It was refused with this code and this exit code.
    pub fn refused(self, code: &str, exit: i32) {
        assert_eq!((self.last()["code"].as_str(), self.exit), (Some(code), exit), "{:?} {}", self.lines, self.stderr);
        assert_eq!(self.last()["message_type"], "error");
        assert!(self.stderr.contains(code), "told on standard error as well");
    }
    /// It had nothing to do.
    pub fn refused_nothing(self) {
        assert_eq!(self.exit, 4, "{:?} {}", self.lines, self.stderr);
    }
    /// All lines of a type.
    pub fn of(&self, kind: &str) -> Vec<&Value> {
        self.lines.iter().filter(|l| l["message_type"] == kind).collect()
    }
}

impl Unit {
    /// A folder, nothing in it.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Initialised, with an agent and two supervisors, none of them admitted.
    pub fn new(centre: &Centre) -> Self {
        let unit = Self::empty();
        unit.run(&[
            "init",
            "--server",
            "https://registry.example",
            "--unit",
            "van-017",
            "--argon2-mib",
            "1",
            "--roster-key",
            &centre.roster_key(),
        ])
        .done();
        unit.run(&["agent", "add", "agent-007"]).done();
        unit.run(&["agent", "add", "supervisor-003", "--supervisor"]).done();
        unit
    }

    /// Admitted, with the roster in force.
    pub fn admitted(centre: &mut Centre) -> Self {
        let unit = Self::new(centre);
        centre.admit_unit(&std::fs::read(unit.data().join("unit.request")).unwrap());
        for name in ["agent-007", "supervisor-003"] {
            centre.admit(&std::fs::read(unit.data().join(format!("{name}.request"))).unwrap());
        }
        unit.take_roster(centre);
        unit
    }

    /// Its present key.
    pub fn key(&self) -> VerifierKey {
        self.vault().state().unwrap().key
    }

    /// The key of a member.
    pub fn member_key(&self, name: &str) -> VerifierKey {
        self.vault().member(&name.parse().unwrap()).unwrap().key
    }

    /// A file of the data folder, as it would be handed to the centre.
    pub fn handed(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.data().join(name)).unwrap()
    }

    /// Enrols a resident as somebody.
    pub fn enrol_as(&self, who: &str, n: u64) -> Ran {
        let folder = self.resident(&format!("resident-{n}"), &resident(n));
        self.run_as(who, &["enrol", "--yes", folder.to_str().unwrap()])
    }

    /// Adds a member and has them admitted.
    pub fn hire(&self, centre: &mut Centre, name: &str, role: &[&str]) {
        self.run(&[&["agent", "add", name], role].concat()).done();
        centre.admit(&self.handed(&format!("{name}.request")));
        self.take_roster(centre);
    }

    /// Every line of every batch, as `number` or `number withdrawn`.
    pub fn lines(&self) -> Vec<Vec<String>> {
        let line = |l: &Line| match l {
            Line::Record(r) => r.facts.number.to_string(),
            Line::Withdrawn(w) => format!("{} withdrawn", w.number),
        };
        self.batches().iter().map(|(m, _)| m.facts().lines.iter().map(line).collect()).collect()
    }

    pub fn take_roster(&self, centre: &mut Centre) {
        take_roster(centre, &[self]);
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let passphrase = self.folder.path().join("passphrase");
        if !passphrase.exists() {
            std::fs::write(&passphrase, PASSPHRASE).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_enroll-client"));
        command.env_clear().args(["--json", "--data-dir"]).arg(self.data()).arg("--passphrase-file").arg(passphrase).args(arguments);
        command.stdin(Stdio::null());
        command
    }

    /// Runs the binary with JSON output.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&self.command(arguments).output().unwrap())
    }

    /// Runs it as somebody.
    pub fn run_as(&self, who: &str, arguments: &[&str]) -> Ran {
        self.run(&[&["--as", who], arguments].concat())
    }

    /// The vault itself, for what only a centre could bring.
    pub fn vault(&self) -> Vault {
        Vault::open(&Places { data: self.data(), machine: self.data().join("machine.secret") }).unwrap()
    }

    /// Manifest and payload of every batch, straight from the vault.
    pub fn batches(&self) -> Vec<(Manifest, Vec<u8>)> {
        let vault = self.vault();
        let one = |b: BatchRow| {
            let mut payload = Vec::new();
            loop {
                let piece = vault.payload(&b.id, payload.len() as u64, 1000).unwrap();
                if piece.is_empty() {
                    return (Manifest::parse(&vault.manifest(&b.id).unwrap()).unwrap(), payload);
                }
                payload.extend(piece);
            }
        };
        vault.batches().unwrap().into_iter().map(one).collect()
    }

    /// Writes a resident's folder and enrols it.
    pub fn enrol(&self, n: u64) -> Ran {
        let folder = self.resident(&format!("resident-{n}"), &resident(n));
        self.run(&["enrol", "--yes", folder.to_str().unwrap()])
    }

    /// Writes a resident's folder.
    pub fn resident(&self, name: &str, resident: &Resident) -> PathBuf {
        let folder = self.folder.path().join(name);
        write_folder(&folder, resident);
        folder
    }
}

/// All of them take the next roster.
pub fn take_roster(centre: &mut Centre, units: &[&Unit]) {
    let bundle = units[0].folder.path().join("bundle");
    centre.publish(&bundle);
    for unit in units {
        unit.run(&["roster", "import", bundle.to_str().unwrap()]).done();
    }
}

pub fn ran(output: &Output) -> Ran {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = stdout.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{l}: {e}"))).collect();
    Ran { exit: output.status.code().unwrap_or(-1), lines, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
}

pub fn write_folder(folder: &Path, resident: &Resident) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, bytes) in resident.folder() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

/// The `n`th resident of a small sample, for the residence certificate (documents and a portrait).
pub fn resident(n: u64) -> Resident {
    let form = Form::parse(FIRST[2]).unwrap();
    Sample::new(7, Second::from_unix(1_790_000_000), Size::Tiny).take(n, 0, &form, Transaction::New, Kind::Complete).unwrap()
}
