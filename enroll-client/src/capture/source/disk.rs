//! A folder that a person named, as a tree.
//!
//! **Trust:** whoever filled it. **Invariants:** links are named, never followed: a stick would else lead to the laptop's own files.

use std::path::{Path, PathBuf};

use shared::problem::{Code, Problem, left::Why};

use super::{
    FILE_MAX,
    archive::Packing,
    tree::{Entry, Kind, Stray, Tree},
};
use crate::durable::{self, Given, Lies};

/// A folder on a disk.
pub(super) struct Disk<'a>(pub(super) &'a Path);

impl Tree for Disk<'_> {
    type File = ();

    fn list(&mut self, folder: &Path) -> Result<Vec<Entry<()>>, Problem> {
        let kind = |lies| match lies {
            Lies::Folder => Kind::Folder,
            Lies::File => Kind::File(()),
            Lies::Link => Kind::Other(Why::Link),
            Lies::Other => Kind::Other(Why::NotAFile),
        };
        let found = durable::found(&self.shown(folder))?;
        Ok(found.into_iter().map(|(name, lies)| Entry { name, kind: kind(lies) }).collect())
    }

    fn read(&mut self, folder: &Path, file: &Entry<()>) -> Result<Vec<u8>, Problem> {
        let path = self.shown(&folder.join(&file.name));
        let too_large = || durable::length(&path).is_some_and(|len| len > FILE_MAX);
        durable::read_found(&path, FILE_MAX).map_err(|problem| if too_large() { Code::RecordTooLarge.into() } else { problem })
    }

    fn stray(&mut self, path: &Path) -> Stray {
        stray(&self.shown(path))
    }

    fn shown(&self, inside: &Path) -> PathBuf {
        // joined with nothing, it would end in a slash
        if inside.as_os_str().is_empty() { self.0.to_owned() } else { self.0.join(inside) }
    }
}

/// What a file is, by its first bytes.
pub(super) fn stray(path: &Path) -> Stray {
    let first =
        Given::open(path, u64::MAX).and_then(|file| file.read_at(0, Packing::FIRST.min(usize::try_from(file.len()).unwrap_or(usize::MAX))));
    match first.map(|first| Packing::of(&first, path)) {
        Ok(Some(Packing::Other)) => Stray::Left(Why::OtherPacking),
        Ok(Some(_)) => Stray::Archive,
        Ok(None) => Stray::Left(Why::NoDescription),
        Err(_) => Stray::Left(Why::Unreadable),
    }
}
