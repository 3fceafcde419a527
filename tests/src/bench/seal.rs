//! `seal/…`: finishing in process, keys unlocked, by the vault's own path, one record a transaction.

use std::{fs, path::Path, time::Instant};

use enroll_client::{
    capture::Desk,
    vault::{Places, Vault, records::Origin},
};
use shared::{id::Digest, sample::Size, seal::Recipient, time::Second};

use super::{Row, Wishes, by_turns, disk::bare_seal, people::People, rss};
use crate::world::{Plan, Sure, World};

/// Records a run.
fn records(size: Size) -> usize {
    match size {
        Size::Tiny => 120,
        Size::Usual => 90,
        Size::Large => 30,
    }
}

/// Of one size.
pub fn row(wishes: &Wishes, folder: &Path, word: &str, size: Size) -> Sure<Row> {
    let mut world = World::kept(folder, &Plan::default())?;
    world.join(1)?;
    world.unplug()?;
    let unit = &world.units[0];
    let vault = Vault::open(&Places { data: unit.data.clone(), machine: unit.data.join("machine.secret") })?;
    let session = vault.capture()?;
    let agent = vault.unlock(&unit.agent.parse()?, unit.passphrase.as_bytes())?;
    let desk = Desk::open(&vault, &session, &agent)?;
    let recipients = vault.demand_roster()?;
    let recipients = &recipients.facts().recipients;
    let to = [Recipient::try_from(&recipients.working)?, Recipient::try_from(&recipients.recovery)?];
    let mut people = People::new(1, now(), size)?;
    let mut theirs = People::new(1, now(), size)?;
    let bare = folder.join("bare");
    fs::create_dir(&bare)?;
    let count = wishes.share(records(size));
    let mut source = 0_u64;
    let pid = std::process::id();
    let mut peak = 0;
    let runs = by_turns(
        |_| {
            let drafts = (0..count).map(|_| people.next()).collect::<Sure<Vec<_>>>()?;
            rss::reset(pid);
            let start = Instant::now();
            for (draft, parts) in drafts {
                source += 1;
                desk.finish_with(draft, parts, Origin::Source(Digest::of(&source.to_be_bytes())))?;
            }
            let rate = count as f64 / start.elapsed().as_secs_f64();
            peak = peak.max(rss::peak(pid));
            Ok(rate)
        },
        |run| {
            let plain = (0..count).map(|_| Ok(theirs.next()?.1.concat())).collect::<Sure<Vec<_>>>()?;
            let start = Instant::now();
            for (n, plain) in plain.iter().enumerate() {
                bare_seal(plain, &to, &bare.join(format!("{run}-{n}")))?;
            }
            Ok(count as f64 / start.elapsed().as_secs_f64())
        },
        super::RUNS,
    )?;
    Ok(Row { name: format!("seal/{word}"), unit: "records/s", runs, peak_rss: peak })
}

/// The clock.
pub fn now() -> Second {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Second::from_unix(i64::try_from(since).unwrap_or(i64::MAX))
}
