//! Sealed record → what it holds: the opener's side, steps 4 to 1, and then the line.
//!
//! **Trust:** the bytes are those that the line's digest names (the caller has compared); whoever signed that line
//! may still be hostile. Every step is bounded by what the line states, and the line by [`Limits`], before it runs.
//! **Invariants:** at most `sealed_size` bytes are read and at most `plain` are ever decompressed; an error of the
//! reader is `io-failed`, never a verdict on the record, because a verdict would be final.

use std::{
    io::{self, BufRead, Read},
    ops::Range,
};

use zeroize::Zeroizing;

use super::{Identity, frame, header, padding, sealed::MAX_SEALED, tar};
use crate::{
    id::{FormName, Member, RecordId, Transaction},
    problem::{Code, Problem},
    record::{Content, MAX_PLAIN, Part},
    time::Minute,
};

/// What a record's signed line states, and the `pad` of the form that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Bytes of the sealed record.
    pub sealed_size: u64,
    /// The line's `plain`.
    pub plain: u64,
    /// The form's `pad`.
    pub pad: u64,
    /// Id of the record.
    pub record_id: RecordId,
    /// The unit of the manifest.
    pub unit: Member,
    /// The agent whose key signed the line.
    pub agent: Member,
    /// What the record is for.
    pub transaction: Transaction,
    /// The form.
    pub form: FormName,
    /// The minute of finishing.
    pub finished: Minute,
}

/// What the opener is ready to spend on one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a sealed record.
    pub sealed: u64,
    /// Most bytes plain.
    pub plain: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sealed: MAX_SEALED, plain: MAX_PLAIN }
    }
}

/// A sealed record, opened: well-formed, with the parts that it lists, and equal to its line. Its form is not
/// checked yet. Zeroized when dropped.
pub struct Opened {
    content: Content,
    plain: Zeroizing<Vec<u8>>,
    parts: Vec<Range<usize>>,
}

/// Opens a sealed record. The first check that fails decides; see `SPEC.md` for their order.
pub fn open(sealed: impl BufRead, expected: &Expected, identities: &[Identity], limits: &Limits) -> Result<Opened, Problem> {
    within("sealed", expected.sealed_size, limits.sealed)?;
    within("plain", expected.plain, limits.plain)?;
    // 4. age
    let packed = decrypt(sealed, expected.sealed_size, identities)?;
    // 3. padding, 2. zstd
    let plain = frame::unpack(&packed, expected.pad, expected.plain)?;
    drop(packed);
    if padding::plain(plain.len() as u64, expected.pad) != expected.plain {
        return Err(Problem::new(Code::PlainSizeWrong, "not what the line states"));
    }
    // 1. tar
    let (content, parts) = tar::read(&plain)?;
    let opened = Opened { content, plain, parts };
    opened.equals(expected)?;
    Ok(opened)
}

fn within(what: &str, size: u64, most: u64) -> Result<(), Problem> {
    if size <= most { Ok(()) } else { Err(Problem::new(Code::RecordTooLarge, format!("{what}: {size} bytes, at most {most}"))) }
}

fn decrypt(sealed: impl BufRead, size: u64, identities: &[Identity]) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut input = Bounded { inner: sealed, left: size, failed: false };
    let packed = decrypt_bounded(&mut input, size, identities);
    match packed {
        Err(_) if input.failed => Err(Problem::new(Code::IoFailed, "reading the sealed record")),
        packed => packed,
    }
}

fn decrypt_bounded<R: BufRead>(input: &mut Bounded<R>, size: u64, identities: &[Identity]) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let (_, head) = header::read_header(input)?;
    let decryptor = age::Decryptor::new_buffered(head.as_slice().chain(input)).map_err(verdict)?;
    let mut reader = decryptor.decrypt(identities.iter().map(Identity::as_age)).map_err(verdict)?;
    // what is inside is shorter than the file, so this never grows: a buffer that grows leaves readable bytes behind
    let room = usize::try_from(size).map_err(|_| Problem::from(Code::RecordTooLarge))?;
    let mut packed = Zeroizing::new(Vec::with_capacity(room));
    reader.read_to_end(&mut packed).map_err(|_| Problem::new(Code::SealDamaged, "payload"))?;
    Ok(packed)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn verdict(error: age::DecryptError) -> Problem {
    match error {
        age::DecryptError::NoMatchingKeys => Code::RecipientUnknown.into(),
        _ => Problem::new(Code::SealDamaged, "header"),
    }
}

impl Opened {
    /// Inside = outside. An agent who signs a colleague's sealed record is named for what that is.
    fn equals(&self, expected: &Expected) -> Result<(), Problem> {
        let content = &self.content;
        if content.agent != expected.agent {
            return Err(Problem::new(Code::RecordResigned, "agent"));
        }
        let fields = [
            ("record id", content.record_id == expected.record_id),
            ("unit", content.unit == expected.unit),
            ("transaction", content.transaction == expected.transaction),
            ("form", content.form == expected.form),
            ("finished", content.finished.minute() == expected.finished),
        ];
        match fields.iter().find(|(_, same)| !same) {
            Some((field, _)) => Err(Problem::new(Code::LineMismatch, *field)),
            None => Ok(()),
        }
    }
    /// What record.json says.
    pub const fn content(&self) -> &Content {
        &self.content
    }
    /// The parts, in the order of the list.
    pub fn parts(&self) -> impl Iterator<Item = (&Part, &[u8])> {
        self.content.parts.iter().zip(self.parts.iter().map(|range| &self.plain[range.clone()]))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.content.person.values_mut().for_each(zeroize::Zeroize::zeroize);
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({} {})", self.content.unit, self.content.record_id)
    }
}

/// Exactly `left` bytes of a reader. Remembers when the reader itself failed or ended early.
struct Bounded<R> {
    inner: R,
    left: u64,
    failed: bool,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let read = ready.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let Self { inner, left, failed } = self;
        if *left == 0 {
            return Ok(&[]);
        }
        match inner.fill_buf() {
            Ok(ready) => {
                *failed |= ready.is_empty();
                let most = usize::try_from(*left).unwrap_or(usize::MAX);
                Ok(&ready[..ready.len().min(most)])
            }
            Err(e) => {
                *failed |= e.kind() != io::ErrorKind::Interrupted;
                Err(e)
            }
        }
    }
    fn consume(&mut self, amount: usize) {
        self.left -= amount as u64;
        self.inner.consume(amount);
    }
}
