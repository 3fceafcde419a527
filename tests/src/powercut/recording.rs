//! Runs of the real programs, one after the other on one disk, under the tracer ([`crate::tracer`]), read back as
//! operations.
//!
//! Acknowledgements are taken where they were about to be written, not where somebody has read them: JSON lines on standard
//! output as they are, and what leaves through a socket (over plain HTTP): proofs as `{"proof":"c2sp.org/tlog-proof@v1…"}`, and how
//! much of a payload has arrived as `{"upload_length":9924121,"upload_offset":4521984}`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::operation::Operation;
use crate::{
    tracer::{Act, Event, Tracing},
    world::{Broken, Program, Ran, Sure, until},
};

/// What each proof begins with.
const PROOF: &str = "c2sp.org/tlog-proof@v1\n";

/// Records what programs do below a folder.
pub struct Recorder {
    root: PathBuf,
    traces: TempDir,
    runs: usize,
    operations: Vec<Operation>,
}

impl Recorder {
    /// Watches a folder.
    pub fn new(root: &Path) -> Sure<Self> {
        Ok(Self { root: root.canonicalize()?, traces: tempfile::tempdir()?, runs: 0, operations: Vec::new() })
    }

    fn tracing(&self) -> Tracing {
        Tracing::of(&[&self.root], &self.traces.path().join(self.runs.to_string())).with_data()
    }

    /// The command that the next program is to be run under.
    pub fn wrapper(&self) -> Sure<Vec<String>> {
        self.tracing().wrapper()
    }

    /// The id of the program that runs under [`Recorder::wrapper`], once it does.
    pub fn process(&self) -> Sure<u32> {
        until("the program's process id", || Ok(self.tracing().pid().ok()))
    }

    /// Runs a command to its end.
    pub fn run(&mut self, program: &Program, args: &[&str]) -> Sure<Ran> {
        let wrapper = self.wrapper()?;
        let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
        let ran = Program::end(program.command_under(&wrapper, args), args)?;
        self.ended()?;
        Ok(ran)
    }

    /// Reads what the program that was run under [`Recorder::wrapper`] has done, once it has ended.
    pub fn ended(&mut self) -> Sure<()> {
        let traced = self.tracing().traced()?;
        self.runs += 1;
        traced.events.into_iter().try_for_each(|event| self.take(event))
    }

    /// What was done.
    pub fn operations(self) -> Vec<Operation> {
        self.operations
    }

    fn take(&mut self, event: Event) -> Sure<()> {
        if event.result < 0 {
            return Ok(()); // nothing happened
        }
        let operation = match event.act {
            Act::Create { path } => Operation::Create(place(path)),
            Act::Length { path, length } => Operation::Resize { path: place(path), size: length },
            Act::Write { path, offset, data, .. } => Operation::Write { path: place(path), at: offset, bytes: data.into() },
            Act::Sync { path } => Operation::Sync(place(path)),
            Act::Rename { exchange: true, .. } => return Err(Broken("two names are exchanged: the model knows nothing of that".into())),
            Act::Rename { from, to, .. } => Operation::Rename { from: place(from), to: place(to) },
            Act::Link { from, to } => Operation::Link { from: place(from), to: place(to) },
            Act::Unlink { path } | Act::RemoveFolder { path } => Operation::Remove(place(path)),
            Act::Folder { path } => Operation::Folder(place(path)),
            // space without bytes: a longer file, if at all, is zeros there
            Act::Allocate { grows: false, .. } => return Ok(()),
            Act::Allocate { path, offset, length, .. } => Operation::Resize { path: place(path), size: offset + length },
            Act::Tell { to, data, .. } => {
                self.operations.extend(told(&to, &data).into_iter().map(|said| Operation::Said(said.into())));
                return Ok(());
            }
        };
        self.operations.push(operation);
        Ok(())
    }
}

/// The root itself is the empty path here.
fn place(path: String) -> PathBuf {
    if path == "." { PathBuf::new() } else { path.into() }
}

fn told(to: &str, data: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(data);
    let lines = || text.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok_and(|v| v.is_object()));
    match (to, text.split_once("\r\n\r\n")) {
        ("stdout", _) => lines().map(str::to_owned).collect(),
        (_, Some((head, body))) => {
            let mut found = Vec::new();
            match serde_json::from_str(body) {
                Ok(value) => proofs(&value, &mut found),
                Err(_) if body.starts_with(PROOF) => found.push(body.to_owned()),
                Err(_) => {}
            }
            arrived(head).into_iter().chain(found.into_iter().map(|proof| json!({ "proof": proof }))).map(|said| said.to_string()).collect()
        }
        (_, None) => Vec::new(),
    }
}

/// The offset of an upload in the head of an answer, which has its length, too; a request has not.
fn arrived(head: &str) -> Option<Value> {
    let headers = || head.lines().filter_map(|line| line.split_once(": "));
    let number = |name: &str| headers().find(|(n, _)| n.eq_ignore_ascii_case(name))?.1.parse::<u64>().ok();
    Some(json!({ "upload_offset": number("upload-offset")?, "upload_length": number("upload-length")? }))
}

fn proofs(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with(PROOF) => found.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|value| proofs(value, found)),
        Value::Object(all) => all.values().for_each(|value| proofs(value, found)),
        _ => {}
    }
}
