//! A centre that `init` has made, commands in it, and batches that are logged and merged through the library.

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use shared::{
    id::{Blob, Digest, KeyName, Member, RosterVersion},
    keys::Signer,
    problem::{Code, Problem},
    roster::{
        Role, Roster, TrustedRoster,
        request::{AgentRequest, UnitRequest},
    },
    verify::{CheckedManifest, PayloadHash, ReceivedBatch},
};
use sync_server::{
    centre::Centre as Opened,
    pipeline::{Idle, merge, opener::Nursery},
    serving,
    settings::Settings,
    store::{Archive as _, Ledger as _, Whole},
};
use tempfile::TempDir;

use super::van::Made;

/// The passphrase of every member of staff here.
const STAFF: &str = "walnut ferry cobalt nineteen";

/// A key of a name; another seed is another key.
pub fn signer(name: &str, seed: u8) -> Signer {
    let name: KeyName = name.parse().expect("a key name");
    Signer::from_seed(name.clone(), Digest::of(format!("{name} {seed}").as_bytes()).as_bytes())
}

pub fn member(name: &str) -> Member {
    name.parse().expect("a name")
}

pub struct Centre {
    dir: TempDir,
}

/// What a command answered.
pub struct Answer {
    pub exit: Option<i32>,
    pub lines: Vec<Value>,
    pub told: String,
}

impl Answer {
    pub fn last(&self) -> &Value {
        self.lines.last().expect("a last line")
    }
    pub fn code(&self) -> Option<&str> {
        self.last()["code"].as_str()
    }
    /// Lines of one kind.
    pub fn of(&self, kind: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["message_type"] == kind).collect()
    }
}

impl Centre {
    pub fn founded() -> Self {
        let centre = Self { dir: tempfile::tempdir().expect("a folder") };
        for (file, text) in
            [("pass", "quarry lantern eleven oboe thistle"), ("auditor-pass", "violet anchor hamster dune sextant"), ("staff-pass", STAFF)]
        {
            fs::write(centre.path(file), format!("{text}\n")).expect("written");
        }
        let text = |name: &str| centre.text(name);
        let (recovery, auditor, key) = (text("recovery.age"), text("auditor.age"), text("roster.key"));
        let (own, others) = (text("pass"), text("auditor-pass"));
        let outside = ["--recovery", &recovery, "--auditor", &auditor, "--roster-key", &key];
        let secrets = ["--recovery-passphrase-file", &own, "--auditor-passphrase-file", &others];
        let kind = ["init", "--centre", "registry.example", "--recipient-kind", "x25519"];
        centre.ok(&[&kind[..], &outside, &secrets].concat());
        centre
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
    pub fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sync-server"));
        command.arg("--data-dir").arg(self.path("data")).arg("--json").args(args).stdin(Stdio::null());
        for name in ["CONFIG", "LANG", "AS", "KEY", "PASSPHRASE_FILE"] {
            command.env_remove(format!("SYNC_SERVER_{name}"));
        }
        command
    }

    /// Runs a command.
    pub fn ask(&self, args: &[&str]) -> Answer {
        let Output { status, stdout, stderr } = self.command(args).output().expect("ran");
        let text = String::from_utf8(stdout).expect("UTF-8");
        let lines = text.lines().map(|l| serde_json::from_str(l).expect("nothing but JSON on standard output")).collect();
        Answer { exit: status.code(), lines, told: String::from_utf8_lossy(&stderr).into_owned() }
    }

    /// Runs a command that must succeed.
    pub fn ok(&self, args: &[&str]) -> Answer {
        let answer = self.ask(args);
        assert_eq!(answer.exit, Some(0), "{args:?}: {}{:?}", answer.told, answer.lines);
        answer
    }

    /// Runs a command that must be refused with this code.
    pub fn refused(&self, code: &str, args: &[&str]) -> Answer {
        let answer = self.ask(args);
        assert_eq!(answer.code(), Some(code), "{args:?}: {} {:?}", answer.told, answer.lines);
        assert_ne!(answer.exit, Some(0), "{args:?}");
        answer
    }

    /// A request of a laptop.
    pub fn unit_request(&self, name: &str, seed: u8) -> String {
        self.request(name, seed, UnitRequest::sign(&member(name), &signer(name, seed)).as_bytes())
    }

    /// A request of a person, bound to a laptop or not.
    pub fn person_request(&self, role: Role, name: &str, seed: u8, unit: Option<&str>) -> String {
        let signer = signer(name, seed);
        let recipient = (role == Role::Supervisor).then(|| format!("age1{}", "y".repeat(58)).parse().expect("in form"));
        let request = AgentRequest { role, name: member(name), unit: unit.map(member), key: signer.public().clone(), recipient };
        self.request(name, seed, request.sign(&signer).as_bytes())
    }

    fn request(&self, name: &str, seed: u8, bytes: &[u8]) -> String {
        let path = self.path(&format!("{name}-{seed}.request"));
        fs::write(&path, bytes).expect("written");
        path.display().to_string()
    }

    /// Laptops van-1 and van-2, agent-1 and supervisor-1 on both.
    pub fn peopled(&self) {
        for van in ["van-1", "van-2"] {
            self.ok(&["unit", "admit", &self.unit_request(van, 1), "--region", "04"]);
        }
        self.ok(&["agent", "admit", &self.person_request(Role::Agent, "agent-1", 1, None)]);
        self.ok(&["supervisor", "admit", &self.person_request(Role::Supervisor, "supervisor-1", 1, None)]);
    }

    /// An adjudicator of this name, as staff add and admit make one.
    pub fn adjudicator(&self, name: &str) {
        let pass = self.text("staff-pass");
        self.ok(&["staff", "add", name, "--role", "adjudicator", "--key", &self.text(&format!("{name}.key")), "--passphrase-file", &pass]);
        self.ok(&["staff", "admit", &self.text(&format!("{name}.request")), "--role", "adjudicator"]);
    }

    /// A command with the signature of this adjudicator.
    pub fn signed_by(&self, name: &str, args: &[&str]) -> Vec<String> {
        let own = ["--as".to_owned(), name.to_owned(), "--key".to_owned(), self.text(&format!("{name}.key"))];
        let pass = ["--passphrase-file".to_owned(), self.text("staff-pass")];
        args.iter().map(|arg| (*arg).to_owned()).chain(own).chain(pass).collect()
    }

    fn opened(&self) -> Opened {
        Opened::open(Settings::load(Some(&self.path("data")), None).expect("founded")).expect("opened")
    }

    /// The newest roster.
    pub fn roster(&self) -> TrustedRoster {
        run(async { self.opened().roster().await }).expect("logged")
    }

    /// Logs batches as intake does.
    pub fn log(&self, batches: &[Made]) {
        let log = async {
            let centre = self.opened();
            let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
            let mut rosters = Vec::new();
            for version in 1..=centre.roster().await?.version().0 {
                let roster = centre.stores.ledger.roster(RosterVersion(version)).await?.ok_or(Code::NoRoster)?;
                rosters.push(TrustedRoster::from_own_log(Roster::parse(&roster.note)?));
            }
            for made in batches {
                let archive = &centre.stores.archive;
                archive.put(made.manifest.blob(), Whole::new(made.manifest.note().as_bytes())).await?;
                archive.put(Blob::of(&made.payload), Whole::new(made.payload.clone())).await?;
                let checked = CheckedManifest::check(made.manifest.clone(), &rosters[..])?;
                let mut hash = PayloadHash::default();
                hash.update(&made.payload);
                sequencer.log_batch(ReceivedBatch::new(checked).verify(hash)?).await?;
            }
            Ok::<_, Problem>(())
        };
        run(log).expect("logged");
    }

    /// Opens, folds and publishes all that is logged, as a server would.
    pub fn merge(&self) {
        let merge = async {
            let centre = self.opened();
            let _lock = merge::lock(&centre.settings.data.join("merge.lock"))?;
            let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
            let merger = serving::merger(&centre, sequencer, Nursery::of(Path::new(env!("CARGO_BIN_EXE_sync-server"))))?;
            merger.until_idle(1, &tokio::sync::watch::channel(false).1).await
        };
        run(merge).expect("merged");
    }

    /// How many entries the log has.
    pub fn log_size(&self) -> u64 {
        self.ok(&["log", "checkpoint"]).last()["size"].as_u64().expect("a size")
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started").block_on(work)
}
