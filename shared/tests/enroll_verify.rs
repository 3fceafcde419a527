//! The stand-alone verifier: every check holds for what is right, fails with 7 for what is not, and the program
//! stays small enough to be read.
#![allow(clippy::disallowed_methods, reason = "tests run programs and write files")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use shared::{
    batch::{Facts, Line, LineFacts, Manifest, RecordLine},
    id::{Blob, Digest, LogIndex, Number, Place, RecordId, ResidentRef, RosterVersion, SealedDigest, Transaction},
    keys::Signer,
    log::{
        BatchEntry, BatchState, Body, Consistency, Entry, Hash, HashReader, Head, TlogProof, append, checkpoint, prove_consistency,
        prove_inclusion,
    },
    outcome::{Fate, Outcome, OutcomeLine},
    roster::{
        AgeRecipient, AgentEntry, Approval, Crew, Facts as RosterFacts, FormRef, Limits, Quorum, Recipients, Revocation, Roster,
        SoftwareVersion, UnitEntry,
    },
    time::Second,
};

/// What `enroll-verify` may be built from. A new name here is a decision: somebody has to read it.
const ALLOWED: &str = "base64 block-buffer cfg-if const-oid cpufeatures crypto-common curve25519-dalek curve25519-dalek-derive digest
    displaydoc ed25519 ed25519-dalek form_urlencoded generic-array hybrid-array icu_collections icu_locale_core icu_normalizer
    icu_normalizer_data icu_properties icu_properties_data icu_provider idna idna_adapter itoa jiff jiff-core libc litemap memchr
    percent-encoding potential_utf proc-macro2 quote rand_core serde serde_core serde_derive serde_json sha2 shared signature
    signed_note smallvec stable_deref_trait subtle syn synstructure thiserror thiserror-impl tinystr tlog_tiles typenum
    unicode-ident url utf8_iter utf_types uuid writeable yoke yoke-derive zerofrom zerofrom-derive zeroize zeroize_derive zerotrie
    zerovec zerovec-derive zmij";

#[test]
fn built_from_few_things() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--package", "shared", "--edges", "normal", "--no-default-features", "--prefix", "none"]);
    let listed = cargo.args(["--format", "{p}"]).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo tree");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let found: BTreeSet<&str> = text.lines().filter_map(|l| l.split(' ').next()).filter(|n| !n.is_empty()).collect();
    let allowed: BTreeSet<&str> = ALLOWED.split_whitespace().collect();
    let more: Vec<_> = found.difference(&allowed).collect();
    assert!(more.is_empty(), "new dependencies of the verifier: {more:?}");
    for never in ["age", "zstd", "tokio", "rusqlite", "reqwest", "clap", "tar", "jsonschema"] {
        assert!(!found.contains(never), "{never}");
    }
    assert!(found.contains("ed25519-dalek") && found.contains("sha2"), "the list was read");
}

struct Papers {
    folder: PathBuf,
    batch: Manifest,
}

impl Drop for Papers {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Stored(Vec<Hash>);
impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::tlog::Error> {
        Ok(indexes.iter().map(|&i| self.0[usize::try_from(i).expect("small")]).collect())
    }
}

fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name.parse().expect("name"), &[seed; 32])
}
fn centre() -> Signer {
    signer("registry.example", 3)
}
fn log() -> Signer {
    signer("registry.example/log", 2)
}
fn roster_key() -> Signer {
    signer("registry.example/roster-1", 1)
}

fn roster(version: u64) -> Roster {
    roster_with(version, vec![])
}

fn roster_with(version: u64, revoked: Vec<Revocation>) -> Roster {
    let age = |c: char| format!("age1{}", c.to_string().repeat(58)).parse::<AgeRecipient>().expect("age");
    let key = |s: &Signer| s.public().clone();
    let facts = RosterFacts {
        centre: "registry.example".parse().expect("centre"),
        version: RosterVersion(version),
        published: Second::from_unix(1_790_000_000),
        expires: Second::from_unix(1_800_000_000),
        grace: 86400,
        retention: 3600,
        software: SoftwareVersion(0, 1, 0),
        recipients: Recipients { working: age('q'), recovery: age('p'), auditors: vec![age('z')] },
        log: key(&log()),
        centre_key: key(&centre()),
        signers: Quorum { needed: 1, keys: vec![key(&roster_key())] },
        witnesses: Quorum { needed: 0, keys: vec![] },
        forms: vec![FormRef { name: "national-id/1".parse().expect("form"), size: 3, blob: Blob::of(b"{}\n") }],
        limits: Limits::MOST,
        approval: Approval::None,
        renewals: shared::roster::Renewals::Hold,
        unknown_targets: shared::roster::UnknownTargets::Hold,
        amend: shared::roster::AMEND,
        persons: shared::roster::Persons::ByEffect,
        units: vec![UnitEntry {
            name: "van-1".parse().expect("name"),
            epoch: 1,
            key: key(&signer("van-1", 10)),
            region: "04".into(),
            crew: Crew::Several,
        }],
        agents: vec![AgentEntry { name: "agent-1".parse().expect("name"), key: key(&signer("agent-1", 11)), unit: None }],
        supervisors: vec![],
        carriers: vec![],
        adjudicators: vec![],
        administrators: vec![],
        kept: vec![],
        revoked,
    };
    Roster::sign(facts, &[&roster_key()]).expect("canonical")
}

fn batch(sealed: &[&[u8]]) -> Manifest {
    let unit = "van-1".parse().expect("name");
    let line = |(n, bytes): (u64, &&[u8])| {
        let facts = LineFacts {
            number: Number::new(1, n).expect("number"),
            record: RecordId::from_random([u8::try_from(n).expect("small"); 16]),
            size: bytes.len() as u64,
            digest: SealedDigest::of(bytes),
            plain: 4096,
            transaction: Transaction::New,
            form: "national-id/1".parse().expect("form"),
            roster: RosterVersion(1),
            finished: Second::from_unix(0).minute(),
            seen: 0,
            agent: "agent-1".parse().expect("name"),
        };
        Line::Record(RecordLine::sign(facts, &unit, &signer("agent-1", 11)))
    };
    let payload = sealed.concat();
    let facts = Facts {
        unit: unit.clone(),
        place: Place::new(1, 1).expect("place"),
        previous: None,
        roster: RosterVersion(1),
        seen: Head::EMPTY,
        closed: Second::from_unix(0).minute(),
        approved: None,
        payload_size: payload.len() as u64,
        payload: Digest::of(&payload),
        lines: (1..).zip(sealed).map(line).collect(),
    };
    Manifest::close(facts, &signer("van-1", 10), &[]).expect("canonical")
}

/// Writes a folder of everything that the verifier can check.
fn papers(name: &str) -> Papers {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("verify-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |file: &str, bytes: &[u8]| std::fs::write(folder.join(file), bytes).expect("written");
    let batch = batch(&[b"one", b"two!"]);
    let facts = batch.facts();
    let logged = BatchEntry::of(&batch, BatchState::Accepted);
    let fate = |r: &RecordLine| OutcomeLine {
        number: r.facts.number,
        record: r.facts.record,
        fate: Fate::Merged(ResidentRef::founded_by(&facts.unit, r.facts.record)),
    };
    let outcome = Outcome::sign(batch.id(), 1, facts.records().map(fate).collect(), &centre());
    let cut = roster_with(2, vec![Revocation { key: (signer("agent-1", 11).public()).into(), cut: LogIndex(1), reason: "stolen".into() }]);
    let listed = |roster: &Roster| Body::Roster { version: roster.facts().version, blob: roster.note().blob() };
    let outcome_body = Body::Outcome { batch: batch.id(), version: 1, blob: outcome.note().blob() };
    let bodies = [listed(&roster(1)), Body::Batch(logged), outcome_body, listed(&cut)];
    let size = bodies.len() as u64;
    let (mut stored, mut heads, mut leaves) = (Stored(vec![]), vec![], vec![]);
    for body in bodies {
        let leaf = Entry { received: Second::from_unix(1_790_000_000), body }.to_bytes();
        let grown = append(heads.len() as u64, std::slice::from_ref(&leaf), &stored).expect("in memory");
        stored.0.extend(grown.hashes);
        heads.push(grown.head);
        leaves.push(leaf);
    }
    let signed = checkpoint(heads[3], &log()).as_bytes().to_vec();
    let prove = |n: usize| TlogProof {
        leaf: leaves[n].clone(),
        index: LogIndex(n as u64),
        hashes: prove_inclusion(size, n as u64, &stored).expect("there"),
        checkpoint: signed.clone(),
    };
    write("roster-1", roster(1).note().as_bytes());
    write("roster-2", roster(2).note().as_bytes());
    write("roster-cut", cut.note().as_bytes());
    write("roster-1.proof", &prove(0).to_bytes());
    write("roster-cut.proof", &prove(3).to_bytes());
    write("manifest", batch.note().as_bytes());
    write("payload", b"onetwo!");
    write("receipt", &prove(1).to_bytes());
    write("outcome", outcome.note().as_bytes());
    write("outcome.proof", &prove(2).to_bytes());
    write("checkpoint", &signed);
    let hashes = prove_consistency(2, size, &stored).expect("older");
    write("consistency", &Consistency { old: 2, hashes, checkpoint: signed.clone() }.to_bytes());
    write("seen", heads[1].to_string().as_bytes());
    Papers { folder, batch }
}

impl Papers {
    fn run(&self, check: &str, arguments: &str) -> Output {
        let key = |s: Signer| s.public().to_string();
        let mut program = Command::new(env!("CARGO_BIN_EXE_enroll-verify"));
        program.current_dir(&self.folder).arg(check);
        for word in arguments.split_whitespace() {
            program.arg(match word {
                "LOG" => key(log()),
                "CENTRE" => key(centre()),
                "ROSTER" => key(roster_key()),
                "VAN" => key(signer("van-1", 10)),
                "OTHER" => key(signer("registry.example/log", 9)),
                "SEEN" => std::fs::read_to_string(self.folder.join("seen")).expect("read"),
                other => other.to_owned(),
            });
        }
        program.output().expect("it runs")
    }
}

/// Every check, as it is given when all is well.
const CHECKS: [(&str, &str); 10] = [
    ("receipt", "--log-key LOG --manifest manifest --receipt receipt"),
    ("outcome", "--log-key LOG --centre-key CENTRE --manifest manifest --outcome outcome --proof outcome.proof"),
    ("checkpoint", "--log-key LOG --checkpoint checkpoint"),
    ("consistency", "--log-key LOG --seen SEEN --proof consistency"),
    ("entry", "--log-key LOG --proof receipt"),
    ("roster", "--roster-key ROSTER --roster roster-1 roster-2"),
    ("manifest", "--roster-key ROSTER --roster roster-1 --manifest manifest"),
    ("payload", "--manifest manifest --payload payload"),
    ("note", "--key VAN --note manifest"),
    ("force", "--log-key LOG --roster-key ROSTER --roster roster-1 --proof roster-1.proof --manifest manifest --receipt receipt"),
];

#[test]
fn what_is_right_holds() {
    let papers = papers("right");
    for (check, arguments) in CHECKS {
        let said = papers.run(check, arguments);
        assert_eq!(said.status.code(), Some(0), "{check}: {}", String::from_utf8_lossy(&said.stderr));
        assert!(String::from_utf8_lossy(&said.stdout).starts_with("ok    "), "{check}");
    }
    let said = papers.run("manifest", CHECKS[6].1);
    assert!(String::from_utf8_lossy(&said.stdout).contains(&papers.batch.id().to_string()));
}

#[test]
fn a_changed_byte_in_any_file_of_any_check_is_found() {
    let papers = papers("changed");
    for (check, arguments) in CHECKS {
        let mut files: BTreeSet<&str> = arguments.split_whitespace().filter(|w| papers.folder.join(w).is_file()).collect();
        if check == "payload" {
            // whether the manifest itself is authentic is what the check `manifest` tells
            files.remove("manifest");
        }
        assert!(!files.is_empty(), "{check}");
        for file in files {
            let path = papers.folder.join(file);
            let whole = std::fs::read(&path).expect("read");
            for at in [0, whole.len() / 2] {
                let mut bytes = whole.clone();
                bytes[at] ^= 1;
                std::fs::write(&path, &bytes).expect("written");
                let said = papers.run(check, arguments);
                assert_eq!(said.status.code(), Some(7), "{check}, {file} at {at}: {}", String::from_utf8_lossy(&said.stdout));
                assert!(String::from_utf8_lossy(&said.stdout).contains("FAILS"), "{check}");
            }
            std::fs::write(&path, &whole).expect("written");
        }
    }
}

#[test]
fn another_key_another_batch_another_head_fail() {
    let papers = papers("other");
    let other = batch(&[b"one", b"two?"]);
    for (name, bytes) in [("other", other.note().as_bytes()), ("short", b"onetwo"), ("long", b"onetwo!!"), ("empty", b"")] {
        std::fs::write(papers.folder.join(name), bytes).expect("written");
    }
    for (check, arguments) in [
        ("receipt", "--log-key OTHER --manifest manifest --receipt receipt"),
        ("receipt", "--log-key LOG --manifest other --receipt receipt"),
        ("receipt", "--log-key LOG --manifest manifest --receipt outcome.proof"),
        ("outcome", "--log-key LOG --centre-key CENTRE --manifest other --outcome outcome --proof outcome.proof"),
        ("outcome", "--log-key LOG --centre-key CENTRE --manifest manifest --outcome outcome --proof receipt"),
        ("checkpoint", "--log-key OTHER --checkpoint checkpoint"),
        ("payload", "--manifest other --payload payload"),
        ("payload", "--manifest manifest --payload short"),
        ("payload", "--manifest manifest --payload long"),
        ("payload", "--manifest manifest --payload empty"),
        ("manifest", "--roster-key OTHER --roster roster-1 --manifest manifest"),
        ("manifest", "--roster-key ROSTER --roster roster-2 --manifest manifest"),
        ("note", "--key VAN VAN --note manifest"),
    ] {
        assert_eq!(papers.run(check, arguments).status.code(), Some(7), "{check} {arguments}");
    }
}

#[test]
fn a_key_that_was_cut_before_the_batch_does_not_count() {
    let papers = papers("force");
    let arguments = "--log-key LOG --roster-key ROSTER --roster roster-1 roster-cut --proof roster-1.proof PROOF --manifest manifest \
        --receipt receipt";
    let said = papers.run("force", &arguments.replace("PROOF", "roster-cut.proof"));
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.status.code(), Some(7), "{text}");
    assert!(text.contains("force: unit van-1") && text.contains("agent-revoked"), "{text}");
    let said = papers.run("force", &arguments.replace("PROOF", "outcome.proof"));
    assert_eq!(said.status.code(), Some(7), "a roster that the log does not have");
}

#[test]
fn what_is_not_understood_is_never_taken_for_a_check_that_holds() {
    let papers = papers("usage");
    for (check, arguments) in [
        ("", ""),
        ("reciept", ""),
        ("receipt", "--log-key LOG --manifest manifest"),
        ("receipt", "--log-key LOG --manifest manifest --receipt receipt --witness x"),
        ("receipt", "--log-key nonsense --manifest manifest --receipt receipt"),
        ("receipt", "--log-key LOG LOG --manifest manifest --receipt receipt"),
        ("checkpoint", "checkpoint"),
        ("checkpoint", "--log-key LOG --checkpoint"),
        ("roster", "--roster-key ROSTER --roster roster-1 --manifest manifest"),
    ] {
        assert_eq!(papers.run(check, arguments).status.code(), Some(2), "{check} {arguments}");
    }
    assert_eq!(papers.run("checkpoint", "--log-key LOG --checkpoint missing").status.code(), Some(1));
}
