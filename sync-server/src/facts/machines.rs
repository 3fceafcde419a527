//! Open facts of units and of this machine: what units say of themselves, who is not heard of, disks, copies of the registry.

use std::path::PathBuf;

use shared::{
    hello::{Hello, Sender},
    id::{Blob, Member},
    keys::KeyRef,
    problem::{Code, Lang, Problem},
    roster::{Facts as RosterFacts, Role},
    time::Second,
};

use super::{Kind, MOST, OpenFact};
use crate::{
    centre::Centre,
    clock, durable,
    joining::lives::{self, KeyLife},
    pipeline::clock_jump,
    rebuilding,
    store::{Heard, Ledger as _},
    tls,
};

/// A unit that has said nothing for so many seconds is named: two weeks.
const UNHEARD: i64 = 14 * 86_400;
/// A certificate that ends within this wants a successor: four weeks.
const CERTIFICATE_SOON: i64 = 28 * 86_400;
/// A disk with less than this is nearly full.
pub const LOW_DISK: u64 = 2 << 30;

/// What the newest hello of each key in force says, and keys in force of which nothing was heard for long.
pub(super) async fn units(centre: &Centre, roster: &RosterFacts) -> Result<Vec<OpenFact>, Problem> {
    let ledger = &centre.stores.ledger;
    let (heard, rewound) = (ledger.newest_hellos().await?, ledger.rewound().await?);
    let mut facts = Vec::new();
    for life in lives::all(ledger, roster, &[Role::Unit]).await? {
        if !matches!(life.state, lives::State::Active | lives::State::Kept(_)) {
            continue;
        }
        let key = life.key_ref();
        let hello = heard.iter().find(|heard| heard.key == key);
        facts.extend(rewound.iter().find(|(of, _)| *of == key).map(|(_, since)| put_back(&life.name, &key, *since)));
        facts.extend(hello.map(|heard| said(&life, heard)).transpose()?.into_iter().flatten());
        // by the clock that hellos are dated by
        facts.extend(unheard(&life, hello, clock::now()));
    }
    Ok(facts)
}

fn said(life: &KeyLife, heard: &Heard) -> Result<Vec<OpenFact>, Problem> {
    let (unit, key) = (&life.name, life.key_ref());
    let mut facts = Vec::new();
    if let Sender::Unit(stand) = &Hello::parse(&heard.note)?.facts().sender {
        facts.extend(stand.alarms.iter().map(|(alarm, since)| OpenFact {
            kind: Kind::UnitAlarm,
            about: format!("{key} {alarm}"),
            unit: Some(unit.clone()),
            since: Some(*since),
            seen: format!("{unit} said so in its hello of {}", heard.first),
            next: format!("On {unit}: {}", alarm.code().row().text(Lang::En).next),
        }));
    }
    Ok(facts)
}

/// Only a new key ends it.
fn put_back(unit: &Member, key: &KeyRef, since: Second) -> OpenFact {
    let next = format!(
        "On {unit}: `enroll-client new-key --restored`; then `sync-server unit admit FILE --new-key --cut-old`. If nobody has the laptop: \
         `sync-server unit revoke {unit} --key {}`.",
        key.id
    );
    OpenFact {
        kind: Kind::UnitRewound,
        about: key.to_string(),
        unit: Some(unit.clone()),
        since: Some(since),
        seen: format!("the laptop of {unit} has forgotten something that it had signed: it was put back to an older copy"),
        next,
    }
}

fn unheard(life: &KeyLife, heard: Option<&Heard>, now: Second) -> Option<OpenFact> {
    let last = heard.map(|heard| heard.first).or_else(|| life.admitted.map(|(_, at)| at))?;
    let seen = match heard {
        Some(_) => format!("the last hello of {} came {last}", life.name),
        None => format!("{} was admitted {last} and has never said hello", life.name),
    };
    (now.unix() - last.unix() > UNHEARD).then(|| OpenFact {
        kind: Kind::UnitUnheard,
        about: life.key_ref().to_string(),
        unit: Some(life.name.clone()),
        since: Some(last),
        seen,
        next: format!(
            "Ask where {0} is: `enroll-client sync` on the unit ends this. If the laptop is lost or out of use: `sync-server unit revoke {0} --key {1}`.",
            life.name,
            life.key.id()
        ),
    })
}

/// Files of the archive that were missing or wrong when they were read last.
pub(super) async fn doubts(centre: &Centre, roster: &RosterFacts) -> Result<Vec<OpenFact>, Problem> {
    let doubts = centre.stores.ledger.doubts().await?;
    let mut units: Vec<&Member> = roster.units.iter().map(|unit| &unit.name).collect();
    units.dedup();
    let mut places = Vec::new();
    for unit in units {
        let held = centre.stores.ledger.in_doubt(unit, MOST).await?;
        places.extend(held.iter().map(|place| format!("{unit} {place}")));
    }
    let from_units = if places.is_empty() {
        String::new()
    } else {
        format!(" A unit may still have it ({}): `enroll-client batch save PLACE FOLDER` there.", places.join(", "))
    };
    let fact = |(blob, since): (Blob, Second)| OpenFact {
        kind: Kind::ArchiveDamaged,
        about: blob.to_string(),
        unit: None,
        since: Some(since),
        seen: "a file of the archive is missing or changed; units are asked to keep what it holds of theirs".to_owned(),
        next: format!(
            "Put it back from a copy of the archive: `sync-server archive restore FILE`; `sync-server fsck` says what names it.{from_units}"
        ),
    };
    Ok(doubts.into_iter().take(MOST).map(fact).collect())
}

/// Disks that are nearly full.
pub(super) fn disks(centre: &Centre) -> Vec<OpenFact> {
    let places = [("data", centre.settings.data.clone()), ("archive", centre.settings.archive()), ("guard", centre.settings.guard())];
    let low = |(name, path): &(&str, PathBuf)| {
        let free = durable::free_space(path).ok().filter(|free| *free < LOW_DISK)?;
        Some(OpenFact {
            kind: Kind::DiskLow,
            about: (*name).to_owned(),
            unit: None,
            since: None,
            seen: format!("{} MiB free", free >> 20),
            next: "Make room or grow the volume; intake answers `busy` before it is full, nothing is lost.".to_owned(),
        })
    };
    places.iter().filter_map(low).collect()
}

/// Databases that `rebuild` has set aside: each is a full copy of the registry in clear.
pub(super) fn aside(centre: &Centre) -> Result<Vec<OpenFact>, Problem> {
    let fact = |path: PathBuf| {
        OpenFact {
        kind: Kind::DatabaseAside,
        about: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        unit: None,
        since: rebuilding::set_aside_at(&path),
        seen: format!("{} is a full copy of the registry, in clear", path.display()),
        next: "When the new database is right (`sync-server fsck`), destroy it: `shred -u` overwrites a file where the disk does; else only an \
               encrypted disk keeps what is deleted from others."
            .to_owned(),
    }
    };
    Ok(rebuilding::set_aside(&centre.settings)?.into_iter().map(fact).collect())
}

/// Pages of the database that do not fit together, as far as SQLite's quick check sees that.
pub(super) async fn damaged(centre: &Centre) -> Result<Option<OpenFact>, Problem> {
    match centre.db.whole().await {
        Ok(()) => Ok(None),
        Err(problem) if problem.code == Code::DatabaseDamaged => Ok(Some(of_machine(Kind::DatabaseDamaged, "centre.db", None, &problem))),
        Err(problem) => Err(problem),
    }
}

/// A log that waits for a person; since the entry after which it fell silent.
pub(super) async fn stopped(centre: &Centre, now: Second) -> Result<Option<OpenFact>, Problem> {
    let last = centre.stores.ledger.position().await?.received;
    let jumped = clock_jump(&centre.stores.ledger, last, now).await?;
    Ok(jumped.map(|problem| of_machine(Kind::LogStopped, "clock", Some(last), &problem)))
}

/// A certificate that ends soon, has ended, or cannot be used.
pub(super) fn certificate(centre: &Centre, now: Second) -> Option<OpenFact> {
    let path = centre.settings.tls_cert().display().to_string();
    match tls::ends(&centre.settings) {
        Ok(ends) if ends.unix() - now.unix() > CERTIFICATE_SOON => None,
        Ok(ends) => {
            let next = "Put a newer certificate and its key in its place (`tls_cert`, `tls_key` in sync-server.toml), then start `sync-server serve` \
                        again. Units that know the old one by `--ca` need the new one: `enroll-client unit set --ca FILE`.";
            let seen = format!("{} {ends}", if ends <= now { "ended" } else { "ends" });
            Some(OpenFact { kind: Kind::CertificateEnds, about: path, unit: None, since: None, seen, next: next.to_owned() })
        }
        Err(problem) => Some(of_machine(Kind::CertificateEnds, &path, None, &problem)),
    }
}

fn of_machine(kind: Kind, about: &str, since: Option<Second>, problem: &Problem) -> OpenFact {
    let text = problem.row().text(Lang::En);
    OpenFact { kind, about: about.to_owned(), unit: None, since, seen: problem.to_string(), next: text.next.to_owned() }
}
