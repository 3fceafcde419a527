//! A receipt: the proof that a batch's entry is in the log (C2SP tlog-proof; `extra` is the leaf's exact bytes).
//!
//! **Trust:** a [`Receipt`] is bytes that look like a proof; a [`CheckedReceipt`] was proven against the log's key
//! *and* speaks of exactly this batch: a proof about another batch is worth nothing. Only with a `CheckedReceipt` may
//! anything be deleted on a unit.

use crate::{
    batch::Manifest,
    id::LogIndex,
    keys::VerifierKey,
    log::{BatchEntry, BatchState, Body, CheckedEntry, CheckedHead, TlogProof},
    problem::{Code, Problem},
    time::Second,
};

/// A receipt as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt(TlogProof);

/// A receipt that proves that this batch is at the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedReceipt {
    proof: CheckedEntry,
    batch: BatchEntry,
}

impl Receipt {
    /// Reads a receipt.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        TlogProof::parse(bytes).map(Self).map_err(|_| Code::ReceiptInvalid.into())
    }

    /// 1. The leaf is in the log. 2. Its fields equal those of the batch that the unit closed.
    pub fn check(self, manifest: &Manifest, log: &VerifierKey) -> Result<CheckedReceipt, Problem> {
        let proof = self.0.check(log)?;
        let Body::Batch(batch) = proof.entry().body.clone() else {
            return Err(Problem::new(Code::ReceiptInvalid, "speaks of something else than a batch"));
        };
        let facts = manifest.facts();
        let same = batch.batch == manifest.id()
            && batch.unit == facts.unit
            && batch.place == facts.place
            && batch.previous == facts.previous
            && batch.payload_size == facts.payload_size
            && batch.payload == facts.payload;
        // The manifest's blob may differ: the first logged bytes of an id stand, signatures included.
        if same { Ok(CheckedReceipt { proof, batch }) } else { Err(Problem::new(Code::ReceiptInvalid, "speaks of another batch")) }
    }
}

impl CheckedReceipt {
    /// Where the batch stands in the log.
    pub fn index(&self) -> LogIndex {
        self.proof.index()
    }
    /// When the centre received it, in log time.
    pub fn received(&self) -> Second {
        self.proof.entry().received
    }
    /// May the batch merge?
    pub fn state(&self) -> BatchState {
        self.batch.state
    }
    /// Under which head it was proven.
    pub fn head(&self) -> CheckedHead {
        self.proof.head()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::tests::{closed, facts},
        id::BatchId,
        log::{Entry, Hash, append, checkpoint},
        roster::tests::signer,
    };

    struct Empty;
    impl crate::log::HashReader for Empty {
        fn read_hashes(&self, _: &[u64]) -> Result<Vec<Hash>, tlog_tiles::tlog::Error> {
            Ok(Vec::new())
        }
    }

    fn receipt_of(change: impl FnOnce(&mut BatchEntry)) -> Result<CheckedReceipt, Code> {
        let manifest = closed(facts(&[b"one"]));
        let mut batch = BatchEntry::of(&manifest, BatchState::Accepted);
        change(&mut batch);
        let leaf = Entry { received: Second::from_unix(1_790_000_000), body: Body::Batch(batch) }.to_bytes();
        let head = append(0, std::slice::from_ref(&leaf), &Empty).expect("first").head;
        let log = signer("registry.example/log", 2);
        let proof = TlogProof { leaf, index: LogIndex(0), hashes: vec![], checkpoint: checkpoint(head, &log).as_bytes().to_vec() };
        Receipt::parse(&proof.to_bytes()).and_then(|r| r.check(&manifest, log.public())).map_err(|p| p.code)
    }

    #[test]
    fn counts_only_for_the_units_own_batch() {
        assert!(receipt_of(|_| ()).is_ok());
        assert_eq!(receipt_of(|b| b.batch = BatchId::of(b"other")), Err(Code::ReceiptInvalid));
        assert_eq!(receipt_of(|b| b.payload_size = 4), Err(Code::ReceiptInvalid));
        assert_eq!(receipt_of(|b| b.previous = Some(BatchId::of(b"p"))), Err(Code::ReceiptInvalid));
        assert_eq!(receipt_of(|b| b.unit = "van-2".parse().expect("name")), Err(Code::ReceiptInvalid));
    }
}
