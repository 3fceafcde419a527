//! Runs a program and writes down each act that changes a file under a folder; makes one of them fail, or the last one.
//!
//! ```text
//! traced [--root FOLDER]… --out FILE [--data] [--fault FAULT]… -- PROGRAM [ARGUMENT…]
//! ```
//!
//! It ends as the program ends, by the same code or signal; by 125 when it could not follow. What it writes, and what a
//! fault is, is told in `tests/src/tracer.rs`, whose two files of data it shares.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod acts;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod armed;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod calls;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod engine;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tracee;
#[allow(dead_code, reason = "tests read what is written here")]
#[path = "../../src/tracer/events.rs"]
mod events;
#[allow(dead_code, reason = "tests name the faults that are met here")]
#[path = "../../src/tracer/faults.rs"]
mod faults;

use std::{fmt, path::PathBuf, process::ExitCode};

use faults::{Fault, Trigger};

/// Why a program cannot be followed.
#[derive(Debug)]
pub struct Broken(String);
/// What a step gives.
pub type Sure<T> = Result<T, Broken>;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<E: std::error::Error> From<E> for Broken {
    fn from(e: E) -> Self {
        Self(e.to_string())
    }
}

#[derive(Debug, Default)]
struct Arguments {
    roots: Vec<PathBuf>,
    out: PathBuf,
    data: bool,
    faults: Vec<(Trigger, Fault)>,
    /// For itself: wait to be traced, then become the program.
    aside: bool,
    program: Vec<String>,
}

impl Arguments {
    fn parse(mut from: impl Iterator<Item = String>) -> Sure<Self> {
        let mut all = Self::default();
        while let Some(word) = from.next() {
            let mut next = || from.next().ok_or_else(|| Broken(format!("{word} what?")));
            match word.as_str() {
                "--root" => all.roots.push(next()?.into()),
                "--out" => all.out = next()?.into(),
                "--data" => all.data = true,
                "--aside" => all.aside = true,
                "--fault" => {
                    let text = next()?;
                    all.faults.push(Trigger::parse(&text).ok_or_else(|| Broken(format!("not a fault: {text}")))?);
                }
                "--" => all.program = from.by_ref().collect(),
                _ => return Err(Broken(format!("what is {word}?"))),
            }
        }
        if all.program.is_empty() { Err(Broken("no program".into())) } else { Ok(all) }
    }
}

fn main() -> ExitCode {
    Arguments::parse(std::env::args().skip(1)).and_then(run).unwrap_or_else(|e| {
        eprintln!("traced: {e}");
        ExitCode::from(125)
    })
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn run(arguments: Arguments) -> Sure<ExitCode> {
    use std::process::Command;

    use nix::sys::{signal::raise, wait::WaitStatus};

    if arguments.aside {
        engine::step_aside(&arguments.program)?;
    }
    let mut aside = Command::new(std::env::current_exe()?);
    let child = aside.arg("--aside").arg("--").args(&arguments.program).spawn()?;
    // a root that is not there yet holds nothing
    let roots = arguments.roots.iter().map(|r| r.canonicalize().unwrap_or_else(|_| r.clone())).collect();
    let sight = acts::Sight { roots, data: arguments.data };
    match engine::follow(child.id(), sight, arguments.faults, &arguments.out)? {
        WaitStatus::Exited(_, code) => Ok(ExitCode::from(u8::try_from(code)?)),
        WaitStatus::Signaled(_, signal, _) => {
            raise(signal)?;
            Ok(ExitCode::FAILURE)
        }
        other => Err(Broken(format!("{other:?}"))),
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn run(_: Arguments) -> Sure<ExitCode> {
    Err(Broken("programs are traced on Linux on x86-64 only".into()))
}
