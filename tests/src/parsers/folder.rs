//! A resident's folder as somebody else filled it: what a path given to `enrol` may lead to.
//!
//! ```text
//! file 0001/resident.json 1234␊…1234 bytes…   folder 0001/more 0␊   link 0001/face.jpg 9␊../face.x   pipe x.tar 0␊   holes a 17000000␊
//! ```

use std::{
    fs::{self, File},
    os::unix::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf},
};

use enroll_client::capture::source::{self, Left, Place, Source, droppings};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use shared::{
    draft::input::FILE,
    problem::Problem,
    record::{MAX_JSON, MAX_PARTS, MAX_PLAIN},
};

use super::Verdict;

/// Entries that are made; a record takes fewer.
const ENTRIES: usize = MAX_PARTS + 16;
/// Bytes of a file of holes: more than the reader takes of any.
const HOLES: u64 = 17 << 20;
/// Files of holes: more than it takes of all.
const HOLLOW: usize = 5;
/// The whole folder is called this; what it holds is not told.
const ROOT: &str = "found";

/// A folder is laid out as the bytes say; then it is read as `enrol` reads it. Whatever lies there is a resident's or is told.
/// Written again, it holds the same residents.
pub fn resident_folder(bytes: &[u8]) -> Verdict {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join(ROOT);
    fs::create_dir(&root).expect("made");
    let laid = Laid::out(bytes, &root);
    let Ok(found) = Found::below(&root) else { return Verdict::Refused };
    laid.accounted_for(&found, &root);
    found.problems.iter().for_each(|problem| laid.told(problem, &root));
    if found.sources.is_empty() || !found.problems.is_empty() {
        return Verdict::Refused;
    }
    for (n, resident) in found.sources.iter().enumerate() {
        let held: usize = resident.files.values().map(Vec::len).sum();
        assert!(resident.files.len() <= MAX_PARTS && held as u64 <= MAX_PLAIN);
        let json = resident.input.to_json();
        if json.len() > MAX_JSON {
            return Verdict::Taken;
        }
        let again = folder.path().join(format!("again-{n}"));
        fs::create_dir(&again).expect("made");
        fs::write(again.join(FILE), &json).expect("written");
        // a name of more than one spelling may have become longer than this disk takes
        let written = resident.files.iter().all(|(name, bytes)| fs::write(again.join(name.as_str()), bytes).is_ok());
        if written {
            let same = Found::below(&again).expect("written as we would");
            assert!(same.sources.iter().map(Source::identity).eq([resident.identity()]));
        }
    }
    Verdict::Taken
}

/// What `enrol` finds below a path.
struct Found {
    root: PathBuf,
    places: Vec<Place>,
    sources: Vec<Source>,
    problems: Vec<Problem>,
    left: Vec<Left>,
}

impl Found {
    fn below(root: &Path) -> Result<Self, Problem> {
        let mut left = Vec::new();
        let places = source::find(root, &mut |one| left.push(one))?;
        let (mut sources, mut problems) = (Vec::new(), Vec::new());
        for place in &places {
            let mut told = Vec::new();
            match source::read(place, &mut |one| told.push(one)) {
                Err(problem) => problems.push(problem),
                Ok(residents) => residents.for_each(|one| {
                    told.extend(one.left);
                    match one.source {
                        Ok(source) => sources.push(source),
                        Err(problem) => problems.push(problem),
                    }
                }),
            }
            left.extend(told);
        }
        Ok(Self { root: root.to_owned(), places, sources, problems, left })
    }
}

/// What was laid out, by its path in the folder.
struct Laid(Vec<PathBuf>);

impl Laid {
    fn out(mut bytes: &[u8], root: &Path) -> Self {
        let (mut laid, mut hollow) = (Vec::new(), 0);
        while let Some((entry, rest)) = Entry::read(bytes).filter(|_| laid.len() < ENTRIES) {
            bytes = rest;
            let path = root.join(&entry.path);
            // never outside: a link to a folder may stand where a folder is wanted
            let above = path.parent().expect("below the root");
            let inside = fs::create_dir_all(above).is_ok() && fs::canonicalize(above).is_ok_and(|at| at.starts_with(canonical(root)));
            if !inside || fs::symlink_metadata(&path).is_ok() {
                continue;
            }
            // names that this disk does not take are left out
            let made = match entry.kind {
                b"folder" => fs::create_dir(&path).is_ok(),
                b"link" => std::os::unix::fs::symlink(Path::new(std::ffi::OsStr::from_bytes(entry.bytes)), &path).is_ok(),
                b"pipe" => mknodat(CWD, &path, FileType::Fifo, Mode::RUSR, 0).is_ok(),
                b"holes" if hollow < HOLLOW => {
                    hollow += 1;
                    File::create(&path).and_then(|file| file.set_len(entry.size.min(HOLES))).is_ok()
                }
                _ => fs::write(&path, entry.bytes).is_ok(),
            };
            laid.extend(made.then_some(entry.path));
        }
        Self(laid)
    }

    /// Nothing is passed over in silence but what desktops leave.
    fn accounted_for(&self, found: &Found, root: &Path) {
        let root = canonical(root);
        for path in &self.0 {
            let above = canonical(&root.join(path.parent().expect("below the root")));
            let at = above.join(path.file_name().expect("a name"));
            let inside = at.strip_prefix(&root).expect("laid out inside");
            let dropped = inside.iter().any(|name| droppings::is_folder(name) || droppings::is_file(name));
            let is_place = |place: &Place| match place {
                Place::Folder(folder) => canonical(folder) == above,
                Place::Archive(archive) => canonical(archive) == at,
            };
            let told =
                || found.left.iter().any(|left| at.starts_with(root.join(left.path.strip_prefix(&found.root).unwrap_or(&left.path))));
            let is_folder = fs::symlink_metadata(&at).is_ok_and(|m| m.is_dir());
            assert!(is_folder || dropped || told() || found.places.iter().any(is_place), "{} is passed over", inside.display());
        }
    }

    /// Fit for a terminal, and nothing about what is inside of a resident's folder but names of parts.
    fn told(&self, problem: &Problem, root: &Path) {
        let detail = problem.detail.replace(&root.display().to_string(), "");
        assert!(detail.chars().count() <= 500, "{detail:?}");
        for path in &self.0 {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // what consists of small letters may be our own words
            let words = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_punctuation() || b == b' ');
            let stranger = name.len() > 8 && !words && name != FILE && name.parse::<shared::id::PartName>().is_err();
            let of_a_resident = path.parent().is_some_and(|above| root.join(above).join(FILE).exists());
            assert!(!(stranger && of_a_resident && detail.contains(&name)), "{detail:?} names {name:?}");
        }
    }
}

fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).expect("just made")
}

/// One entry of the bytes.
struct Entry<'a> {
    kind: &'a [u8],
    path: PathBuf,
    size: u64,
    bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    /// `kind path size␊`, then so many bytes, or those that are left.
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let end = bytes.iter().position(|&b| b == b'\n')?;
        let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
        let mut words = line.splitn(2, |&b| b == b' ');
        let (kind, named) = (words.next()?, words.next()?);
        let space = named.iter().rposition(|&b| b == b' ')?;
        let size: u64 = std::str::from_utf8(&named[space + 1..]).ok()?.parse().ok()?;
        let hollow = matches!(kind, b"holes" | b"folder" | b"pipe");
        let length = if hollow { 0 } else { usize::try_from(size).map_or(rest.len(), |n| n.min(rest.len())) };
        let (own, rest) = rest.split_at(length);
        let path = Path::new(std::ffi::OsStr::from_bytes(&named[..space]));
        // three deep at most, and downwards only
        let path: PathBuf = path.components().filter(|c| matches!(c, Component::Normal(_))).take(3).collect();
        if path.as_os_str().is_empty() || path.as_os_str().as_bytes().contains(&0) {
            return None;
        }
        Some((Self { kind, path, size, bytes: own }, rest))
    }
}
