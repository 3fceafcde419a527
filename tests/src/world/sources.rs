//! Residents' folders, made in parallel: drawing pictures is the slow part of a story.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use shared::{
    id::Transaction,
    sample::{Kind, Resident, Sample, forms},
};

use super::{Broken, Sure};

/// A resident's folder.
#[derive(Debug, Clone)]
pub struct Source {
    /// Which sample resident.
    pub resident: u64,
    /// Where resident.json and the pictures lie.
    pub folder: PathBuf,
    /// Under which form.
    pub form: String,
    /// Positions that could not be captured.
    pub exceptions: usize,
}

/// Writes the folders of residents, each under a form of the three by turns, as captured the `take`th time.
pub fn write_sources(folder: &Path, sample: &Sample, wanted: &[(u64, u64)]) -> Sure<Vec<Source>> {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(2, std::num::NonZero::get).min(8);
    let work = || -> Sure<Vec<(usize, Source)>> {
        let mut written = Vec::new();
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let Some(&(n, take)) = wanted.get(turn) else { return Ok(written) };
            let place = folder.join(format!("resident-{n:03}-{take}"));
            written.push((turn, Source::of(&place, n, &draw(sample, n, take)?)?));
        }
    };
    let mut all = Vec::new();
    thread::scope(|scope| -> Sure<()> {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for handle in handles {
            all.extend(handle.join().unwrap_or_else(|_| Err(Broken("drawing pictures failed".into())))?);
        }
        Ok(())
    })?;
    all.sort_by_key(|(turn, _)| *turn);
    Ok(all.into_iter().map(|(_, source)| source).collect())
}

/// A later take is of somebody who lacks nothing: other pictures of the same person.
fn draw(sample: &Sample, n: u64, take: u64) -> Sure<Resident> {
    let form = &forms()[usize::try_from(n % 3).unwrap_or(0)];
    Ok(match take {
        0 => sample.resident(n, form, Transaction::New)?,
        _ => sample.take(n, take, form, Transaction::New, Kind::Complete)?,
    })
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
        let (form, exceptions) = (what.input.form.to_string(), what.input.exceptions.len());
        Ok(Self { resident, folder: folder.to_owned(), form, exceptions })
    }
}
