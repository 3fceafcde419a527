//! Signed notes: read, then printed and signed again, they must say the same.

use std::sync::LazyLock;

use shared::{
    batch::{self, Line, Manifest, RecordLine},
    decision::Decision,
    hello::{Answer, Hello, Known, State},
    keys::Signer,
    note::{MAX_NOTE, Note},
    outcome::Outcome,
    roster::{
        Limits, Roster, TrustedRoster, bundle,
        request::{AgentRequest, UnitRequest},
    },
    verify::CheckedManifest,
};

use super::{Verdict, key, signed_again};
use crate::defects::manifests;

/// The one manifest of the vectors that must pass.
const GOOD_MANIFEST: &[u8] = include_bytes!("../../vectors/manifests/good/manifest");

/// The bytes are kept as they came.
fn kept(note: &Note, bytes: &[u8]) {
    assert_eq!(note.as_bytes(), bytes);
    assert!(bytes.len() <= MAX_NOTE);
}

/// Any signed note.
pub fn note(bytes: &[u8]) -> Verdict {
    let Ok(note) = Note::parse(bytes) else { return Verdict::Refused };
    kept(&note, bytes);
    let (text, rest) = bytes.split_at(note.text().len());
    assert_eq!(note.text().as_bytes(), text);
    let lines = rest.strip_prefix(b"\n").expect("an empty line between text and signatures");
    assert!(text.ends_with(b"\n") && lines.ends_with(b"\n"));
    assert_eq!(note.claimed_signers().len(), lines.split_inclusive(|&b| b == b'\n').count());
    // what one way of checking takes, the other finds
    let signer = key("van-017", 1);
    if note.verify(&[signer.public()]).is_ok() {
        assert_eq!(note.signed_by([signer.public()]), Ok(vec![signer.public()]));
    }
    if note.claimed_signers().len() < 8 && bytes.len() < MAX_NOTE / 2 {
        let cosigned = note.cosign(&signer);
        assert_eq!(Note::parse(cosigned.as_bytes()), Ok(cosigned));
    }
    Verdict::Taken
}

/// A hello, of a unit or a carrier.
pub fn hello(bytes: &[u8]) -> Verdict {
    let Ok(hello) = Hello::parse(bytes) else { return Verdict::Refused };
    kept(hello.note(), bytes);
    assert!(bytes.len() <= shared::hello::MAX_HELLO);
    let again = Hello::sign(hello.facts().clone(), &key("van-017", 1)).expect("what was read can be said again");
    assert_eq!(again.note().text(), hello.note().text());
    assert!(!State::judge(&hello, &Known::default()).as_str().is_empty());
    Verdict::Taken
}

/// The centre's answer to a hello.
pub fn answer(bytes: &[u8]) -> Verdict {
    let Ok(answer) = Answer::parse(bytes) else { return Verdict::Refused };
    kept(answer.note(), bytes);
    assert!(answer.facts().want.len() <= 64);
    let again = Answer::sign(answer.facts().clone(), &key("registry.example", 3));
    assert_eq!(again.note().text(), answer.note().text());
    Verdict::Taken
}

/// A manifest; what passes the roster's check is the one that was signed so.
pub fn manifest(bytes: &[u8]) -> Verdict {
    static ROSTER: LazyLock<[TrustedRoster; 1]> = LazyLock::new(|| [manifests::roster()]);
    let Ok(manifest) = Manifest::parse(bytes) else { return Verdict::Refused };
    kept(manifest.note(), bytes);
    let facts = manifest.facts();
    assert!((1..=Limits::MOST.lines).contains(&(facts.lines.len() as u64)));
    assert!(facts.lines.iter().all(is_kept));
    closed_again(facts, &manifest);
    if CheckedManifest::check(manifest, &ROSTER[..]).is_ok() {
        assert!(bytes == GOOD_MANIFEST, "nobody signed this");
    }
    Verdict::Taken
}

fn is_kept(line: &Line) -> bool {
    match line {
        Line::Record(record) => RecordLine::parse(&record.to_string()).as_ref() == Ok(record),
        Line::Withdrawn(_) => true,
    }
}

fn closed_again(facts: &batch::Facts, manifest: &Manifest) {
    let signers: Vec<Signer> = facts.cosigners().into_iter().map(|name| key(name.as_str(), 9)).collect();
    let unit = key(facts.unit.as_str(), 9);
    let again = Manifest::close(facts.clone(), &unit, &signers.iter().collect::<Vec<_>>()).expect("what was read can be closed");
    assert_eq!(again.note().text(), manifest.note().text());
}

/// A line of a manifest, as a unit keeps it.
pub fn record_line(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Verdict::Refused };
    let Ok(line) = RecordLine::parse(text) else { return Verdict::Refused };
    assert_eq!(line.to_string(), text);
    let unit = "van-017".parse().expect("a name");
    assert!(Note::parse(line.as_note(&unit).as_bytes()).is_ok(), "any note tool can read it");
    // who can verify it needs the same key id
    let agent = key("agent-007", 5);
    if line.verify(&unit, agent.public()).is_ok() {
        assert_eq!(line.key_id(), agent.public().id());
    }
    Verdict::Taken
}

/// A roster with its proofs and forms, in one file.
pub fn roster_bundle(bytes: &[u8]) -> Verdict {
    let Ok(files) = bundle::read(bytes) else { return Verdict::Refused };
    assert!(files.len() <= bundle::MAX_FILES && files.iter().all(|file| file.len() <= bundle::MAX_FILE));
    let files: Vec<Vec<u8>> = files.into_iter().map(<[u8]>::to_vec).collect();
    assert_eq!(bundle::write(&files), bytes, "one spelling");
    Verdict::Taken
}

/// A roster, whoever signed it.
pub fn roster(bytes: &[u8]) -> Verdict {
    let Ok(roster) = Roster::parse(bytes) else { return Verdict::Refused };
    kept(roster.note(), bytes);
    let again = Roster::sign(roster.facts().clone(), &[&manifests::anchor()]).expect("what was read can be published");
    assert_eq!(again.note().text(), roster.note().text());
    // signed by anybody, it must not be trusted by those who know another signer
    let stranger = key("registry.example/roster-2", 77);
    assert!(roster.trust_anchored(stranger.public()).is_err());
    let anchored = again.trust_anchored(manifests::anchor().public());
    if let Ok(trusted) = anchored {
        assert!(trusted.facts().signers.keys.contains(manifests::anchor().public()));
    }
    Verdict::Taken
}

/// What became of a batch.
pub fn outcome(bytes: &[u8]) -> Verdict {
    let Ok(outcome) = Outcome::parse(bytes) else { return Verdict::Refused };
    kept(outcome.note(), bytes);
    let again = Outcome::sign(outcome.batch(), outcome.version(), outcome.lines().to_vec(), &key("registry.example", 3));
    assert_eq!(again.note().text(), outcome.note().text());
    Verdict::Taken
}

/// What an adjudicator says, also under another's key.
pub fn decision(bytes: &[u8]) -> Verdict {
    let Ok(decision) = Decision::parse(bytes) else { return Verdict::Refused };
    kept(decision.note(), bytes);
    let own = key("amina", 9);
    let again = Decision::sign(decision.centre(), decision.said().clone(), &own).expect("what was read can be said");
    assert_eq!(again.note().text(), decision.note().text());
    assert_eq!(again.verify(own.public()), Ok(()));
    assert_eq!(again.id() == decision.id(), decision.claimed_key() == again.claimed_key(), "the id names the signer");
    Verdict::Taken
}

/// A unit that asks to be admitted, also with its own key under a changed text.
pub fn unit_request(bytes: &[u8]) -> Verdict {
    let own = signed_again(bytes, &key("van-017", 1)).map(|note| note.as_bytes().to_vec());
    let mut verdict = Verdict::Refused;
    for bytes in [Some(bytes.to_vec()), own].into_iter().flatten() {
        let Ok(request) = UnitRequest::parse(&bytes) else { continue };
        verdict = Verdict::Taken;
        let note = Note::parse(&bytes).expect("a request is a note");
        assert_eq!(note.text(), format!("enroll-unit-request/v1\nunit {}\nkey {}\n", request.unit, request.key));
        assert_eq!(note.verify(&[&request.key]), Ok(()), "possession is proven");
    }
    verdict
}

/// An agent or supervisor who asks to be admitted, likewise.
pub fn agent_request(bytes: &[u8]) -> Verdict {
    let own = signed_again(bytes, &key("agent-007", 5)).map(|note| note.as_bytes().to_vec());
    let other = signed_again(bytes, &key("supervisor-003", 6)).map(|note| note.as_bytes().to_vec());
    let mut verdict = Verdict::Refused;
    for bytes in [Some(bytes.to_vec()), own, other].into_iter().flatten() {
        let Ok(request) = AgentRequest::parse(&bytes) else { continue };
        verdict = Verdict::Taken;
        let note = Note::parse(&bytes).expect("a request is a note");
        let (role, name, key) = (request.role, &request.name, &request.key);
        let at = request.unit.as_ref().map(|unit| format!("unit {unit}\n")).unwrap_or_default();
        let last = request.recipient.as_ref().map(|recipient| format!("recipient {recipient}\n")).unwrap_or_default();
        assert_eq!(note.text(), format!("enroll-agent-request/v1\nrole {role}\nname {name}\n{at}key {key}\n{last}"));
        assert_eq!(note.verify(&[&request.key]), Ok(()), "possession is proven");
    }
    verdict
}
