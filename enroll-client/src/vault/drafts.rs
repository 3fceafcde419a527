//! Drafts: saved at every step, each encrypted under its own erasable key.
//!
//! **Invariants:** a draft opens only with its agent's passphrase; blobs carry their draft and part in the
//! associated data; discarding or finishing destroys the key, so that what SQLite keeps of old pages is noise.

use std::{fmt, str::FromStr};

use rusqlite::{OptionalExtension as _, Transaction};
use shared::{
    id::Member,
    problem::{Code, Problem},
    text::{hex, unhex},
    time::Second,
};
use zeroize::Zeroizing;

use super::{
    CaptureSession, Db as _, Vault,
    columns::{Column as _, Row, all, maybe},
    damaged,
    keyslots::{Kind, Slot},
    members::Unlocked,
    wrap::{self, Key},
};
use crate::entropy;

/// Id of a draft on this laptop: 8 random hex digits. It never leaves it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DraftId(String);

impl DraftId {
    fn random() -> Result<Self, Problem> {
        Ok(Self(hex(&entropy::bytes::<4>()?)))
    }
    fn place(&self, part: &str) -> String {
        format!("enroll-vault/v1 draft {} {part}", self.0)
    }
}
impl fmt::Display for DraftId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for DraftId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl FromStr for DraftId {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        unhex::<4>(s).map(|_| Self(s.to_owned())).ok_or("a draft is named by 8 hex digits, as `draft list` shows them")
    }
}

/// What may be known of a draft without opening it.
#[derive(Debug, Clone)]
pub struct DraftRow {
    /// Its id.
    pub id: DraftId,
    /// Whose it is.
    pub agent: Member,
    /// When it was begun.
    pub started: Second,
    /// When it was last saved.
    pub changed: Second,
    slot: Slot,
}

impl DraftRow {
    pub(super) fn slot(&self) -> Slot {
        self.slot
    }
}

/// A draft whose key is at hand.
pub struct OpenDraft {
    /// What is known without opening.
    pub row: DraftRow,
    /// The draft itself, as it was saved.
    pub plain: Zeroizing<Vec<u8>>,
    key: Key,
}

/// A part to be kept with a draft.
pub struct DraftPart {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Vault {
    /// Begins a draft. 1. slot, 2. row, under the lock of the key file: see `keyslots`.
    pub fn begin_draft(&self, _: &CaptureSession, owner: &Unlocked, plain: &[u8], now: Second) -> Result<OpenDraft, Problem> {
        let (id, key) = (DraftId::random()?, entropy::secret::<32>()?);
        let wrapped = wrap::wrap(&owner.wrap, &slot_place(&id), key.as_ref())?;
        let blob = wrap::wrap(&key, &id.place(""), plain)?;
        let held = self.keys.hold()?;
        let slot = held.put(Kind::Draft, &id.0, &wrapped)?;
        let sql = "INSERT INTO drafts (id, agent, slot, started, changed, blob) VALUES (?1, ?2, ?3, ?4, ?4, ?5)";
        self.db.execute(sql, (&id.0, owner.name.as_str(), slot.0, now.unix(), blob)).db()?;
        let row = DraftRow { id, agent: owner.name.clone(), started: now, changed: now, slot };
        Ok(OpenDraft { row, plain: Zeroizing::new(plain.to_vec()), key })
    }

    /// All drafts, the newest last.
    pub fn drafts(&self) -> Result<Vec<DraftRow>, Problem> {
        all(&self.db, &format!("SELECT {COLUMNS} FROM drafts ORDER BY started, id"), [], row)
    }

    /// Opens a draft of `owner`. Somebody else's is unknown to them.
    pub fn open_draft(&self, owner: &Unlocked, id: &DraftId) -> Result<OpenDraft, Problem> {
        let unknown = || Problem::new(Code::DraftUnknown, id.to_string());
        let sql = format!("SELECT {COLUMNS} FROM drafts WHERE id = ?1 AND agent = ?2");
        let named = || maybe(&self.db, &sql, (&id.0, owner.name.as_str()), row)?.ok_or_else(unknown);
        let row = named()?;
        // one that was discarded meanwhile is unknown, not damaged
        let wrapped = self.keys.look()?.get(row.slot, Kind::Draft, &id.0).or_else(|problem| named().and(Err(problem)))?;
        let lost = || Problem::new(Code::KeyFileDamaged, format!("key of draft {id}"));
        let key = wrap::unwrap_key(&owner.wrap, &slot_place(id), &wrapped).ok_or_else(lost)?;
        let blob = self.db.query_row("SELECT blob FROM drafts WHERE id = ?1", [&id.0], |r| r.get::<_, Vec<u8>>(0)).optional().db()?;
        let blob = blob.ok_or_else(unknown)?;
        let plain = wrap::unwrap(&key, &id.place(""), &blob).ok_or_else(|| damaged("draft"))?;
        Ok(OpenDraft { row, plain, key })
    }

    /// Saves a draft, with the part that came with this step or without the one that went, at once.
    pub fn save_draft(
        &self,
        _: &CaptureSession,
        draft: &OpenDraft,
        plain: &[u8],
        added: &[DraftPart],
        removed: &[String],
        now: Second,
    ) -> Result<(), Problem> {
        self.room_for(added.iter().map(|p| p.bytes.len() as u64).sum())?;
        let id = &draft.row.id;
        let blob = wrap::wrap(&draft.key, &id.place(""), plain)?;
        let tx = self.begin()?;
        tx.execute("UPDATE drafts SET blob = ?2, changed = ?3 WHERE id = ?1", (&id.0, blob, now.unix())).db()?;
        for name in removed {
            tx.execute("DELETE FROM draft_parts WHERE draft = ?1 AND name = ?2", (&id.0, name)).db()?;
        }
        for part in added {
            let blob = wrap::wrap(&draft.key, &id.place(&part.name), &part.bytes)?;
            tx.execute("INSERT OR REPLACE INTO draft_parts (draft, name, blob) VALUES (?1, ?2, ?3)", (&id.0, &part.name, blob)).db()?;
        }
        tx.commit().db()
    }

    /// The parts of a draft, by name.
    pub fn draft_parts(&self, draft: &OpenDraft) -> Result<Vec<DraftPart>, Problem> {
        let id = &draft.row.id;
        let mut statement = self.db.prepare("SELECT name, blob FROM draft_parts WHERE draft = ?1 ORDER BY name").db()?;
        let rows = statement.query_map([&id.0], |r| Ok((r.get::<_, String>(0)?, r.get::<_, Vec<u8>>(1)?))).db()?;
        rows.map(|r| {
            let (name, blob) = r.db()?;
            let bytes = wrap::unwrap(&draft.key, &id.place(&name), &blob).ok_or_else(|| damaged("part of a draft"))?;
            Ok(DraftPart { name, bytes })
        })
        .collect()
    }

    /// What is known of a draft without opening it.
    pub fn draft(&self, id: &DraftId) -> Result<DraftRow, Problem> {
        let found = maybe(&self.db, &format!("SELECT {COLUMNS} FROM drafts WHERE id = ?1"), [&id.0], row)?;
        found.ok_or_else(|| Problem::new(Code::DraftUnknown, id.to_string()))
    }

    /// Discards a draft, also one that cannot be opened any more: 3. the row, 4. then its key.
    pub fn discard_draft(&self, _: &CaptureSession, draft: &DraftRow) -> Result<(), Problem> {
        let tx = self.begin()?;
        delete(&tx, &draft.id)?;
        tx.commit().db()?;
        self.erase_draft_key(draft)
    }

    pub(super) fn erase_draft_key(&self, row: &DraftRow) -> Result<(), Problem> {
        self.keys.hold()?.erase(row.slot, Kind::Draft, &row.id.0)
    }
}

pub(super) fn delete(tx: &Transaction<'_>, id: &DraftId) -> Result<(), Problem> {
    tx.execute("DELETE FROM draft_parts WHERE draft = ?1", [&id.0]).db()?;
    match tx.execute("DELETE FROM drafts WHERE id = ?1", [&id.0]).db()? {
        1 => Ok(()),
        _ => Err(Problem::new(Code::DraftUnknown, id.to_string())),
    }
}

fn slot_place(id: &DraftId) -> String {
    format!("enroll-vault/v1 key of draft {id}")
}

const COLUMNS: &str = "id, agent, slot, started, changed";

fn row(r: &Row<'_>) -> Result<DraftRow, Problem> {
    Ok(DraftRow {
        id: DraftId::read(r, 0)?,
        agent: Member::read(r, 1)?,
        slot: Slot(u32::read(r, 2)?),
        started: Second::read(r, 3)?,
        changed: Second::read(r, 4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::{members::Role, tests::unit};

    fn agent(name: &str) -> Unlocked {
        Unlocked::generate(&name.parse().expect("name"), Role::Agent).expect("keys").0
    }

    const NOW: i64 = 1_790_000_000;

    #[test]
    fn another_agents_draft_is_unknown() {
        let (_folder, vault) = unit();
        let session = vault.capture().expect("free");
        let (mine, other) = (agent("agent-1"), agent("agent-2"));
        let draft = vault.begin_draft(&session, &mine, b"plain", Second::from_unix(NOW)).expect("begun");
        let id = draft.row.id.clone();
        assert_eq!(vault.open_draft(&other, &id).map(|_| ()).map_err(|p| p.code), Err(Code::DraftUnknown));
        let impostor = agent("agent-1");
        assert_eq!(vault.open_draft(&impostor, &id).map(|_| ()).map_err(|p| p.code), Err(Code::KeyFileDamaged));
        assert_eq!(vault.open_draft(&mine, &id).expect("opened").plain.as_slice(), b"plain");
    }

    #[test]
    fn parts_are_saved_with_the_draft_and_gone_with_its_key() {
        let (folder, vault) = unit();
        let session = vault.capture().expect("free");
        let mine = agent("agent-1");
        let draft = vault.begin_draft(&session, &mine, b"{}", Second::from_unix(NOW)).expect("begun");
        let canary = b"CANARY-PLAINTEXT-CANARY".repeat(2000);
        let part = DraftPart { name: "face.jpg".into(), bytes: Zeroizing::new(canary.clone()) };
        vault.save_draft(&session, &draft, &canary, &[part], &[], Second::from_unix(NOW + 1)).expect("saved");
        let parts = vault.draft_parts(&draft).expect("parts");
        assert_eq!(parts.iter().map(|p| (p.name.as_str(), p.bytes.len())).collect::<Vec<_>>(), [("face.jpg", canary.len())]);
        for file in std::fs::read_dir(folder.path()).expect("folder") {
            let path = file.expect("entry").path();
            let bytes = std::fs::read(&path).expect("file");
            assert!(!bytes.windows(16).any(|w| w == b"CANARY-PLAINTEXT"), "{}", path.display());
        }
        vault.discard_draft(&session, &draft.row).expect("discarded");
        assert_eq!(vault.discard_draft(&session, &draft.row).map_err(|p| p.code), Err(Code::DraftUnknown));
        assert!(vault.drafts().expect("list").is_empty());
        let keys = std::fs::read(folder.path().join("vault.keys")).expect("key file");
        assert!(keys.iter().all(|&b| b == 0), "the key is overwritten");
    }

    #[test]
    fn what_a_crash_leaves_in_the_key_file_is_swept() {
        let (_folder, vault) = unit();
        let mine = agent("agent-1");
        let kept = {
            let session = vault.capture().expect("free");
            // crash after step 1: a slot, no row
            vault.keys.hold().expect("held").put(Kind::Draft, "00000000", b"left").expect("put");
            vault.keys.hold().expect("held").put(Kind::Slip, "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", b"left").expect("put");
            let kept = vault.begin_draft(&session, &mine, b"kept", Second::from_unix(NOW)).expect("begun");
            // crash after step 3: the row is gone, the slot is not
            let gone = vault.begin_draft(&session, &mine, b"gone", Second::from_unix(NOW)).expect("begun");
            vault.db.execute("DELETE FROM drafts WHERE id = ?1", [gone.row.id.to_string()]).expect("deleted");
            kept.row.id
        };
        assert_eq!(vault.sweep(), Ok(3));
        assert_eq!(vault.sweep(), Ok(0));
        assert_eq!(vault.open_draft(&mine, &kept).expect("opened").plain.as_slice(), b"kept");
    }
}
