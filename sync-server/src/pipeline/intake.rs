//! Intake: from what units send to batches that may be logged. No SQL, no HTTP.
//!
//! ```text
//! hello ──▶ session ──▶ announce (manifest) ──▶ upload … ──▶ ReceivedBatch ──▶ VerifiedBatch ──▶ sequencer ──▶ receipt
//! ```
//!
//! | file | does |
//! |---|---|
//! | `hello` | judges where a unit stands and answers |
//! | `session` | who may call, for a day, by a token |
//! | `rosters` | rosters by version, parsed once |
//! | `announce` | checks a manifest before one byte of its payload is taken |
//! | `receive` | takes payloads in and hands whole ones on |
//! | `refused` | keeps what was refused, bounded per source |
//! | `papers` | receipts, outcomes, rosters, forms with their proofs |
//!
//! **Trust:** nothing that comes in is believed: notes by signature, payloads by digest. Who hands a batch in (the
//! session) and whose batch it is (the manifest) are two values: any session may bring any authentic batch.
//!
//! **Ended keys** are heard and answered, and may hand in what they hold: what was done before the cut must still reach the centre, and
//! what comes after it is authentic, so it is archived, logged `quarantined revoked` and receipted. But an ended key's word moves
//! nothing else: its hellos log no head, freeze nothing and are no fact, and it uses up no other key's room.
//!
//! **Invariants:** nothing is answered before what the answer says is durable. A gap is never a refusal. Signatures
//! and digests are checked off the threads that serve requests.

mod announce;
mod hello;
mod papers;
mod receive;
mod refused;
mod rosters;
mod session;

use std::{path::Path, sync::Arc};

use shared::{
    force,
    id::{Centre, LogIndex},
    keys::{KeyRef, Signer},
    log::checkpoint,
    problem::{Code, Problem},
    time::Second,
};
use tokio::sync::{Mutex, Semaphore};

pub(crate) use self::rosters::RosterCache;
pub use self::{
    announce::{Announced, News},
    hello::HelloReply,
    papers::{Proven, RosterPapers},
    receive::{Came, Standing},
    session::Session,
};
use self::{
    receive::Turns,
    refused::RefusedBin,
    session::{Given, Tokens},
};
use super::{
    Clock,
    sequencer::{Published, Sequencer},
};
use crate::store::{Ledger, Word};

/// Locks of batches that are being finished: two of a kind wait for each other, others rarely do.
const SHARDS: usize = 64;
/// Most batches that are finished in the background at a time.
const TASKS: u32 = 1 << 16;

/// What intake needs of the centre.
pub struct Parts<S, A, L> {
    /// Name of the centre.
    pub centre: Centre,
    /// Uploads in progress.
    pub staging: S,
    /// Where whole batches go.
    pub archive: A,
    /// What the log says.
    pub ledger: L,
    /// How something gets into the log.
    pub sequencer: Sequencer<L>,
    /// Signs answers.
    pub signer: Arc<Signer>,
    /// The log's key: signs heads that are under the guard, for those who ask for a proof under an older one.
    pub log: Arc<Signer>,
    /// Reads the clock.
    pub clock: Clock,
}

/// Takes in what units send. Clones share it.
pub struct Intake<S, A, L> {
    inner: Arc<Inner<S, A, L>>,
}

impl<S, A, L> Clone for Intake<S, A, L> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

struct Inner<S, A, L> {
    parts: Parts<S, A, L>,
    rosters: RosterCache,
    tokens: Tokens,
    refused: RefusedBin,
    finishing: Vec<Mutex<()>>,
    tasks: Arc<Semaphore>,
    turns: Turns,
}

impl<S, A, L: Ledger> Intake<S, A, L> {
    /// `data` is the folder of the token key and of what was refused.
    pub fn open(parts: Parts<S, A, L>, data: &Path) -> Result<Self, Problem> {
        let tokens = Tokens::open(&data.join("keys").join("token.key"), &parts.centre)?;
        let refused = RefusedBin::open(&data.join("refused"))?;
        let finishing = (0..SHARDS).map(|_| Mutex::new(())).collect();
        let tasks = Arc::new(Semaphore::new(TASKS as usize));
        Ok(Self {
            inner: Arc::new(Inner { parts, rosters: RosterCache::default(), tokens, refused, finishing, tasks, turns: Turns::default() }),
        })
    }

    /// Who may call with this token.
    pub async fn session(&self, token: &str) -> Result<Session, Problem> {
        let now = (self.inner.parts.clock)();
        let Given { name, key, epoch } = self.inner.tokens.check(token, now)?;
        let word = self.word(&key, now).await?.ok_or_else(|| Problem::new(Code::TokenInvalid, "its key is not admitted"))?;
        Ok(Session { name, key, epoch, word })
    }

    /// Does the word of a key count now? None: it was never admitted.
    async fn word(&self, key: &KeyRef, now: Second) -> Result<Option<Word>, Problem> {
        let ledger = &self.inner.parts.ledger;
        let next = LogIndex(ledger.position().await?.line.head.size);
        Ok(match ledger.life(key, now).await?.counts(next, None) {
            force::Standing::InForce => Some(Word::Counts),
            force::Standing::Cut(_) => Some(Word::Heard),
            force::Standing::NotAdmitted => None,
        })
    }

    /// The newest head that may leave the centre.
    pub async fn published(&self) -> Result<Published, Problem> {
        self.inner.parts.sequencer.published().await
    }

    /// Waits until every batch that is being finished in the background is logged, or has failed.
    pub async fn drain(&self) {
        // Closed by nobody, so the only way out is that all permits are back.
        let _all = self.inner.tasks.acquire_many(TASKS).await;
    }

    /// The head of the log's first `size` entries, signed, if they hold this entry; else the newest. A unit asks for
    /// proofs under the head that it has checked.
    async fn head_with(&self, index: LogIndex, size: Option<u64>) -> Result<Published, Problem> {
        let mut published = self.published().await?;
        if let Some(size) = size.filter(|&s| s > index.0 && s < published.head().size) {
            // A part of what is under the guard: signing it again promises nothing new.
            let head = self.inner.parts.ledger.root(size).await?;
            published.position.line.head = head;
            published.checkpoint = Arc::new(checkpoint(head, &self.inner.parts.log));
        }
        Ok(published)
    }
}
