//! Reading personal data: recorded in archive and log before the answer leaves.
//!
//! ```text
//! {"format":"enroll-access/v1","at":"2026-11-20T21:30:02Z","account":"amina","uid":1004,"command":"resident show",
//!  "reason":"call of …","subjects":[{"salt":"<64 hex>","digest":"sha256:…"}]}
//! ```
//! This text is encrypted to the roster's auditors and archived; the log's `access` entry names the blob. A subject is
//! a resident's reference or a case's, as SHA-256(salt ‖ reference): an auditor can ask "was this resident looked
//! at?", and nobody learns from the record who else there is.
//!
//! **Trust:** the operating system says which account asks. **Invariants:** [`record`] returns only when the entry is
//! under the guard; whoever has an error from it answers nothing. The reason is never logged in the open.

pub mod personal;

use serde::Serialize;
use shared::{
    id::{Blob, LogIndex},
    problem::{Code, Problem},
    roster::Facts,
    seal::{Recipient, age_to},
    slip::salted,
    text::hex,
    time::Second,
};
use zeroize::Zeroizing;

use self::personal::{Recorded, Unrecorded};
use crate::{
    entropy,
    pipeline::{Proposal, Sequencer},
    store::{Archive, Ledger, Whole},
};

/// Longest reason, in bytes.
const LONGEST: usize = 1000;

/// Who asks for what, and why.
#[derive(Debug, Clone)]
pub struct Access {
    /// Name of the account of the operating system.
    pub account: String,
    /// Its number.
    pub uid: u32,
    /// When.
    pub at: Second,
    /// Which command.
    pub command: &'static str,
    /// Why.
    pub reason: String,
    /// References of the residents and cases that the answer shows.
    pub subjects: Vec<String>,
}

#[derive(Serialize)]
struct Text<'a> {
    format: &'static str,
    at: Second,
    account: &'a str,
    uid: u32,
    command: &'static str,
    reason: &'a str,
    subjects: Vec<Subject>,
}

#[derive(Serialize)]
struct Subject {
    salt: String,
    digest: shared::id::Digest,
}

/// A reason says something: an empty one is no reason.
pub fn reason(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(Problem::new(Code::Usage, format!("--reason: 1 to {LONGEST} bytes of text on one line")));
    }
    Ok(text.to_owned())
}

/// Records an access to what `subjects` names of the answer, and only then gives the answer away.
pub async fn answer<T, A: Archive, L: Ledger>(
    archive: &A,
    sequencer: &Sequencer<L>,
    roster: &Facts,
    access: Access,
    answer: Unrecorded<T>,
    subjects: impl FnOnce(&T) -> Vec<String>,
) -> Result<Recorded<T>, Problem> {
    let access = Access { subjects: answer.subjects(subjects), ..access };
    record(archive, sequencer, roster, &access).await?;
    Ok(answer.recorded())
}

/// Records an access; returns its log index when it is durable and logged.
pub async fn record<A: Archive, L: Ledger>(
    archive: &A,
    sequencer: &Sequencer<L>,
    roster: &Facts,
    access: &Access,
) -> Result<LogIndex, Problem> {
    let auditors = roster.recipients.auditors.iter().map(Recipient::try_from).collect::<Result<Vec<_>, _>>()?;
    let sealed = age_to(&auditors, &text(access)?)?;
    let blob = Blob::of(&sealed);
    // A crash after this leaves a blob that nobody names, and no answer.
    archive.put(blob, Whole::new(sealed)).await?;
    // A crash after this leaves an access on record that was not answered.
    let logged = sequencer.log(Proposal::Access(blob)).await?;
    Ok(logged.index())
}

fn text(access: &Access) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let subjects = access.subjects.iter().map(|reference| {
        let salt = entropy::secret::<32>()?;
        Ok(Subject { salt: hex(salt.as_slice()), digest: salted(&salt, reference.as_bytes()) })
    });
    let text = Text {
        format: "enroll-access/v1",
        at: access.at,
        account: &access.account,
        uid: access.uid,
        command: access.command,
        reason: &access.reason,
        subjects: subjects.collect::<Result<_, Problem>>()?,
    };
    Ok(Zeroizing::new(serde_json::to_vec(&text).expect("strings and numbers")))
}

#[cfg(test)]
mod tests {
    use shared::{id::Digest, log::Body, seal::age_open};

    use super::*;
    use crate::{
        durable,
        pipeline::merge::tests::centre::{Centre, facts, identity},
        store::{Pieces, archive_files::ArchiveFiles},
    };

    /// An archive whose disk is full.
    #[derive(Clone)]
    struct Full(ArchiveFiles);

    impl Archive for Full {
        async fn put<P: Pieces>(&self, _: Blob, _: P) -> Result<(), Problem> {
            Err(Problem::new(Code::DiskFull, "archive"))
        }
        async fn size(&self, blob: Blob) -> Result<Option<u64>, Problem> {
            self.0.size(blob).await
        }
        async fn get(&self, blob: Blob) -> Result<Vec<u8>, Problem> {
            self.0.get(blob).await
        }
        async fn range(&self, blob: Blob, offset: u64, len: usize) -> Result<Vec<u8>, Problem> {
            self.0.range(blob, offset, len).await
        }
        async fn verify(&self, blob: Blob) -> Result<u64, Problem> {
            self.0.verify(blob).await
        }
        async fn blobs(&self, first: u8) -> Result<Vec<Blob>, Problem> {
            self.0.blobs(first).await
        }
        async fn put_segment(&self, size: u64, bytes: Vec<u8>) -> Result<Blob, Problem> {
            self.0.put_segment(size, bytes).await
        }
        async fn segment(&self, size: u64, blob: Blob) -> Result<Vec<u8>, Problem> {
            self.0.segment(size, blob).await
        }
        async fn segments_at(&self, size: u64) -> Result<Vec<Blob>, Problem> {
            self.0.segments_at(size).await
        }
        async fn segments_from(&self, size: u64) -> Result<Vec<(u64, Blob)>, Problem> {
            self.0.segments_from(size).await
        }
    }

    fn access() -> Access {
        Access {
            account: "amina".into(),
            uid: 1004,
            at: Second::from_unix(1_790_000_000),
            command: "resident show",
            reason: "asked by phone".into(),
            subjects: vec!["5f0c0000000000000000000000000000".into()],
        }
    }

    #[tokio::test]
    async fn an_access_is_on_record_for_auditors_only_before_it_is_answered() {
        let centre = Centre::founded().await;
        let (stores, sequencer) = (centre.stores("centre.db"), centre.sequencer().await);
        let index = record(&stores.archive, &sequencer, &facts(1), &access()).await.expect("recorded");
        // a new process finds it: it was durable
        let stores = centre.stores("centre.db");
        let leaf = stores.ledger.entry(index).await.expect("read").expect("logged");
        let Body::Access(blob) = shared::log::Entry::parse(&leaf).expect("ours").body else { panic!("an access entry") };
        let sealed = stores.archive.get(blob).await.expect("archived");
        assert!(age_open(&sealed, &[identity(1)]).is_err(), "the opener can't read it");
        let text = age_open(&sealed, &[identity(3)]).expect("the auditor's");
        let text: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!((&text["account"], &text["reason"]), (&"amina".into(), &"asked by phone".into()));
        let salt = shared::text::unhex::<32>(text["subjects"][0]["salt"].as_str().expect("hex")).expect("hex");
        let digest: Digest = text["subjects"][0]["digest"].as_str().expect("a digest").parse().expect("a digest");
        assert_eq!(digest, salted(&salt, access().subjects[0].as_bytes()));
    }

    #[tokio::test]
    async fn what_cannot_be_recorded_is_not_answered() {
        let centre = Centre::founded().await;
        let (stores, sequencer) = (centre.stores("centre.db"), centre.sequencer().await);
        let full = Full(stores.archive.clone());
        let refused = record(&full, &sequencer, &facts(1), &access()).await;
        assert_eq!(refused.map_err(|p| p.code), Err(Code::DiskFull));
        assert_eq!(stores.ledger.position().await.map(|p| p.line.head.size), Ok(1), "nothing was logged");
        let guard = centre.dir.path().join("guard");
        durable::rename(&guard, &centre.dir.path().join("gone")).expect("moved");
        assert!(record(&stores.archive, &sequencer, &facts(1), &access()).await.is_err());
    }

    #[test]
    fn a_reason_says_something() {
        assert!(reason("  asked by phone ").is_ok_and(|r| r == "asked by phone"));
        for bad in ["", "   ", "two\nlines", &"x".repeat(1001)] {
            assert_eq!(reason(bad).map_err(|p| p.code), Err(Code::Usage));
        }
    }
}
