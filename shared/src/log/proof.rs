//! Checkpoints and proofs as they travel, and what is known once they were checked.
//!
//! ```text
//! registry.example/log             c2sp.org/tlog-proof@v1            old 20841
//! 20843                            extra ZW5yb2xsLWxvZy92MQ…         3fGk…=
//! 9sKq…=                           index 20842                       uDPL…=
//!                                  gSKyXo…=
//! — registry.example/log 5d1f…                                       registry.example/log
//!                                  registry.example/log              …
//!                                  …
//! ```
//! C2SP tlog-checkpoint (no extension lines) · C2SP tlog-proof, `extra` = the leaf's exact bytes · body of C2SP
//! add-checkpoint.
//!
//! **Trust:** [`CheckedHead`] and [`CheckedEntry`] are made here only, by checking. Cosignatures of witnesses on a
//! checkpoint are passed over; the log's own line must be there.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tlog_tiles::tlog;

use super::{Entry, Hash, Head, MAX_ENTRY, parse_hash};
use crate::{
    id::LogIndex,
    keys::{Signer, VerifierKey},
    note::Note,
    problem::{Code, Problem},
    text::decimal,
};

/// Signs a head. Only heads that the guard holds are ever signed.
pub fn checkpoint(head: Head, log: &Signer) -> Note {
    Note::sign(&format!("{}\n{}\n{}\n", log.public().name(), head.size, head.root), &[log])
}

/// A head that the log has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedHead(Head);

impl CheckedHead {
    /// Opens a checkpoint.
    pub fn open(checkpoint: &[u8], log: &VerifierKey) -> Result<Self, Problem> {
        let bad = || Problem::from(Code::CheckpointInvalid);
        let note = Note::parse(checkpoint).map_err(|_| bad())?;
        if note.signed_by([log]).map_err(|_| bad())?.is_empty() {
            return Err(bad());
        }
        let mut lines = note.text().strip_suffix('\n').ok_or_else(bad)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next()) else {
            return Err(bad());
        };
        if origin != log.name().as_str() {
            return Err(bad());
        }
        format!("{size} {root}").parse().map(Self).map_err(|_| bad())
    }
    /// Size and root.
    pub fn head(&self) -> Head {
        self.0
    }
}

/// A proof that an entry is in the log, with the checkpoint that it leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct TlogProof {
    /// The leaf's exact bytes.
    pub leaf: Vec<u8>,
    /// Where it stands.
    pub index: LogIndex,
    /// The inclusion proof.
    pub hashes: Vec<Hash>,
    /// A signed checkpoint.
    pub checkpoint: Vec<u8>,
}

/// An entry that is proven to be in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedEntry {
    entry: Entry,
    leaf: Vec<u8>,
    index: LogIndex,
    head: CheckedHead,
}

impl TlogProof {
    /// Reads a proof; checks nothing but its form.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        read_proof(bytes).ok_or_else(|| Code::ProofInvalid.into())
    }

    /// The bytes that travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("c2sp.org/tlog-proof@v1\nextra {}\nindex {}\n", BASE64_STANDARD.encode(&self.leaf), self.index);
        for hash in &self.hashes {
            writeln!(out, "{hash}").expect("writing to a String does not fail");
        }
        out.push('\n');
        let mut out = out.into_bytes();
        out.extend_from_slice(&self.checkpoint);
        out
    }

    /// The hash of the leaf is proven to stand at `index` under a checkpoint of this log.
    pub fn check(self, log: &VerifierKey) -> Result<CheckedEntry, Problem> {
        let head = CheckedHead::open(&self.checkpoint, log)?;
        let Head { size, root } = head.head();
        if self.index.0 >= size {
            return Err(Problem::new(Code::ProofInvalid, "index beyond the checkpoint"));
        }
        tlog::check_record(&self.hashes, size, root, self.index.0, tlog::record_hash(&self.leaf)).map_err(|_| Code::ProofInvalid)?;
        let entry = Entry::parse(&self.leaf)?;
        Ok(CheckedEntry { entry, leaf: self.leaf, index: self.index, head })
    }
}

impl CheckedEntry {
    /// What the entry says.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }
    /// Where it stands.
    pub fn index(&self) -> LogIndex {
        self.index
    }
    /// Under which head it was proven.
    pub fn head(&self) -> CheckedHead {
        self.head
    }
    /// The leaf's exact bytes.
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }
}

fn read_proof(bytes: &[u8]) -> Option<TlogProof> {
    let text = std::str::from_utf8(bytes).ok().filter(|t| t.len() <= 64 << 10)?;
    let (head, checkpoint) = text.split_once("\n\n")?;
    let mut lines = head.split('\n');
    if lines.next()? != "c2sp.org/tlog-proof@v1" {
        return None;
    }
    let extra = lines.next()?.strip_prefix("extra ")?;
    let leaf = BASE64_STANDARD.decode(extra).ok().filter(|l| l.len() <= MAX_ENTRY && BASE64_STANDARD.encode(l) == extra)?;
    let index = decimal(lines.next()?.strip_prefix("index ")?)?;
    let hashes: Vec<Hash> = lines.map(parse_hash).collect::<Option<_>>()?;
    (hashes.len() <= 63).then(|| TlogProof { leaf, index: LogIndex(index), hashes, checkpoint: checkpoint.into() })
}

/// A proof that the log of a checkpoint begins with the log of an older head.
#[derive(Debug, Clone, PartialEq)]
pub struct Consistency {
    /// Size of the older head.
    pub old: u64,
    /// The consistency proof; none for 0 and for equal sizes.
    pub hashes: Vec<Hash>,
    /// A signed checkpoint.
    pub checkpoint: Vec<u8>,
}

impl Consistency {
    /// Reads a proof; checks nothing but its form.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        read_consistency(bytes).ok_or_else(|| Code::ProofInvalid.into())
    }

    /// The bytes that travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("old {}\n", self.old);
        for hash in &self.hashes {
            writeln!(out, "{hash}").expect("writing to a String does not fail");
        }
        out.push('\n');
        let mut out = out.into_bytes();
        out.extend_from_slice(&self.checkpoint);
        out
    }

    /// The checkpoint is the log's, and its log begins with `seen`. A checkpoint that is older than `seen`, or that
    /// does not begin with it, is `log-inconsistent`: somebody shows another history.
    pub fn check(&self, seen: Head, log: &VerifierKey) -> Result<CheckedHead, Problem> {
        let new = CheckedHead::open(&self.checkpoint, log)?;
        let Head { size, root } = new.head();
        let inconsistent = |why: &str| Err(Problem::new(Code::LogInconsistent, why));
        if self.old != seen.size {
            return Err(Problem::new(Code::ProofInvalid, "starts at another size than the one seen"));
        }
        if size < seen.size {
            return inconsistent("the log is shorter than the one seen");
        }
        // size 0 and equal sizes have no proof and are never given to the library
        if seen.size == 0 || size == seen.size {
            let same = self.hashes.is_empty() && (seen == Head::EMPTY || root == seen.root);
            return if same { Ok(new) } else { inconsistent("another root at the size seen") };
        }
        match tlog::check_tree(&self.hashes, size, root, seen.size, seen.root) {
            Ok(()) => Ok(new),
            Err(_) => inconsistent("the log does not begin with the one seen"),
        }
    }
}

fn read_consistency(bytes: &[u8]) -> Option<Consistency> {
    let text = std::str::from_utf8(bytes).ok().filter(|t| t.len() <= 64 << 10)?;
    let (head, checkpoint) = text.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let old = decimal(lines.next()?.strip_prefix("old ")?)?;
    let hashes: Vec<Hash> = lines.map(parse_hash).collect::<Option<_>>()?;
    (hashes.len() <= 63).then(|| Consistency { old, hashes, checkpoint: checkpoint.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        log::{Body, append, prove_consistency, prove_inclusion},
        roster::tests::signer,
        time::Second,
    };

    struct Stored(Vec<Hash>);
    impl tlog::HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
            Ok(indexes.iter().map(|&i| self.0[usize::try_from(i).expect("small")]).collect())
        }
    }

    fn entry(second: i64) -> Vec<u8> {
        Entry { received: Second::from_unix(second), body: Body::Time }.to_bytes()
    }

    /// Grows a log by runs of other lengths and gives every head on the way.
    fn grown(runs: &[i64]) -> (Stored, Vec<Head>) {
        let (mut stored, mut heads) = (Stored(Vec::new()), vec![Head::EMPTY]);
        for &run in runs {
            let size = heads.last().expect("one").size;
            let start = i64::try_from(size).expect("small");
            let entries: Vec<_> = (start..start + run).map(entry).collect();
            let appended = append(size, &entries, &stored).expect("readable");
            assert_eq!(appended.first, stored.0.len() as u64);
            stored.0.extend(appended.hashes);
            heads.push(appended.head);
        }
        (stored, heads)
    }

    #[test]
    fn every_entry_is_proven_and_no_other() {
        let log = signer("registry.example/log", 1);
        let (stored, heads) = grown(&[1, 2, 1, 5, 13]);
        let head = *heads.last().expect("one");
        for index in 0..head.size {
            let hashes = prove_inclusion(head.size, index, &stored).expect("in the log");
            let leaf = entry(i64::try_from(index).expect("small"));
            let proof = TlogProof { leaf, index: LogIndex(index), hashes, checkpoint: checkpoint(head, &log).as_bytes().to_vec() };
            let read = TlogProof::parse(&proof.to_bytes()).expect("well-formed");
            assert_eq!(read, proof);
            let checked = read.check(log.public()).expect("in the log");
            assert_eq!((checked.leaf(), checked.index(), checked.head().head()), (&proof.leaf[..], proof.index, head));
            assert_eq!(checked.entry(), &Entry::parse(&proof.leaf).expect("well-formed"));
            let forged = TlogProof { leaf: entry(999), ..proof.clone() };
            assert_eq!(forged.check(log.public()).map_err(|p| p.code), Err(Code::ProofInvalid));
            for other in [(index + 1) % head.size, head.size, head.size + 1] {
                let elsewhere = TlogProof { index: LogIndex(other), ..proof.clone() };
                assert!(elsewhere.check(log.public()).is_err(), "{other}");
            }
        }
    }

    #[test]
    fn proofs_have_limits() {
        let proof = |leaf: usize, hashes: usize, checkpoint: usize| TlogProof {
            leaf: vec![b'x'; leaf],
            index: LogIndex(0),
            hashes: vec![Hash([7; 32]); hashes],
            checkpoint: vec![b'x'; checkpoint],
        };
        let read = |proof: TlogProof| TlogProof::parse(&proof.to_bytes()).is_ok();
        assert!(read(proof(MAX_ENTRY, 63, 10)));
        assert!(!read(proof(MAX_ENTRY + 1, 63, 10)));
        assert!(!read(proof(MAX_ENTRY, 64, 10)));
        let rest = (64 << 10) - proof(1, 1, 0).to_bytes().len();
        assert_eq!((read(proof(1, 1, rest)), read(proof(1, 1, rest + 1))), (true, false));
        let proof = |hashes: usize, checkpoint: usize| {
            Consistency { old: 1, hashes: vec![Hash([7; 32]); hashes], checkpoint: vec![b'x'; checkpoint] }.to_bytes()
        };
        let read = |bytes: &[u8]| Consistency::parse(bytes).is_ok();
        assert_eq!((read(&proof(63, 10)), read(&proof(64, 10))), (true, false));
        let rest = (64 << 10) - proof(1, 0).len();
        assert_eq!((read(&proof(1, rest)), read(&proof(1, rest + 1))), (true, false));
    }

    #[test]
    fn every_older_head_is_consistent_and_no_other() {
        let log = signer("registry.example/log", 1);
        let (stored, heads) = grown(&[1, 2, 1, 5, 13]);
        let (other, other_heads) = grown(&[2, 2, 5, 13]);
        drop(other);
        let new = *heads.last().expect("one");
        for old in &heads {
            let hashes = prove_consistency(old.size, new.size, &stored).expect("older");
            let proof = Consistency { old: old.size, hashes, checkpoint: checkpoint(new, &log).as_bytes().to_vec() };
            let read = Consistency::parse(&proof.to_bytes()).expect("well-formed");
            assert_eq!(read.check(*old, log.public()).map(|h| h.head()), Ok(new), "{old}");
            if old.size > 0 {
                let forked = Head { root: other_heads[1].root, ..*old };
                assert_eq!(read.check(forked, log.public()).map_err(|p| p.code), Err(Code::LogInconsistent), "{old}");
            }
        }
        // what needs no proof has none, and a proof is of the head that was seen
        let with = |old: u64| Consistency { old, hashes: vec![new.root], checkpoint: checkpoint(new, &log).as_bytes().to_vec() };
        assert_eq!(with(new.size).check(new, log.public()).map_err(|p| p.code), Err(Code::LogInconsistent));
        assert_eq!(with(0).check(Head::EMPTY, log.public()).map_err(|p| p.code), Err(Code::LogInconsistent));
        assert_eq!(with(1).check(heads[2], log.public()).map_err(|p| p.code), Err(Code::ProofInvalid));
        let shorter = Consistency { old: new.size, hashes: vec![], checkpoint: checkpoint(heads[1], &log).as_bytes().to_vec() };
        assert_eq!(shorter.check(new, log.public()).map_err(|p| p.code), Err(Code::LogInconsistent));
        let foreign =
            Consistency { old: 0, hashes: vec![], checkpoint: checkpoint(new, &signer("registry.example/log", 2)).as_bytes().to_vec() };
        assert_eq!(foreign.check(Head::EMPTY, log.public()).map_err(|p| p.code), Err(Code::CheckpointInvalid));
    }
}
