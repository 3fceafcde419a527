//! What units and staff said apart from batches: hellos that a head or a freeze names, decisions. Each is signed by a key that
//! some roster lists in that role, and says what its entry says. Whether a decision acts is the fold's to judge, not this file's.

use shared::{
    batch::Manifest,
    decision::Decision,
    hello::{Hello, Sender},
    id::Blob,
    keys::{KeyRef, VerifierKey},
    log::{Body, HeadEntry},
    problem::{Code, Problem},
    roster::Role,
};

use super::{Contents, Log, Rosters};

pub(super) async fn check(log: &Log<'_>, rosters: &Rosters, report: &mut Contents) -> Result<(), Problem> {
    for index in 0..log.size {
        let Ok(body) = log.entry(index).await?.map(|entry| entry.body) else { continue };
        match body {
            Body::Head(head) => {
                let about = format!("head of {} (entry {index})", head.key);
                let Some(bytes) = log.blob(&about, head.note, report).await else { continue };
                report.sound(&about, said(&bytes, &head, rosters));
            }
            Body::Freeze { key, first, second } => {
                let about = format!("freeze of {key} (entry {index})");
                for blob in [first, second] {
                    let Some(bytes) = log.blob(&about, blob, report).await else { continue };
                    report.sound(&about, by(&bytes, &key, rosters));
                }
                if first == second {
                    report.off(Code::LogInconsistent, format!("{about}: one note contradicts nothing"));
                }
            }
            Body::Decision(blob) => decision(log, &format!("decision (entry {index})"), blob, rosters, report).await,
            _ => {}
        }
    }
    Ok(())
}

/// The key that some roster lists under this name, with this id, in this role. The newest roster lists every key that ever was.
fn listed<'a>(key: &KeyRef, role: Role, rosters: &'a Rosters) -> Option<&'a VerifierKey> {
    let facts = rosters.last()?.facts();
    facts.members().into_iter().find(|m| m.role == role && KeyRef::from(m.key) == *key).map(|m| m.key)
}

/// A hello of this key that says where the entry says it stands.
fn said(bytes: &[u8], head: &HeadEntry, rosters: &Rosters) -> Result<(), Problem> {
    let hello = Hello::parse(bytes)?;
    let key = listed(&head.key, Role::Unit, rosters).ok_or_else(|| Problem::new(Code::UnitNotAdmitted, head.key.to_string()))?;
    hello.verify(key).map_err(Problem::from)?;
    let Sender::Unit(stand) = &hello.facts().sender else { return Err(Problem::new(Code::LogInconsistent, "a carrier's hello")) };
    let same = (stand.head, stand.number, hello.facts().counter) == (head.head, head.number, head.hello);
    if same { Ok(()) } else { Err(Problem::new(Code::LogInconsistent, "the entry is not the hello's")) }
}

/// A hello or a manifest that this key has signed.
fn by(bytes: &[u8], key: &KeyRef, rosters: &Rosters) -> Result<(), Problem> {
    let known = listed(key, Role::Unit, rosters).ok_or_else(|| Problem::new(Code::UnitNotAdmitted, key.to_string()))?;
    let note = match Hello::parse(bytes) {
        Ok(hello) => hello.note().clone(),
        Err(_) => Manifest::parse(bytes)?.note().clone(),
    };
    let signed = note.signed_by([known]).is_ok_and(|by| by.contains(&known));
    if signed { Ok(()) } else { Err(Problem::new(Code::LogInconsistent, "not signed by this key")) }
}

async fn decision(log: &Log<'_>, about: &str, blob: Blob, rosters: &Rosters, report: &mut Contents) {
    let Some(bytes) = log.blob(about, blob, report).await else { return };
    let Some(decision) = report.sound(about, Decision::parse(&bytes)) else { return };
    let key = decision.claimed_key().and_then(|(name, id)| {
        let facts = rosters.last()?.facts();
        facts.members().into_iter().find(|m| m.role == Role::Adjudicator && *m.name == name && m.key.id() == id).map(|m| m.key)
    });
    let Some(key) = key else {
        report.off(Code::NotAdjudicator, format!("{about}: signed by nobody whom a roster lists"));
        return;
    };
    report.sound(about, decision.verify(key).map_err(Problem::from));
}
