//! What desktops and file systems put beside other people's files: nobody brought it, and nobody misses it.
//!
//! **Invariants:** only what is known by its whole name and is of its kind: a folder called `Thumbs.db` is none.

use std::ffi::OsStr;

const FILES: [&str; 12] = [
    ".apdisk",
    ".directory",
    ".ds_store",
    ".localized",
    ".metadata_never_index",
    ".volumeicon.icns",
    "desktop.ini",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "icon\r",
    "thumbs.db",
    "wpsettings.dat",
];
const FOLDERS: [&str; 12] = [
    "$recycle.bin",
    ".appledouble",
    ".documentrevisions-v100",
    ".fseventsd",
    ".spotlight-v100",
    ".temporaryitems",
    ".trash",
    ".trashes",
    "__macosx",
    "lost+found",
    "recycler",
    "system volume information",
];

/// A file that a desktop left.
pub fn is_file(name: &OsStr) -> bool {
    known(name, &FILES, "._")
}

/// A folder that a desktop or a file system left, with all that is in it.
pub fn is_folder(name: &OsStr) -> bool {
    known(name, &FOLDERS, ".trash-")
}

fn known(name: &OsStr, names: &[&str], prefix: &str) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    names.contains(&&*name) || (name.starts_with(prefix) && name.len() > prefix.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_known_by_name_and_kind() {
        for name in ["._face.jpg", ".DS_Store", "Thumbs.db", "THUMBS.DB", "desktop.ini", "Icon\r"] {
            assert!(is_file(OsStr::new(name)) && !is_folder(OsStr::new(name)), "{name:?}");
        }
        for name in ["lost+found", "LOST+FOUND", "__MACOSX", ".Trash-1000", "System Volume Information", "$RECYCLE.BIN"] {
            assert!(is_folder(OsStr::new(name)) && !is_file(OsStr::new(name)), "{name:?}");
        }
        for name in ["face.jpg", ".hidden", "._", ".Trash-", "Thumbs.db.jpg", "resident.json"] {
            assert!(!is_file(OsStr::new(name)) && !is_folder(OsStr::new(name)), "{name:?}");
        }
    }
}
