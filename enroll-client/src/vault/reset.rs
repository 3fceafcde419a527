//! New keys for a member who forgot their passphrase: what only the old keys opened is lost, said before, and then destroyed.
//!
//! 1. [`Vault::lost_with`] counts it: open drafts, slip codes that no screen has shown, and of a supervisor the cards that
//!    nobody else opens. Never a finished record: the laptop opens none, and its line is signed already.
//! 2. [`Vault::replace_member`] puts the new keys in place of the old ones and deletes the drafts: one transaction. A crash before
//!    it changes nothing. A crash after it leaves slots without a row, which the sweep erases, and slip codes that no longer
//!    open; the same command again erases those.
//! 3. Then the slots are overwritten.
//!
//! **Invariants:** records finished under the old key stay, with the lines that it signed.

use shared::{id::Member, keys::KeyRef, problem::Problem};

use super::{
    CaptureSession, Db as _, Vault,
    columns::{Column as _, all},
    damaged, drafts,
    keyslots::{Kind, Slot},
    members::{Readers, Unlocked},
    wrap::Cost,
};
use crate::cards;

/// What is lost with a member's keys, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    /// Open drafts.
    pub drafts: usize,
    /// Slip codes that no screen has shown.
    pub slips: usize,
    /// Records of which nobody else opens the review or contact card.
    pub cards: usize,
}

impl Vault {
    /// 1. What only this member's keys open.
    pub fn lost_with(&self, name: &Member) -> Result<Lost, Problem> {
        let key = KeyRef::from(&self.member(name)?.key);
        let drafts = self.drafts()?.iter().filter(|d| d.agent == *name).count();
        let slips = self.unshown()?.iter().filter(|r| r.agent == *name).count();
        let sql = "SELECT readers FROM records WHERE review_slot IS NOT NULL OR contact_slot IS NOT NULL";
        let readers = all(&self.db, sql, [], |r| Readers::read(r, 0))?;
        // a key that was replaced before opens nothing any more
        let others: Vec<KeyRef> = self.members()?.iter().map(|m| KeyRef::from(&m.key)).filter(|k| *k != key).collect();
        let alone = |Readers(keys): &&Readers| keys.contains(&key) && !keys.iter().any(|k| others.contains(k));
        let cards = readers.iter().filter(alone).count();
        Ok(Lost { drafts, slips, cards })
    }

    /// 2. and 3. Puts new keys in place of a member's old ones.
    pub fn replace_member(&self, _: &CaptureSession, keys: &Unlocked, secret: &[u8], passphrase: &[u8], cost: Cost) -> Result<(), Problem> {
        let name = &keys.name;
        let wrapped = self.wrapped((name, keys.role), secret, passphrase, cost)?;
        let gone: Vec<_> = self.drafts()?.into_iter().filter(|d| d.agent == *name).collect();
        let tx = self.begin()?;
        gone.iter().try_for_each(|draft| drafts::delete(&tx, &draft.id))?;
        let sql =
            "UPDATE members SET key = ?3, recipient = ?4, salt = ?5, mib = ?6, passes = ?7, secret = ?8 WHERE name = ?1 AND role = ?2";
        let (key, recipient) = (keys.signer.public().to_string(), keys.identity.as_ref().map(cards::Identity::recipient));
        let row = (name.as_str(), keys.role.word(), key, recipient, &wrapped.salt[..], cost.mib, cost.passes, wrapped.secret);
        if tx.execute(sql, row).db()? != 1 {
            return Err(damaged("member"));
        }
        tx.commit().db()?;
        let mut slots: Vec<(Slot, Kind, String)> = gone.iter().map(|d| (d.slot(), Kind::Draft, d.id.to_string())).collect();
        slots.extend(self.slips_of(name)?.into_iter().map(|(slot, record)| (slot, Kind::Slip, record.to_string())));
        self.keys.hold()?.erase_all(&slots)
    }
}

#[cfg(test)]
mod tests {
    use shared::{problem::Code, time::Second};

    use super::*;
    use crate::vault::{members::Role, tests::unit};

    const CHEAP: Cost = Cost { mib: 1, passes: 1 };

    fn made(vault: &Vault, name: &str) -> Unlocked {
        let name = name.parse().expect("name");
        let (keys, secret) = Unlocked::generate(&name, Role::Agent).expect("keys");
        vault.add_member(&keys, &secret, b"forgotten", CHEAP).expect("added");
        keys
    }

    #[test]
    fn the_drafts_of_the_forgetful_go_with_their_keys_and_nobody_elses() {
        let (folder, vault) = unit();
        let session = vault.capture().expect("free");
        let (mine, other) = (made(&vault, "agent-1"), made(&vault, "agent-2"));
        let now = Second::from_unix(1_790_000_000);
        let begin = |owner: &Unlocked| vault.begin_draft(&session, owner, b"plain", now).expect("begun").row.id;
        let (_, kept) = ((begin(&mine), begin(&mine)), begin(&other));
        assert_eq!(vault.lost_with(&mine.name), Ok(Lost { drafts: 2, slips: 0, cards: 0 }));
        assert_eq!(vault.lost_with(&"nobody".parse().expect("name")).map_err(|p| p.code), Err(Code::WrongPassphrase));
        let (keys, secret) = Unlocked::generate(&mine.name, Role::Agent).expect("keys");
        vault.replace_member(&session, &keys, &secret, b"remembered", CHEAP).expect("replaced");
        assert_eq!(vault.drafts().expect("drafts").iter().map(|d| d.id.clone()).collect::<Vec<_>>(), std::slice::from_ref(&kept));
        assert_eq!(vault.open_draft(&other, &kept).expect("opens").plain.as_slice(), b"plain");
        assert!(vault.unlock(&mine.name, b"forgotten").is_err());
        assert_eq!(vault.unlock(&mine.name, b"remembered").expect("opens").signer.public(), keys.signer.public());
        let slots = std::fs::read(folder.path().join("vault.keys")).expect("key file");
        assert_eq!(slots.chunks(4096).filter(|slot| slot.iter().any(|b| *b != 0)).count(), 1, "their slots are overwritten");
        assert_eq!(vault.lost_with(&mine.name), Ok(Lost::default()));
    }

    #[test]
    fn another_role_is_no_replacement() {
        let (_folder, vault) = unit();
        let session = vault.capture().expect("free");
        let mine = made(&vault, "agent-1");
        let (keys, secret) = Unlocked::generate(&mine.name, Role::Supervisor).expect("keys");
        assert!(vault.replace_member(&session, &keys, &secret, b"whatever it is", CHEAP).is_err());
        assert!(vault.unlock(&mine.name, b"forgotten").is_ok(), "nothing changed");
    }
}
