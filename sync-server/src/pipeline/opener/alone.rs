//! The parent's side: one record, opened alone in a child process.
//!
//! A child that ends without an answer, or in which time runs out, has died of its record. A child that was never
//! started, or that somebody told to stop together with us (a terminal, a service manager), says nothing about it.

use std::{
    io::{self, Read as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{self, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::Signal;
use shared::{
    merge::Essence,
    problem::{Code, Problem},
};
use zeroize::Zeroizing;

use super::{record::Stop, wire};

/// How long a child may live. Its processor time is limited by itself.
const PATIENCE: Duration = Duration::from_mins(1);
/// An answer is seldom longer, in bytes.
const ORDINARY: usize = 64 * 1024;
/// Whoever sends these means the whole service.
const TOLD_TO_STOP: [Signal; 4] = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];

/// Starts children.
#[derive(Debug, Clone)]
pub struct Nursery {
    program: PathBuf,
}

/// What a child came to.
pub(super) enum Child {
    /// It answered.
    Back(Result<Essence, Stop>),
    /// It died of its record; how.
    ToDeath(String),
    /// This says nothing about the record.
    ToNothing(Problem),
}

impl Nursery {
    /// Children are this program, also when its file was replaced meanwhile.
    pub fn of_this_program() -> Self {
        Self::of("/proc/self/exe")
    }

    /// Children are this file of `sync-server`.
    pub fn of(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// Lets a child open the record that these messages hold. Blocks.
    pub(super) fn open(&self, messages: &[Zeroizing<Vec<u8>>]) -> Child {
        let mut child = match start(&self.program) {
            Ok(child) => child,
            Err(e) => return Child::ToNothing(Problem::new(Code::IoFailed, format!("no process to open a record in: {e}"))),
        };
        match talk(&mut child, messages) {
            Ok((status, answer)) => judge(status, &answer),
            Err(e) => {
                let _ = child.kill();
                let _ = child.wait();
                Child::ToNothing(Problem::new(Code::IoFailed, format!("the process that opens a record: {e}")))
            }
        }
    }
}

fn start(program: &Path) -> io::Result<process::Child> {
    let mut command = Command::new(program);
    // its own group: Ctrl-C at a terminal is for the server
    command.arg0("sync-server").arg("open-record").process_group(0);
    // what a panic says may quote the record
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn()
}

/// Gives it all, takes all it says, waits for its end, which comes in time or is brought about.
fn talk(child: &mut process::Child, messages: &[Zeroizing<Vec<u8>>]) -> io::Result<(ExitStatus, Zeroizing<Vec<u8>>)> {
    let (mut input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    thread::scope(|scope| {
        let (ended, ends) = mpsc::channel();
        scope.spawn(move || {
            // one that died in between does not read to the end: its status says more than this error
            let _ = give(&mut input, messages);
        });
        scope.spawn(move || {
            let mut answer = Zeroizing::new(Vec::with_capacity(ORDINARY));
            let _ = output.take(u64::from(wire::LONGEST)).read_to_end(&mut answer);
            let _ = ended.send(answer);
        });
        let answer = ends.recv_timeout(PATIENCE);
        if answer.is_err() {
            child.kill()?;
        }
        let status = child.wait()?;
        Ok((status, answer.unwrap_or_default()))
    })
}

fn give(input: &mut impl io::Write, messages: &[Zeroizing<Vec<u8>>]) -> io::Result<()> {
    for message in messages {
        let length = u32::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        input.write_all(&length.to_be_bytes())?;
        input.write_all(message)?;
    }
    input.flush()
}

fn judge(status: ExitStatus, answer: &[u8]) -> Child {
    if let Some(signal) = status.signal()
        && TOLD_TO_STOP.iter().any(|told| told.as_raw() == signal)
    {
        return Child::ToNothing(Problem::new(Code::Busy, "told to stop while a record was opened"));
    }
    match wire::answered(answer) {
        Some(found) if status.success() => Child::Back(found),
        _ => Child::ToDeath(status.to_string()),
    }
}
