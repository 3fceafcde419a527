//! `enrol/…`: what the last residents before the 10,000th cost, against the first ones of a vault. Nothing is closed meanwhile:
//! so many wait in a unit only when it was away for a year.
//!
//! ```text
//! enrol/10000th   a resident: known before? sealed, stored, shown    against the first hundred
//! start/10000th   a command that captures, up to its first resident         against a vault without records
//! ```
//!
//! The full vault and copies of an empty one take turns. Times are in milliseconds a resident: here less is better.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use enroll_client::{
    capture::Desk,
    vault::{Places, Vault, members::Unlocked, records::Origin},
};
use shared::{id::Digest, sample::Size};

use super::{Row, Wishes, by_turns, people::People, rss, seal::now};
use crate::world::{Broken, Plan, Sure, World};

/// Residents in the full vault at the end.
const MANY: usize = 10_000;
/// Residents of a run.
const TOGETHER: usize = 100;

/// Both rows.
pub fn rows(wishes: &Wishes, folder: &Path) -> Sure<Vec<Row>> {
    let mut world = World::kept(folder, &Plan::default())?;
    world.join(1)?;
    world.unplug()?;
    let unit = &world.units[0];
    let who = Who { name: unit.agent.clone(), passphrase: unit.passphrase.clone() };
    let empty = copied(&unit.data, &folder.join("empty"))?;
    let fresh = |run: usize| copied(&empty, &folder.join(format!("fresh-{run}")));
    let many = wishes.share(MANY);
    let mut people = People::new(1, now(), Size::Tiny)?;
    let full = Opened::of(&unit.data, &who)?;
    let mut source = 0;
    full.enrol(&mut people, &mut source, many - super::RUNS * TOGETHER)?;
    let pid = std::process::id();
    rss::reset(pid);
    let enrol = by_turns(
        |_| full.enrol(&mut people, &mut source, TOGETHER),
        |run| {
            let mut people = People::new(2, now(), Size::Tiny)?;
            Opened::of(&fresh(run)?, &who)?.enrol(&mut people, &mut 0, TOGETHER)
        },
        super::RUNS,
    )?;
    drop(full);
    let start = by_turns(|_| started(&unit.data, &who), |_| started(&empty, &who), super::RUNS)?;
    let peak = rss::peak(pid);
    let row = |name: &str, runs| Row { name: format!("{name}/{many}th"), unit: "ms", runs, peak_rss: peak };
    Ok(vec![row("enrol", enrol), row("start", start)])
}

struct Who {
    name: String,
    passphrase: String,
}

/// A vault and its agent.
struct Opened {
    vault: Vault,
    agent: Unlocked,
}

impl Opened {
    fn of(data: &Path, who: &Who) -> Sure<Self> {
        let vault = Vault::open(&Places { data: data.to_owned(), machine: data.join("machine.secret") })?;
        let agent = vault.unlock(&who.name.parse()?, who.passphrase.as_bytes())?;
        Ok(Self { vault, agent })
    }

    /// Enrols so many, each from a source of its own, as `enrol` does; milliseconds a resident.
    fn enrol(&self, people: &mut People, source: &mut u64, count: usize) -> Sure<f64> {
        let session = self.vault.capture()?;
        let desk = Desk::open(&self.vault, &session, &self.agent)?;
        let mut spent = 0.0;
        for _ in 0..count {
            *source += 1;
            let (draft, parts) = people.next()?;
            let digest = Digest::of(&source.to_be_bytes());
            let start = Instant::now();
            if self.vault.record_of_source(&digest)?.is_some() {
                return Err(Broken("known before".into()));
            }
            let done = desk.finish_with(draft, parts, Origin::Source(digest))?;
            desk.shown(&done)?;
            spent += start.elapsed().as_secs_f64();
        }
        Ok(1000.0 * spent / count as f64)
    }
}

/// What a command does before its first resident, without the passphrase, which costs the same in any vault.
fn started(data: &Path, who: &Who) -> Sure<f64> {
    let opened = Opened::of(data, who)?;
    drop(opened.vault);
    let start = Instant::now();
    let vault = Vault::open(&Places { data: data.to_owned(), machine: data.join("machine.secret") })?;
    let session = vault.capture()?;
    let waiting = vault.unshown_slips(&opened.agent)?.len();
    let desk = Desk::open(&vault, &session, &opened.agent)?;
    drop(desk);
    let spent = start.elapsed().as_secs_f64();
    if waiting == 0 { Ok(1000.0 * spent) } else { Err(Broken("a slip code was not shown".into())) }
}

/// A copy of a data folder, in which no process is at work.
fn copied(data: &Path, to: &Path) -> Sure<PathBuf> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(to.to_owned())
}
