//! Standard input, output and error: the only place that reads and writes them, without a buffer. A buffer would keep
//! what was typed or shown of a resident until something else takes its place.

use std::{
    io::{self, Read as _},
    sync::atomic::{AtomicBool, Ordering},
};

use shared::problem::{Code, Problem};
use zeroize::Zeroizing;

/// Standard input; no command takes what is meant for the next.
pub struct Typed;

impl io::Read for Typed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(io::stdin(), &mut *buffer))?)
    }
}

/// The next line of standard input, without its end; `None` when there is no more.
pub fn typed_line() -> Result<Option<Zeroizing<String>>, Problem> {
    const LONGEST: usize = 64 << 10;
    let unreadable = |why: &str| Problem::new(Code::InputUnreadable, format!("standard input: {why}"));
    let (mut line, mut byte) = (Zeroizing::new(Vec::with_capacity(256)), [0]);
    loop {
        let read = Typed.read(&mut byte).map_err(|e| unreadable(&e.kind().to_string()))?;
        match byte[0] {
            _ if read == 0 && line.is_empty() => return Ok(None),
            _ if read == 0 => break,
            b'\n' => break,
            _ if line.len() >= LONGEST => return Err(unreadable("a line longer than 64 KiB")),
            other => line.push(other),
        }
    }
    let text = std::str::from_utf8(&line).map_err(|_| unreadable("not UTF-8"))?;
    Ok(Some(Zeroizing::new(text.strip_suffix('\r').unwrap_or(text).to_owned())))
}

/// Where a text is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Something that was to be printed is lost, and nobody had gone away from it.
static LOST: AtomicBool = AtomicBool::new(false);

/// What was printed is not where it was sent: a full stick, a failing disk. A reader who went away (`| head`) is no loss.
pub fn lost() -> Option<Problem> {
    LOST.load(Ordering::Relaxed).then(|| Code::OutputLost.into())
}

/// Says a text, without a buffer that would keep it; false when it cannot be said, or whoever read it has gone.
pub fn say(to: Stream, text: &str) -> bool {
    let mut left = text.as_bytes();
    while !left.is_empty() {
        let written = rustix::io::retry_on_intr(|| match to {
            Stream::Out => rustix::io::write(io::stdout(), left),
            Stream::Err => rustix::io::write(io::stderr(), left),
        });
        match written {
            Ok(n) if n > 0 => left = &left[n..],
            other => {
                if to == Stream::Out && other != Err(rustix::io::Errno::PIPE) {
                    LOST.store(true, Ordering::Relaxed);
                }
                return false;
            }
        }
    }
    true
}
