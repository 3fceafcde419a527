//! Runs that a test writes by hand: `write a 0 8; sync a EIO; rename .tmp-1 a`.

use crate::tracer::{Act, Event, Fault};

/// What an act answers when the disk failed (Linux).
pub const EIO: i64 = -5;

/// One event a clause; `EIO` at its end makes it fail.
pub fn run(script: &str) -> Vec<Event> {
    (1..).zip(script.split(';').map(str::trim)).map(|(n, clause)| event(n, clause)).collect()
}

fn event(n: u64, clause: &str) -> Event {
    let (words, fails) = clause.strip_suffix(" EIO").map_or((clause, false), |words| (words, true));
    let act = act(&words.split(' ').collect::<Vec<_>>());
    let done = if let Act::Write { len, .. } = act { i64::try_from(len).expect("small") } else { 0 };
    let (result, injected) = if fails { (EIO, Some(Fault::Eio)) } else { (done, None) };
    Event { n, thread: 1, call: String::new(), act, result, injected }
}

fn act(words: &[&str]) -> Act {
    let number = |word: &str| word.parse().expect("a number");
    match *words {
        ["write", path, offset, len] => {
            let offset = if offset == "at" { u64::MAX } else { number(offset) };
            Act::Write { path: path.into(), offset, len: number(len), data: Vec::new() }
        }
        ["length", path, length] => Act::Length { path: path.into(), length: number(length) },
        ["sync", path] => Act::Sync { path: path.into() },
        ["create", path] => Act::Create { path: path.into() },
        ["folder", path] => Act::Folder { path: path.into() },
        ["unlink", path] => Act::Unlink { path: path.into() },
        ["remove", path] => Act::RemoveFolder { path: path.into() },
        ["rename", from, to] => Act::Rename { from: from.into(), to: to.into(), exchange: false },
        ["link", from, to] => Act::Link { from: from.into(), to: to.into() },
        ["tell", to, said] => {
            let data = bytes(said);
            Act::Tell { to: to.into(), len: data.len() as u64, data }
        }
        ["put", path, said] => {
            let data = bytes(said);
            Act::Write { path: path.into(), offset: 0, len: data.len() as u64, data }
        }
        _ => panic!("no act: {words:?}"),
    }
}

/// One word: `+` is a space, `~` a line feed, `^` a line end of HTTP.
fn bytes(word: &str) -> Vec<u8> {
    word.replace('+', " ").replace('~', "\n").replace('^', "\r\n").into_bytes()
}
