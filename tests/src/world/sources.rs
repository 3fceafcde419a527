//! Residents' folders, made in parallel: drawing pictures is the slow part of a story.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use shared::{
    id::Transaction,
    sample::{Resident, Sample, forms},
};

use super::{Broken, Sure};

/// A resident's folder.
#[derive(Debug, Clone)]
pub struct Source {
    /// Which sample resident.
    pub resident: u64,
    /// Where resident.json and the pictures lie.
    pub folder: PathBuf,
}

/// Writes the folders of residents, each under a form of the three by turns, as captured the `take`th time.
pub fn write_sources(folder: &Path, sample: &Sample, wanted: &[(u64, u64)]) -> Sure<Vec<Source>> {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(2, std::num::NonZero::get).min(8);
    let work = || -> Sure<()> {
        let forms = forms();
        while let Some(&(n, take)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let form = &forms[usize::try_from(n % 3).unwrap_or(0)];
            let usual = sample.resident(n, form, Transaction::New)?;
            // a later take of somebody who lacks nothing: other pictures of the same person
            let resident = if take == 0 { usual } else { sample.take(n, take, form, Transaction::New, shared::sample::Kind::Complete)? };
            write(&place(folder, n, take), &resident)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        handles.into_iter().try_for_each(|h| h.join().unwrap_or_else(|_| Err(Broken("drawing pictures failed".into()))))
    })?;
    Ok(wanted.iter().map(|&(n, take)| Source { resident: n, folder: place(folder, n, take) }).collect())
}

fn place(folder: &Path, n: u64, take: u64) -> PathBuf {
    folder.join(format!("resident-{n:03}-{take}"))
}

fn write(folder: &Path, resident: &Resident) -> Sure<()> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in resident.folder() {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

impl Source {
    /// A resident who is written as they are.
    pub fn of(folder: &Path, resident: u64, what: &Resident) -> Sure<Self> {
        write(folder, what)?;
        Ok(Self { resident, folder: folder.to_owned() })
    }
}
