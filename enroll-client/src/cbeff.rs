//! CBEFF XML (ISO/IEC 19785-3, patron format of OASIS BIAS) as capture software writes it: what
//! `draft import-cbeff` takes in.
//!
//! ```text
//!  <BIR xmlns="http://standards.iso.org/iso-iec/19785/-3/ed-2/">
//!    <BIR>
//!      <BDBInfo> <Type>Finger</Type> <Subtype>Left IndexFinger</Subtype>
//!                <Quality> <Algorithm>…</Algorithm> <Score>80</Score> </Quality> </BDBInfo>
//!      <BDB>RklSADAyMAA…</BDB>        → finger-left-index.iso, image/iso19794-4, kept byte for byte
//!      <Others> <Key>EXCEPTION</Key> <Value>false</Value> </Others>
//!    </BIR> …
//! ```
//!
//! 1. Within limits, UTF-8, no DTD and no entity: there is nothing to expand.
//! 2. One part a leaf BIR: type and subtype give the position, the block's first bytes its media type. A finger's block may be a
//!    template of minutiae, which has a position of its own.
//! 3. A BIR marked as an exception has no block; it gives no part. The agent states the reason in the draft.
//! 4. A BIR that is odd in itself is told and left out; the others count.
//!
//! **Trust:** none; a file from a stick. **Invariants:** depth, count and size are bounded before anything is kept; what is wrong
//! with the XML is wrong with the file; details name a BIR by its place in the file, never what is in it. Deliberately absent: the security
//! block (its keys are not ours to judge) and names of files or persons.

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use quick_xml::{Reader, events::Event};
use shared::{
    draft::part_name,
    id::PartName,
    image::{self, ImageKind},
    problem::{Code, Problem},
    record::Quality,
};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Longest file.
pub const MAX_BYTES: usize = 16 << 20;
/// Most biometric information records.
pub const MAX_BIRS: usize = 64;
/// Deepest nesting of elements.
const MAX_DEPTH: usize = 16;
/// Longest text of a field that is not the block itself.
const MAX_FIELD: usize = 64;

/// One captured finger, face or eye, ready to be attached.
#[derive(Clone, PartialEq, Eq)]
pub struct CbeffPart {
    /// `finger-left-index.iso`
    pub name: PartName,
    /// `finger`, `face`, `iris`, `minutiae`
    pub modality: &'static str,
    /// `finger-left-index`, `face`, `iris-right`, `exception-photo`
    pub position: &'static str,
    /// `image/iso19794-4`
    pub media_type: &'static str,
    /// Format as the file states it: owner and number, `Mosip 7`.
    pub format: Option<String>,
    /// Version of the BIR, `1.1`.
    pub version: Option<String>,
    /// Quality as the file states it.
    pub quality: Option<Quality>,
    /// The block, exactly as it stood there.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// What a file holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Cbeff {
    /// Its parts, in its order; one at least.
    pub parts: Vec<CbeffPart>,
    /// What was left out, and why: `BIR 3: finger-left-index: record is cut off`.
    pub odd: Vec<String>,
}

/// Reads all parts of a file.
///
/// # Errors
/// `cbeff-invalid`, with the place of the BIR (`BIR 3`) and the fault: the file is no CBEFF, or holds nothing that can be taken.
pub fn read(bytes: &[u8]) -> Result<Cbeff, Problem> {
    // 1.
    if bytes.len() > MAX_BYTES {
        return Err(Problem::new(Code::CbeffInvalid, "file is larger than 16 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::new(Code::CbeffInvalid, "file is not UTF-8"))?;
    let mut file = File::default();
    file.read(text).map_err(|fault| file.located(&fault))?;
    match (file.parts.is_empty(), file.odd.as_slice()) {
        (true, []) => Err(Problem::new(Code::CbeffInvalid, "file holds no biometric data")),
        (true, [only]) => Err(Problem::new(Code::CbeffInvalid, only.as_str())),
        (true, [first, others @ ..]) => Err(Problem::new(Code::CbeffInvalid, format!("{first}; {} more", others.len()))),
        _ => Ok(Cbeff { parts: file.parts, odd: file.odd }),
    }
}

type Fault = String;

/// What has been read so far.
#[derive(Default)]
struct File {
    /// Open elements other than BIR, since the innermost open BIR.
    path: Vec<String>,
    /// Open BIRs, outermost first, each with the path that it interrupted.
    open: Vec<(Bir, Vec<String>)>,
    /// Leaf BIRs met, whatever came of them.
    met: usize,
    /// The root has been closed.
    closed: bool,
    parts: Vec<CbeffPart>,
    odd: Vec<String>,
}

impl File {
    fn read(&mut self, text: &str) -> Result<(), Fault> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        loop {
            match reader.read_event().map_err(|_| "XML is malformed")? {
                Event::Start(tag) => self.start(&local(tag.local_name().as_ref())?)?,
                Event::End(_) => self.end()?,
                Event::Text(text) => self.text(&text.decode().map_err(|_| "XML is malformed")?)?,
                Event::CData(data) => self.text(&data.decode().map_err(|_| "XML is malformed")?)?,
                Event::GeneralRef(name) => self.reference(&name)?,
                Event::DocType(_) => return Err("file has a document type, which could define entities".into()),
                Event::Eof if self.closed => return Ok(()),
                Event::Eof => return Err("XML is cut off".into()),
                _ => {}
            }
        }
    }

    fn start(&mut self, name: &str) -> Result<(), Fault> {
        if self.closed || (self.open.is_empty() && name != "BIR") {
            return Err("file is not one BIR element".into());
        }
        let depth: usize = self.open.iter().map(|(_, path)| path.len() + 1).sum();
        if depth + self.path.len() >= MAX_DEPTH {
            return Err("elements are nested too deep".into());
        }
        if name == "BIR" {
            self.open.push((Bir::default(), std::mem::take(&mut self.path)));
            return Ok(());
        }
        self.path.push(name.to_owned());
        let (bir, path) = self.bir()?;
        let opened = bir.opened(path);
        bir.keep(opened);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.path.pop().is_some() {
            return Ok(());
        }
        let (bir, path) = self.open.pop().ok_or("XML is malformed")?;
        self.path = path;
        self.closed = self.open.is_empty();
        if !bir.is_leaf() {
            return Ok(());
        }
        self.met += 1;
        if self.met > MAX_BIRS {
            return Err(format!("file has more than {MAX_BIRS} BIRs"));
        }
        // 4.
        match bir.part() {
            Ok(Some(part)) if self.parts.iter().any(|p| p.position == part.position) => {
                self.odd.push(format!("BIR {}: {} is there twice", self.met, part.position));
            }
            Ok(part) => self.parts.extend(part),
            Err(fault) => self.odd.push(format!("BIR {}: {fault}", self.met)),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Fault> {
        if self.open.is_empty() {
            return if text.trim_start_matches('\u{feff}').trim().is_empty() { Ok(()) } else { Err("file is not XML".into()) };
        }
        let (bir, path) = self.bir()?;
        let read = bir.text(path, text);
        bir.keep(read);
        Ok(())
    }

    /// `&amp;` and the like may stand in fields that are not read; every other reference would need a DTD.
    fn reference(&mut self, name: &[u8]) -> Result<(), Fault> {
        let known = matches!(name, b"amp" | b"lt" | b"gt" | b"quot" | b"apos") || name.starts_with(b"#");
        if !known || self.open.is_empty() {
            return Err("file uses an entity".into());
        }
        self.text("\u{fffd}") // fits no field that is read
    }

    /// The innermost open BIR and the path inside it.
    fn bir(&mut self) -> Result<(&mut Bir, &[String]), Fault> {
        self.open.last_mut().map(|(bir, _)| (bir, &self.path[..])).ok_or_else(|| "file is not one BIR element".into())
    }

    /// A fault with its place: the BIR being read, counted from 1.
    fn located(&self, fault: &str) -> Problem {
        let inside = self.open.len() > 1 || self.open.last().is_some_and(|(bir, _)| bir.is_leaf());
        let number = if inside { self.met + 1 } else { self.met };
        Problem::new(Code::CbeffInvalid, if number == 0 { fault.to_owned() } else { format!("BIR {number}: {fault}") })
    }
}

fn local(name: &[u8]) -> Result<String, Fault> {
    if name.len() > MAX_FIELD {
        return Err("an element's name is too long".into());
    }
    String::from_utf8(name.to_vec()).map_err(|_| "XML is malformed".into())
}

/// The fields of one BIR that are read.
#[derive(Default)]
struct Bir {
    kind: Option<String>,
    subtype: Option<String>,
    format: [Option<String>; 2],
    version: [Option<String>; 2],
    measure: [Option<String>; 2],
    score: Option<String>,
    encrypted: Option<String>,
    block: Option<Zeroizing<String>>,
    key: Option<String>,
    exception: Option<String>,
    /// The first thing that was wrong inside it.
    fault: Option<Fault>,
}

impl Bir {
    fn keep(&mut self, read: Result<(), Fault>) {
        self.fault = self.fault.take().or_else(|| read.err());
    }

    /// A BIR that only holds other BIRs has neither.
    fn is_leaf(&self) -> bool {
        self.kind.is_some() || self.block.is_some() || self.exception.is_some() || self.fault.is_some()
    }

    /// Where the text of an element goes.
    fn field(&mut self, path: &[String]) -> Option<&mut Option<String>> {
        let path: [&str; 4] = match path {
            [a] => [a, "", "", ""],
            [a, b] => [a, b, "", ""],
            [a, b, c] => [a, b, c, ""],
            [a, b, c, d] => [a, b, c, d],
            _ => return None,
        };
        Some(match path {
            ["Version", "Major", "", ""] => &mut self.version[0],
            ["Version", "Minor", "", ""] => &mut self.version[1],
            ["BDBInfo", "Encryption", "", ""] => &mut self.encrypted,
            ["BDBInfo", "Format", "Organization", ""] => &mut self.format[0],
            ["BDBInfo", "Format", "Type", ""] => &mut self.format[1],
            ["BDBInfo", "Type", "", ""] => &mut self.kind,
            ["BDBInfo", "Subtype", "", ""] => &mut self.subtype,
            ["BDBInfo", "Quality", "Score", ""] => &mut self.score,
            ["BDBInfo", "Quality", "Algorithm", "Organization"] => &mut self.measure[0],
            ["BDBInfo", "Quality", "Algorithm", "Type"] => &mut self.measure[1],
            ["Others", "Key", "", ""] => &mut self.key,
            ["Others", "Value", "", ""] if self.key.as_deref().map(str::trim) == Some("EXCEPTION") => &mut self.exception,
            _ => return None,
        })
    }

    /// An element begins: a second one of a kind would leave open which counts.
    fn opened(&mut self, path: &[String]) -> Result<(), Fault> {
        if path == ["Others"] {
            self.key = None; // each pair of key and value has its own
        }
        if path == ["BDB"] {
            return if self.block.replace(Zeroizing::default()).is_some() { Err("two blocks in one BIR".into()) } else { Ok(()) };
        }
        let name = path.last().cloned().unwrap_or_default();
        match self.field(path) {
            Some(field) if field.is_some() => Err(format!("{name} is there twice")),
            Some(field) => {
                *field = Some(String::new());
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn text(&mut self, path: &[String], text: &str) -> Result<(), Fault> {
        if path == ["BDB"] {
            let block = self.block.get_or_insert_default();
            if block.is_empty() {
                block.reserve_exact(text.len()); // growing would leave unerased copies behind
            }
            block.push_str(text);
            return Ok(());
        }
        let name = path.last().cloned().unwrap_or_default();
        if let Some(field) = self.field(path) {
            let field = field.get_or_insert_default();
            if field.len() + text.len() > MAX_FIELD {
                return Err(format!("{name} is too long"));
            }
            field.push_str(text);
        }
        Ok(())
    }

    /// 2. and 3.
    fn part(self) -> Result<Option<CbeffPart>, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let is = |field: &Option<String>, value: &str| field.as_deref().map(str::trim) == Some(value);
        let block = self.block.as_ref().map_or("", |b| b.trim());
        if block.is_empty() {
            return if is(&self.exception, "true") { Ok(None) } else { Err("there is no block".into()) };
        }
        if is(&self.encrypted, "true") || is(&self.encrypted, "1") {
            return Err("the block is encrypted".into());
        }
        let kind = self.kind.as_deref().unwrap_or_default();
        let place = place(kind, self.subtype.as_deref().unwrap_or_default())?;
        let bytes = decode(block)?;
        let (modality, position, media_type) = typed(place, &bytes)?;
        image::read(media_type, &bytes).map_err(|p| format!("{position}: {}", p.detail))?;
        Ok(Some(CbeffPart {
            name: part_name(position, media_type).map_err(|p| p.detail)?,
            modality,
            position,
            media_type,
            quality: quality(self.score.as_deref(), &self.measure)?,
            format: both(&self.format, " "),
            version: both(&self.version, "."),
            bytes,
        }))
    }
}

type Place = (&'static str, &'static str, &'static str);

/// The media type by the block's first bytes: a record of the BIR's own type, or a picture that stands alone.
fn typed((modality, position, record): Place, bytes: &[u8]) -> Result<Place, Fault> {
    match ImageKind::of(bytes) {
        Some(ImageKind::Minutiae) if modality == "finger" => Ok(("minutiae", minutiae(position), ImageKind::Minutiae.media_type())),
        Some(kind @ (ImageKind::Jpeg | ImageKind::Png | ImageKind::Jp2 | ImageKind::J2c)) => Ok((modality, position, kind.media_type())),
        Some(ImageKind::Wsq) if modality == "finger" => Ok((modality, position, ImageKind::Wsq.media_type())),
        Some(kind) if kind.media_type() != record => Err(format!("{position}: the block is of media type {}", kind.media_type())),
        _ => Ok((modality, position, record)),
    }
}

/// Where the template of a finger stands.
fn minutiae(finger: &str) -> &'static str {
    match finger {
        "finger-left-thumb" => "minutiae-left-thumb",
        "finger-left-index" => "minutiae-left-index",
        "finger-left-middle" => "minutiae-left-middle",
        "finger-left-ring" => "minutiae-left-ring",
        "finger-left-little" => "minutiae-left-little",
        "finger-right-thumb" => "minutiae-right-thumb",
        "finger-right-index" => "minutiae-right-index",
        "finger-right-middle" => "minutiae-right-middle",
        "finger-right-ring" => "minutiae-right-ring",
        _ => "minutiae-right-little",
    }
}

/// Position and kind of record from CBEFF's words (ISO/IEC 19785-3 table of subtypes; some write `UNKNOWN` for none).
fn place(kind: &str, subtype: &str) -> Result<Place, Fault> {
    let mut words: Vec<&str> = subtype.split_whitespace().filter(|w| *w != "UNKNOWN").collect();
    words.sort_unstable_by_key(|w| !matches!(*w, "Left" | "Right")); // the side first
    let position = match (kind.trim(), &words[..]) {
        ("Finger", ["Left", "Thumb"]) => "finger-left-thumb",
        ("Finger", ["Left", "IndexFinger"]) => "finger-left-index",
        ("Finger", ["Left", "MiddleFinger"]) => "finger-left-middle",
        ("Finger", ["Left", "RingFinger"]) => "finger-left-ring",
        ("Finger", ["Left", "LittleFinger"]) => "finger-left-little",
        ("Finger", ["Right", "Thumb"]) => "finger-right-thumb",
        ("Finger", ["Right", "IndexFinger"]) => "finger-right-index",
        ("Finger", ["Right", "MiddleFinger"]) => "finger-right-middle",
        ("Finger", ["Right", "RingFinger"]) => "finger-right-ring",
        ("Finger", ["Right", "LittleFinger"]) => "finger-right-little",
        ("Finger", _) => return Err("which finger is not said".into()),
        ("Iris", ["Left"]) => return Ok(("iris", "iris-left", "image/iso19794-6")),
        ("Iris", ["Right"]) => return Ok(("iris", "iris-right", "image/iso19794-6")),
        ("Iris", _) => return Err("which eye is not said".into()),
        ("Face", []) => return Ok(("face", "face", "image/iso19794-5")),
        ("ExceptionPhoto", _) => return Ok(("face", "exception-photo", "image/iso19794-5")),
        _ => return Err("type is not Finger, Face or Iris".into()),
    };
    Ok(("finger", position, "image/iso19794-4"))
}

/// Base64 in either alphabet, with or without padding and line breaks: all of these are met.
fn decode(block: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let mut plain = Zeroizing::new(Vec::with_capacity(block.len()));
    plain.extend(block.bytes().filter(|b| !b.is_ascii_whitespace()).map(|b| match b {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }));
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(plain.len())]);
    let length = engine.decode_slice(plain.as_slice(), &mut bytes).map_err(|_| "the block is not base64")?;
    bytes.truncate(length);
    Ok(bytes)
}

fn quality(score: Option<&str>, measure: &[Option<String>; 2]) -> Result<Option<Quality>, Fault> {
    let Some(score) = score.map(str::trim) else { return Ok(None) };
    let digits = !score.is_empty() && score.bytes().all(|b| b.is_ascii_digit());
    let value = score.parse::<u8>().ok().filter(|_| digits);
    // the capture failed, or nobody measured (ISO/IEC 19785-1)
    if matches!(value, Some(254 | 255)) {
        return Ok(None);
    }
    let value = value.filter(|v| *v <= 100).ok_or("quality is not a number from 0 to 100")?;
    Ok(Some(Quality { by: both(measure, " ").unwrap_or_else(|| "cbeff".into()), value }))
}

/// Two texts as one, if there are any; only plain characters, as a record takes no others.
fn both(pair: &[Option<String>; 2], between: &str) -> Option<String> {
    let found: Vec<&str> = pair.iter().filter_map(|t| t.as_deref().map(str::trim).filter(|t| !t.is_empty())).collect();
    let text: String = found.join(between).chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(MAX_FIELD).collect();
    Some(text).filter(|t| !t.trim().is_empty())
}
