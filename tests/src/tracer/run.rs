//! From a test: which arguments make `traced` run a program, and what is left to read afterwards.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

use super::{
    events::{Event, read},
    faults::{Fault, Trigger},
};
use crate::{
    skipped::skip,
    world::{Broken, Sure, bins, path_text},
};

/// How a run is looked at.
#[derive(Debug, Clone)]
pub struct Tracing {
    roots: Vec<PathBuf>,
    out: PathBuf,
    data: bool,
    faults: Vec<(Trigger, Fault)>,
}

impl Tracing {
    /// Acts under these folders, which are there, are written to `out`, which lies outside of them.
    pub fn of(roots: &[&Path], out: &Path) -> Self {
        Self { roots: roots.iter().map(|r| r.to_path_buf()).collect(), out: out.to_owned(), data: false, faults: Vec::new() }
    }

    /// With the bytes that are written.
    #[must_use]
    pub fn with_data(mut self) -> Self {
        self.data = true;
        self
    }

    /// With a fault.
    #[must_use]
    pub fn with_fault(mut self, trigger: Trigger, fault: Fault) -> Self {
        self.faults.push((trigger, fault));
        self
    }

    /// What goes before the program, as [`Program::command_under`](crate::world::Program::command_under) takes it.
    pub fn wrapper(&self) -> Sure<Vec<String>> {
        let mut words = vec![path_text(&bins()?.join("traced"))?.to_owned(), "--out".to_owned(), path_text(&self.out)?.to_owned()];
        for root in &self.roots {
            words.extend(["--root".to_owned(), path_text(root)?.to_owned()]);
        }
        words.extend(self.data.then(|| "--data".to_owned()));
        for (trigger, fault) in &self.faults {
            words.extend(["--fault".to_owned(), trigger.print(*fault)]);
        }
        words.push("--".to_owned());
        Ok(words)
    }

    /// What was seen so far; all of it once the run is over.
    pub fn traced(&self) -> Sure<Traced> {
        Ok(Traced { pid: self.pid()?, events: read(&self.out)? })
    }

    /// The process id of the program itself: `traced` has another one.
    pub fn pid(&self) -> Sure<u32> {
        let mut first = String::new();
        BufReader::new(File::open(&self.out)?).read_line(&mut first)?;
        let pid = serde_json::from_str::<Value>(&first)?["pid"].as_u64().ok_or_else(|| Broken("no process id".into()))?;
        Ok(u32::try_from(pid)?)
    }
}

/// A run that was looked at.
#[derive(Debug)]
pub struct Traced {
    /// The program's process id.
    pub pid: u32,
    /// What it did.
    pub events: Vec<Event>,
}

impl Traced {
    /// The act that was hit, if any was.
    pub fn hit(&self) -> Option<&Event> {
        self.events.iter().find(|e| e.injected.is_some())
    }
}

/// Builds `traced` when it is not as its source says: it is a workspace of its own, so nothing else builds it.
fn build() -> Sure<()> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("traced/Cargo.toml");
    let target = bins()?.parent().map(Path::to_owned).ok_or_else(|| Broken("no target folder".into()))?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--quiet", "--locked", "--manifest-path"]).arg(own).arg("--target-dir").arg(target);
    if cargo.status()?.success() { Ok(()) } else { Err(Broken("traced cannot be built".into())) }
}

/// Says that a test skips, and why, where a program cannot be traced.
pub fn is_missing() -> bool {
    static WHY: OnceLock<Option<String>> = OnceLock::new();
    let why = WHY.get_or_init(|| try_out().err().map(|e| e.to_string()));
    if let Some(why) = why {
        skip(format_args!("programs cannot be traced here (Linux on x86-64 with ptrace and seccomp is needed): {why}"));
    }
    why.is_some()
}

fn try_out() -> Sure<()> {
    build()?;
    let mut command = Command::new(bins()?.join("traced"));
    command.args(["--out", "/dev/null", "--", "true"]);
    let out = command.output()?;
    if out.status.success() { Ok(()) } else { Err(Broken(String::from_utf8_lossy(&out.stderr).into_owned())) }
}
