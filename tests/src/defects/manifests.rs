//! Manifests with one defect each, for a unit `van-1` with agent `agent-1` and supervisor `supervisor-1`.

use shared::{
    batch::{Facts, Line, LineFacts, Manifest, RecordLine},
    id::{Blob, Digest, Number, Place, RecordId, RosterVersion, SealedDigest, Transaction},
    keys::Signer,
    log::Head,
    note::Note,
    problem::Code,
    roster::{
        self, AMEND, AgentEntry, Approval, Crew, FormRef, Limits, Persons, Quorum, Recipients, Renewals, Roster, SoftwareVersion,
        SupervisorEntry, TrustedRoster, UnitEntry, UnknownTargets,
    },
    time::Second,
};

use super::vector_identities;

/// A manifest with at most one defect.
pub struct ForgedManifest {
    /// Name of the defect, or `good`.
    pub name: &'static str,
    /// The problem code that it must get; none for `good`.
    pub code: Option<Code>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

fn key(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name.parse().expect("a name"), &[seed; 32])
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a name")
}

/// The key that the vectors' roster is anchored by.
pub fn anchor() -> Signer {
    key("registry.example/roster-1", 4)
}

/// The roster that the manifests are checked with.
pub fn roster() -> TrustedRoster {
    let [working, recovery] = vector_identities().map(|identity| identity.recipient().to_string());
    let public = |name: &str, seed| key(name, seed).public().clone();
    let supervisor =
        |name_: &str, seed| SupervisorEntry { name: name(name_), key: public(name_, seed), unit: None, recipient: name(&working) };
    let facts = roster::Facts {
        centre: name("registry.example"),
        version: RosterVersion(1),
        published: Second::from_unix(1_780_000_000),
        expires: Second::from_unix(1_800_000_000),
        grace: 0,
        retention: 0,
        software: SoftwareVersion(0, 1, 0),
        recipients: Recipients { working: name(&working), recovery: name(&recovery), auditors: vec![name(&recovery)] },
        log: public("registry.example/log", 2),
        centre_key: public("registry.example", 3),
        signers: Quorum { needed: 1, keys: vec![anchor().public().clone()] },
        witnesses: Quorum { needed: 0, keys: vec![] },
        forms: vec![FormRef { name: name("residence-certificate/1"), size: 1, blob: Blob::of(b"form") }],
        limits: Limits { lines: 10, batch: 1 << 20, record: 1 << 20 },
        approval: Approval::Required,
        renewals: Renewals::Hold,
        unknown_targets: UnknownTargets::Hold,
        amend: AMEND,
        persons: Persons::ByEffect,
        units: vec![UnitEntry { name: name("van-1"), epoch: 1, key: public("van-1", 10), region: "04".into(), crew: Crew::Several }],
        agents: vec![AgentEntry { name: name("agent-1"), key: public("agent-1", 11), unit: None }],
        supervisors: vec![supervisor("supervisor-1", 12), supervisor("supervisor-2", 13)],
        carriers: vec![],
        adjudicators: vec![],
        administrators: vec![],
        kept: vec![],
        revoked: vec![],
    };
    let signed = Roster::sign(facts, &[&anchor()]).expect("canonical");
    signed.trust_anchored(anchor().public()).expect("signed by its own signer")
}

fn line(number: u64, agent: &Signer) -> Line {
    let sealed = [u8::try_from(number % 251).expect("small"); 40];
    let facts = LineFacts {
        number: Number::new(1, number).expect("a number"),
        record: RecordId::from_random(SealedDigest::of(&number.to_be_bytes()).as_bytes()[..16].try_into().expect("16 bytes")),
        size: 40,
        digest: SealedDigest::of(&sealed),
        plain: 4096,
        transaction: Transaction::New,
        form: name("residence-certificate/1"),
        roster: RosterVersion(1),
        finished: name("2026-11-20T09:12Z"),
        seen: 0,
        agent: name(agent.public().name().as_str()),
    };
    Line::Record(RecordLine::sign(facts, &name("van-1"), agent))
}

fn facts(lines: u64) -> Facts {
    Facts {
        unit: name("van-1"),
        place: Place::new(1, 1).expect("a place"),
        previous: None,
        roster: RosterVersion(1),
        seen: Head::EMPTY,
        closed: name("2026-11-20T16:02Z"),
        approved: Some(name("supervisor-1")),
        payload_size: 40 * lines,
        payload: Digest::of(b"payload"),
        lines: (1..=lines).map(|n| line(n, &key("agent-1", 11))).collect(),
    }
}

fn closed(facts: Facts) -> Manifest {
    Manifest::close(facts, &key("van-1", 10), &[&key("supervisor-1", 12)]).expect("canonical")
}

fn with(change: impl FnOnce(&mut Facts)) -> Vec<u8> {
    let mut facts = facts(2);
    change(&mut facts);
    closed(facts).note().as_bytes().to_vec()
}

/// The good manifest's text, changed, and signed again by whom it takes.
fn text(change: impl FnOnce(String) -> String, signers: &[&Signer]) -> Vec<u8> {
    Note::sign(&change(closed(facts(2)).note().text().to_owned()), signers).as_bytes().to_vec()
}

fn altered(from: &str, to: &str) -> Vec<u8> {
    let note = String::from_utf8(closed(facts(2)).note().as_bytes().to_vec()).expect("UTF-8");
    assert!(note.contains(from), "{from}");
    note.replacen(from, to, 1).into_bytes()
}

/// Every defect that a manifest can have by itself, with a good one first.
pub fn all() -> Vec<ForgedManifest> {
    let (van, supervisor) = (key("van-1", 10), key("supervisor-1", 12));
    let both: &[&Signer] = &[&van, &supervisor];
    let bad = |name, code, bytes| ForgedManifest { name, code: Some(code), bytes };
    let mut all = vec![ForgedManifest { name: "good", code: None, bytes: with(|_| ()) }];
    all.extend([
        bad("manifest-altered", Code::SignatureInvalid, altered("closed 2026-11-20T16:02Z", "closed 2026-11-20T16:03Z")),
        bad("manifest-with-a-record-line-altered", Code::SignatureInvalid, altered("plain 4096", "plain 8192")),
        bad("signed-with-another-key", Code::KeyWrong, text(|t| t, &[&key("van-1", 99), &supervisor])),
        bad(
            "unit-never-admitted",
            Code::KeyUnknown,
            text(|t| t.replacen("unit van-1", "unit van-9", 1), &[&key("van-9", 99), &supervisor]),
        ),
        bad("signed-by-somebody-else", Code::KeyUnknown, text(|t| t, &[&supervisor, &van])),
        bad("cosignature-missing", Code::CosignatureMissing, text(|t| t, &[&van])),
        bad("one-signature-too-many", Code::NoteSignatures, text(|t| t, &[&van, &supervisor, &key("supervisor-2", 13)])),
        bad("cosigned-by-another-supervisor", Code::NoteSignatures, text(|t| t, &[&van, &key("supervisor-2", 13)])),
        bad(
            "approver-never-admitted",
            Code::KeyUnknown,
            text(|t| t.replacen("approved supervisor-1", "approved supervisor-9", 1), &[&van, &key("supervisor-9", 9)]),
        ),
        bad("agent-never-admitted", Code::KeyUnknown, with(|f| f.lines[0] = line(1, &key("agent-9", 11)))),
        bad("colleagues-name-own-key", Code::RecordSignature, with(|f| f.lines[0] = line(1, &key("agent-1", 99)))),
        bad(
            "line-of-another-unit",
            Code::RecordSignature,
            with(|f| {
                let Line::Record(own) = &f.lines[0] else { unreachable!("a record line") };
                f.lines[0] = Line::Record(RecordLine::sign(own.facts.clone(), &name("van-2"), &key("agent-1", 11)));
            }),
        ),
        bad("epoch-unknown", Code::EpochUnknown, with(|f| f.place = Place::new(2, 1).expect("a place"))),
        bad("roster-unknown", Code::RosterUnknown, with(|f| f.roster = RosterVersion(7))),
    ]);
    all.extend(limits());
    all.extend(texts(both));
    all
}

fn limits() -> Vec<ForgedManifest> {
    let bad = |name, code, bytes| ForgedManifest { name, code: Some(code), bytes };
    vec![
        bad("more-lines-than-the-roster-admits", Code::LinesTooMany, closed(facts(11)).note().as_bytes().to_vec()),
        bad(
            "payload-larger-than-the-roster-admits",
            Code::BatchTooLarge,
            with(|f| {
                let Line::Record(own) = &f.lines[0] else { unreachable!("a record line") };
                let own = LineFacts { size: 2 << 20, ..own.facts.clone() };
                f.payload_size = own.size + 40;
                f.lines[0] = Line::Record(RecordLine::sign(own, &name("van-1"), &key("agent-1", 11)));
            }),
        ),
    ]
}

fn texts(both: &[&Signer]) -> Vec<ForgedManifest> {
    let bad = |name, code, bytes| ForgedManifest { name, code: Some(code), bytes };
    let lines_swapped = |t: String| {
        let mut lines: Vec<&str> = t.lines().collect();
        let last = lines.len() - 1;
        lines.swap(last, last - 1);
        lines.join("\n") + "\n"
    };
    let before = format!("previous {}", Digest::of(b"another batch"));
    let without_lines = |t: String| t.split_inclusive('\n').filter(|l| !l.starts_with("record ")).collect();
    vec![
        bad("of-a-later-version", Code::UpgradeNeeded, text(|t| t.replacen("enroll-batch/v1", "enroll-batch/v2", 1), both)),
        bad("another-format", Code::TextMalformed, text(|t| t.replacen("enroll-batch/v1", "enroll-other/v1", 1), both)),
        bad("number-with-leading-zero", Code::TextMalformed, text(|t| t.replacen("sequence 1", "sequence 01", 1), both)),
        bad("digest-in-upper-case", Code::TextMalformed, text(|t| t.replacen("payload 80 sha256:", "payload 80 SHA256:", 1), both)),
        bad("a-line-repeated", Code::TextMalformed, text(|t| t.replacen("roster 1\n", "roster 1\nroster 1\n", 1), both)),
        bad("a-line-unknown", Code::TextMalformed, text(|t| t.replacen("roster 1\n", "roster 1\ncolour green\n", 1), both)),
        bad("lines-out-of-order", Code::ManifestInvalid, text(lines_swapped, both)),
        bad("a-later-batch-that-follows-none", Code::ManifestInvalid, text(|t| t.replacen("sequence 1\n", "sequence 2\n", 1), both)),
        bad("the-first-batch-that-follows-another", Code::ManifestInvalid, text(|t| t.replacen("previous none", &before, 1), both)),
        bad("no-lines", Code::ManifestInvalid, text(without_lines, both)),
        bad("sizes-do-not-add-up", Code::ManifestInvalid, text(|t| t.replacen("payload 80 ", "payload 81 ", 1), both)),
        bad("not-a-note", Code::NoteMalformed, b"enroll-batch/v1\nunit van-1\n".to_vec()),
        bad("carriage-returns", Code::NoteMalformed, altered("\n", "\r\n")),
    ]
}
