//! What the tracer saw: acts, in the order of their effects. This file is also a part of `tests/traced`, which writes them.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::Path,
};

use serde_json::{Map, Value, json};

use super::faults::Fault;

/// What a call does. Paths are relative to the root that holds them; `data` is empty unless data was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each act's line names its fields")]
pub enum Act {
    /// An open that made a file, empty.
    Create { path: String },
    /// A file gets another length: truncate, ftruncate, or an open with `O_TRUNC` of a file that was there (0).
    Length { path: String, length: u64 },
    /// Space is reserved; `grows` when the length may become `offset + length`.
    Allocate { path: String, offset: u64, length: u64, grows: bool },
    /// Bytes at an offset; as many as `result` says took effect.
    Write { path: String, offset: u64, len: u64, data: Vec<u8> },
    /// fsync, fdatasync or syncfs of a file or folder.
    Sync { path: String },
    /// A name moves; `exchange` when the other moves back.
    Rename { from: String, to: String, exchange: bool },
    /// A second name.
    Link { from: String, to: String },
    /// A name goes.
    Unlink { path: String },
    /// A new folder.
    Folder { path: String },
    /// An empty folder goes.
    RemoveFolder { path: String },
    /// Something is about to be told: `to` is `stdout` or `socket`. Seen at its entry; what it tells must be true already.
    Tell { to: String, len: u64, data: Vec<u8> },
}

/// One act of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// 1 for the first.
    pub n: u64,
    /// Which thread.
    pub thread: i32,
    /// The system call.
    pub call: String,
    /// What it does.
    pub act: Act,
    /// What the kernel answered: bytes or a descriptor, or minus an errno. For a tell: its length. The least number when
    /// the program was ended from outside in mid-call: nobody knows.
    pub result: i64,
    /// What was done to it: it had no effect.
    pub injected: Option<Fault>,
}

impl Act {
    /// The names that it touches.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::Rename { from, to, .. } | Self::Link { from, to } => (Some(from), Some(to)),
            Self::Tell { .. } => (None, None),
            Self::Create { path }
            | Self::Length { path, .. }
            | Self::Allocate { path, .. }
            | Self::Write { path, .. }
            | Self::Sync { path }
            | Self::Unlink { path }
            | Self::Folder { path }
            | Self::RemoveFolder { path } => (Some(path), None),
        };
        first.into_iter().chain(second).map(String::as_str)
    }

    /// Does it make something durable, or give or take a name?
    pub const fn is_durable(&self) -> bool {
        matches!(self, Self::Sync { .. } | Self::Rename { .. } | Self::Link { .. } | Self::Unlink { .. } | Self::RemoveFolder { .. })
    }

    /// Does it change the bytes of a file?
    pub const fn is_write(&self) -> bool {
        matches!(self, Self::Write { .. })
    }

    fn fields(&self) -> (Value, &[u8]) {
        let none: &[u8] = &[];
        match self {
            Self::Create { path } => (json!({ "act": "create", "path": path }), none),
            Self::Length { path, length } => (json!({ "act": "length", "path": path, "length": length }), none),
            Self::Allocate { path, offset, length, grows } => {
                (json!({ "act": "allocate", "path": path, "offset": offset, "length": length, "grows": grows }), none)
            }
            Self::Write { path, offset, len, data } => (json!({ "act": "write", "path": path, "offset": offset, "len": len }), data),
            Self::Sync { path } => (json!({ "act": "sync", "path": path }), none),
            Self::Rename { from, to, exchange } => (json!({ "act": "rename", "from": from, "to": to, "exchange": exchange }), none),
            Self::Link { from, to } => (json!({ "act": "link", "from": from, "to": to }), none),
            Self::Unlink { path } => (json!({ "act": "unlink", "path": path }), none),
            Self::Folder { path } => (json!({ "act": "folder", "path": path }), none),
            Self::RemoveFolder { path } => (json!({ "act": "remove-folder", "path": path }), none),
            Self::Tell { to, len, data } => (json!({ "act": "tell", "to": to, "len": len }), data),
        }
    }

    fn parse(line: &Value, data: Vec<u8>) -> Option<Self> {
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        let number = |key: &str| line[key].as_u64();
        let path = || text("path");
        Some(match line["act"].as_str()? {
            "create" => Self::Create { path: path()? },
            "length" => Self::Length { path: path()?, length: number("length")? },
            "allocate" => {
                let grows = line["grows"].as_bool()?;
                Self::Allocate { path: path()?, offset: number("offset")?, length: number("length")?, grows }
            }
            "write" => Self::Write { path: path()?, offset: number("offset")?, len: number("len")?, data },
            "sync" => Self::Sync { path: path()? },
            "rename" => Self::Rename { from: text("from")?, to: text("to")?, exchange: line["exchange"].as_bool()? },
            "link" => Self::Link { from: text("from")?, to: text("to")? },
            "unlink" => Self::Unlink { path: path()? },
            "folder" => Self::Folder { path: path()? },
            "remove-folder" => Self::RemoveFolder { path: path()? },
            "tell" => Self::Tell { to: text("to")?, len: number("len")?, data },
            _ => return None,
        })
    }
}

impl Event {
    /// Writes its line, and the bytes behind it.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let (fields, data) = self.act.fields();
        let mut line = Map::new();
        line.insert("n".into(), self.n.into());
        line.insert("thread".into(), self.thread.into());
        line.insert("call".into(), self.call.clone().into());
        line.extend(fields.as_object().cloned().unwrap_or_default());
        line.insert("result".into(), self.result.into());
        line.insert("bytes".into(), data.len().into());
        if let Some(fault) = self.injected {
            line.insert("injected".into(), fault.name().into());
        }
        writeln!(to, "{}", Value::Object(line))?;
        if !data.is_empty() {
            to.write_all(data)?;
            to.write_all(b"\n")?;
        }
        to.flush()
    }

    fn parse(line: &Value, data: Vec<u8>) -> Option<Self> {
        Some(Self {
            n: line["n"].as_u64()?,
            thread: i32::try_from(line["thread"].as_i64()?).ok()?,
            call: line["call"].as_str()?.to_owned(),
            act: Act::parse(line, data)?,
            result: line["result"].as_i64()?,
            injected: line["injected"].as_str().and_then(Fault::named),
        })
    }
}

/// Reads the events of a run, in their order. One that was cut off in mid-line, because the tracer was ended, is an error.
pub fn read(path: &Path) -> io::Result<Vec<Event>> {
    let mut from = BufReader::new(File::open(path)?);
    let (mut events, mut line) = (Vec::new(), String::new());
    while from.read_line(&mut line)? > 0 {
        let value: Value = serde_json::from_str(&line)?;
        if let Some(why) = value["broken"].as_str() {
            return Err(io::Error::other(format!("the tracer could not go on: {why}")));
        }
        if value["act"].is_string() {
            let len = value["bytes"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
            let data = data(&mut from, len)?;
            events.push(Event::parse(&value, data).ok_or_else(|| io::Error::other(format!("not an event: {line}")))?);
        }
        line.clear();
    }
    Ok(events)
}

fn data(from: &mut impl BufRead, len: usize) -> io::Result<Vec<u8>> {
    let mut data = vec![0; len];
    from.read_exact(&mut data)?;
    if len > 0 {
        from.read_exact(&mut [0; 1])?;
    }
    Ok(data)
}
