//! Running the programs as a person would: arguments in, JSON Lines and an exit code out.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::skipped::skip;

/// Why a story cannot go on.
pub struct Broken(pub String);
/// What a step of a story gives.
pub type Sure<T> = Result<T, Broken>;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
// what a test that ends with `?` prints
impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<E: std::error::Error> From<E> for Broken {
    fn from(e: E) -> Self {
        Self(e.to_string())
    }
}

/// One of our programs with the flags that every command takes.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    flags: Vec<String>,
    switches: String,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; none when a signal ended it.
    pub exit: Option<i32>,
    /// The JSON lines of its standard output.
    pub lines: Vec<Value>,
    /// Its standard error.
    pub err: String,
    what: String,
}

/// The folder of the programs: that of this one, or the one above its `deps`.
pub fn bins() -> Sure<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own.ancestors().skip(1).find(|f| f.join("sync-server").exists() && f.join("enroll-client").exists());
    found.map(Path::to_owned).ok_or_else(|| Broken("the programs are not built: cargo build --release --workspace --bins".into()))
}

/// The folder of the test builds, made by `scripts/sabotaged`; none when they are not there.
pub fn sabotaged_bins() -> Option<PathBuf> {
    let folder = bins().ok()?.parent()?.join("sabotage");
    (folder.join("sync-server").exists() && folder.join("enroll-client").exists()).then_some(folder)
}

/// Whether the test builds are missing: says so, for a test that then skips.
pub fn sabotage_is_missing() -> bool {
    let missing = sabotaged_bins().is_none();
    if missing {
        skip("the test builds are not there: scripts/sabotaged");
    }
    missing
}

impl Program {
    /// A program by name, with flags that go before each command.
    pub fn new(name: &str, flags: &[&str]) -> Sure<Self> {
        let flags = flags.iter().map(|&f| f.to_owned()).collect();
        Ok(Self { path: bins()?.join(name), flags, switches: String::new() })
    }

    /// The test build of the same program with these switches on (see `ground::sabotage`); without any, the program itself.
    pub fn sabotaged(&self, switches: &[&str]) -> Sure<Self> {
        let name = self.path.file_name().ok_or_else(|| Broken("a program without a name".into()))?;
        let folder = if switches.is_empty() { Some(bins()?) } else { sabotaged_bins() };
        let folder = folder.ok_or_else(|| Broken("the test build is not there: scripts/sabotaged".into()))?;
        Ok(Self { path: folder.join(name), flags: self.flags.clone(), switches: switches.join(",") })
    }

    /// The same, a copy of it that lies in this folder.
    pub fn copied(&self, folder: &Path) -> Sure<Self> {
        let name = self.path.file_name().ok_or_else(|| Broken("a program without a name".into()))?;
        Ok(Self { path: folder.join(name), flags: self.flags.clone(), switches: self.switches.clone() })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command, not started yet; nothing of our environment reaches it, and nobody is at its keyboard.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        self.dress(&mut command, args);
        command
    }

    /// The same under another program, which is given the command as its last arguments.
    pub fn command_under(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(&self.path);
        self.dress(&mut command, args);
        command
    }

    fn dress(&self, command: &mut Command, args: &[&str]) {
        command.args(&self.flags).args(args);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        if !self.switches.is_empty() {
            command.env("ENROLMENT_SABOTAGE", &self.switches);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Sure<Ran> {
        Self::end(self.command(args), args)
    }

    /// Runs a command that is ready to start, to its end.
    pub fn end(mut command: Command, args: &[&str]) -> Sure<Ran> {
        let what = args.join(" ");
        let out = command.output().map_err(|e| Broken(format!("{what}: {e}")))?;
        let text = String::from_utf8_lossy(&out.stdout);
        let lines = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        let lines = lines.map_err(|e| Broken(format!("{what}: standard output is not JSON Lines ({e}): {text}")))?;
        Ok(Ran { exit: out.status.code(), lines, err: String::from_utf8_lossy(&out.stderr).into_owned(), what })
    }
}

impl Ran {
    /// It must have done what it was asked for; the last line is its summary.
    pub fn ok(self) -> Sure<Self> {
        let what = self.what.clone();
        self.demand(&what)
    }

    /// The same, told in other words when it did not. Exit 4, nothing to do, is no failure.
    pub fn demand(self, what: &str) -> Sure<Self> {
        match self.exit {
            Some(0 | 4) => Ok(self),
            _ => Err(self.broken(what)),
        }
    }

    /// It ended in another way than the story tells.
    pub fn broken(&self, what: &str) -> Broken {
        let last = self.lines.last().map(ToString::to_string).unwrap_or_default();
        Broken(format!("{what}: exit {:?}\n{last}\n{}", self.exit, self.err))
    }

    /// It must have failed with this problem code.
    pub fn refused(self, code: &str) -> Sure<Self> {
        match self.code() {
            Some(found) if found == code && self.exit != Some(0) => Ok(self),
            _ => Err(self.broken(&format!("{} should fail with {code}", self.what))),
        }
    }

    /// The code of the problem that it ended with.
    pub fn code(&self) -> Option<&str> {
        let last = self.lines.last()?;
        (last["message_type"] == "error").then(|| last["code"].as_str())?
    }

    /// The lines of a type.
    pub fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.lines.iter().filter(move |l| l["message_type"] == kind)
    }

    /// The last line.
    pub fn summary(&self) -> &Value {
        self.lines.last().unwrap_or(&Value::Null)
    }

    /// A number of the last line.
    pub fn number(&self, key: &str) -> u64 {
        self.summary()[key].as_u64().unwrap_or(0)
    }

    /// A text of the last line.
    pub fn text(&self, key: &str) -> Sure<String> {
        self.summary()[key].as_str().map(str::to_owned).ok_or_else(|| self.broken(&format!("{} says no {key}", self.what)))
    }
}

/// Waits until something is so, a minute at most.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Sure<Option<T>>) -> Sure<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if start.elapsed() > Duration::from_mins(1) {
            return Err(Broken(format!("waited a minute: {what}")));
        }
        thread::sleep(Duration::from_millis(50));
    }
}
