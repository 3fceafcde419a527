//! What was refused, kept for staff to look at: bounded per source, the oldest out.
//!
//! ```text
//! refused/van-017+6e1dd5c4/000000000007-manifest-invalid-2c26b46b….note
//! ```
//!
//! **Trust:** none: these bytes failed authentication or their own signed facts. **Invariants:** at most
//! [`MOST`] files a source, each at most a note long; there are no more sources than keys in rosters, and one for
//! everybody else. Nothing here is ever read by the road again.

use std::path::{Path, PathBuf};

use shared::{
    id::Digest,
    keys::KeyRef,
    problem::{Code, Problem},
};

use crate::{durable, store::blocking};

/// Most files a source.
const MOST: usize = 16;
/// Folder of those who did not prove who they are: no key is called so.
const NOBODY: &str = "_";

/// The bin.
pub(super) struct RefusedBin {
    root: PathBuf,
}

impl RefusedBin {
    pub(super) fn open(root: &Path) -> Result<Self, Problem> {
        durable::folder(root).map_err(durable::problem("refused bin"))?;
        Ok(Self { root: root.to_owned() })
    }

    /// Keeps refused bytes. That it cannot be kept (a full disk) changes nothing for the sender.
    pub(super) async fn keep(&self, source: Option<&KeyRef>, code: Code, bytes: Vec<u8>) {
        let folder = self.root.join(source.map_or_else(|| NOBODY.to_owned(), ToString::to_string));
        if let Err(e) = blocking(move || keep(&folder, code, &bytes)).await {
            tracing::warn!("a refused note could not be kept: {e}");
        }
    }
}

fn keep(folder: &Path, code: Code, bytes: &[u8]) -> durable::Result<()> {
    durable::folder(folder)?;
    let names = durable::names(folder)?;
    let digest = Digest::of(bytes).hex();
    let same = |name: &String| name.ends_with(&format!("{digest}.note"));
    if names.iter().any(same) {
        return Ok(()); // the same again: a sender in a loop pushes nothing out
    }
    let last = names.last().and_then(|n| n.split('-').next()?.parse::<u64>().ok()).unwrap_or(0);
    for old in names.iter().rev().skip(MOST - 1) {
        durable::remove(&folder.join(old))?;
    }
    // A crash between the two leaves one file fewer.
    durable::write(&folder.join(format!("{:012}-{code}-{digest}.note", last + 1)), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_go_and_repeats_do_not_count() {
        let dir = tempfile::tempdir().expect("a folder");
        let bin = RefusedBin::open(dir.path()).expect("opened");
        let van: KeyRef = "van-1+6e1dd5c4".parse().expect("a key");
        for n in 0..40_u8 {
            for _ in 0..3 {
                bin.keep(Some(&van), Code::ManifestInvalid, vec![n; 10]).await;
            }
        }
        bin.keep(None, Code::KeyUnknown, b"from nobody".to_vec()).await;
        let names = durable::names(&dir.path().join("van-1+6e1dd5c4")).expect("listed");
        assert_eq!(names.len(), MOST);
        assert!(names[0].starts_with("000000000025-manifest-invalid-"), "{}", names[0]);
        assert_eq!(durable::names(&dir.path().join(NOBODY)).expect("listed").len(), 1);
    }
}
