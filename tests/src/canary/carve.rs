//! A thief with the laptop, its machine secret, and none, one or both of the passphrases of agent and supervisor, who
//! tries every wrapped key on the disk, in free space and in old copies too.
//!
//! 1. Slots of the key file, at every 512 bytes of the image, whether or not they say that they are one: each of the
//!    thief's keys, for each place that a draft or record of this unit could have.
//! 2. Age files, at every byte: each of the thief's identities.
//!
//! Drafts and cards are encrypted under nothing but such keys, and sealed records are age files: what opens none of
//! them opens nothing.

use std::{collections::BTreeSet, sync::Arc};

use age::{Decryptor, x25519};
use enroll_client::vault::{
    Places, Vault,
    drafts::DraftId,
    members::Unlocked,
    records::{Card, RecordRow},
    wrap,
};

use crate::world::{Broken, Sure, Unit};

/// Where the wrapped key of a slot lies: its length in two bytes, then the key.
const WRAPPED: usize = 64;
/// Bytes of a wrapped key, and of a wrapped slip code.
const LENGTHS: [usize; 2] = [12 + 32 + 16, 12 + 26 + 16];
const MAGIC: &[u8] = b"ENRSLOT1";
const AGE: &[u8] = b"age-encryption.org/v1\n";

/// The thief.
pub struct Thief {
    /// Whoever a passphrase opens the keys of.
    members: Vec<Arc<Unlocked>>,
    keys: Vec<wrap::Key>,
    identities: Vec<x25519::Identity>,
    vault: Vault,
}

impl Thief {
    /// Everything that the laptop and these passphrases give; each is tried on everybody.
    pub fn of(unit: &Unit, passphrases: &[&str]) -> Sure<Self> {
        let vault = Vault::open(&Places { data: unit.data.clone(), machine: unit.data.join("machine.secret") })?;
        let everybody = vault.members()?;
        let tried = everybody.iter().flat_map(|member| passphrases.iter().map(move |p| (&member.name, p.as_bytes())));
        let members: Vec<_> = tried.filter_map(|(name, passphrase)| vault.unlock(name, passphrase).ok()).map(Arc::new).collect();
        if members.len() != passphrases.len() {
            return Err(Broken(format!("{} passphrases open the keys of {members:?}", passphrases.len())));
        }
        let machine = std::fs::read(unit.data.join("machine.secret"))?;
        let machine: [u8; 32] = machine.try_into().map_err(|_| Broken("the machine secret has 32 bytes".into()))?;
        let mut keys = vec![vault.unit_keys()?.vault_key, machine.into()];
        keys.extend(members.iter().map(|member| member.wrap.clone()));
        let secrets = members.iter().filter_map(|m| m.identity.as_ref()).map(enroll_client::cards::Identity::secret);
        let identities = secrets.map(|s| s.parse().map_err(|_| Broken("an age identity".into()))).collect::<Sure<_>>()?;
        Ok(Self { members, keys, identities, vault })
    }

    /// What opens: `draft 3f9a1c20`, `review <record>`, `contact <record>`, `slip <record>`, or `age at <offset>`.
    /// `drafts` are all that there ever were.
    pub fn carve(&self, image: &[u8], drafts: &[String]) -> Sure<BTreeSet<String>> {
        let records = self.vault.records()?;
        let mut places: Vec<(String, String)> =
            drafts.iter().map(|d| (format!("enroll-vault/v1 key of draft {d}"), format!("draft {d}"))).collect();
        places.extend(records.iter().map(|r| (format!("enroll-vault/v1 slip of {}", r.record), format!("slip {}", r.record))));
        let mut opened = BTreeSet::new();
        for at in (0..image.len().saturating_sub(4096)).step_by(512) {
            opened.extend(self.slot(&image[at..at + 4096], &places));
        }
        for at in age_files(image) {
            let rest = &image[at..image.len().min(at + (1 << 16))];
            let opens = |i: &x25519::Identity| Decryptor::new_buffered(rest).is_ok_and(|d| d.decrypt(std::iter::once(i as _)).is_ok());
            if self.identities.iter().any(opens) {
                opened.insert(card_at(image, at).unwrap_or_else(|| format!("age at {at}")));
            }
        }
        Ok(opened)
    }

    /// 1.
    fn slot(&self, slot: &[u8], places: &[(String, String)]) -> Option<String> {
        let length = usize::from(u16::from_be_bytes([slot[WRAPPED], slot[WRAPPED + 1]]));
        if !LENGTHS.contains(&length) {
            return None;
        }
        let wrapped = &slot[WRAPPED + 2..WRAPPED + 2 + length];
        let opens = |(place, _): &&(String, String)| self.keys.iter().any(|key| wrap::unwrap(key, place, wrapped).is_some());
        places.iter().find(opens).map(|(_, what)| what.clone())
    }

    /// What a draft says, to whoever it opens for.
    pub fn draft(&self, id: &str) -> Sure<Option<String>> {
        let id: DraftId = id.parse().map_err(|_| Broken("a draft's id".into()))?;
        let opened = self.members.iter().find_map(|member| self.vault.open_draft(member, &id).ok());
        Ok(opened.map(|draft| String::from_utf8_lossy(&draft.plain).into_owned()))
    }

    /// What a card says, to whoever it opens for; nothing when its time is over.
    pub fn card(&self, number: &str, card: Card) -> Sure<Option<String>> {
        let row: RecordRow = self.vault.record(number.parse().map_err(|_| Broken("a record's number".into()))?)?;
        let supervisors = self.members.iter().filter_map(|member| Arc::clone(member).into_supervisor().ok());
        let opened = supervisors.into_iter().find_map(|s| self.vault.card(&s, &row, card).ok().flatten());
        Ok(opened.map(|plain| String::from_utf8_lossy(&plain).into_owned()))
    }
}

/// 2. Every place where an age file begins.
fn age_files(image: &[u8]) -> impl Iterator<Item = usize> {
    let candidates = image.iter().enumerate().filter(|(_, b)| **b == AGE[0]).map(|(at, _)| at);
    candidates.filter(|&at| image[at..].starts_with(AGE))
}

/// Whose card it is, when the age file lies in a slot.
fn card_at(image: &[u8], at: usize) -> Option<String> {
    let slot = image.get(at.checked_sub(WRAPPED + 2)?..)?;
    let kind = match slot.get(8)? {
        2 => "review",
        3 => "contact",
        _ => return None,
    };
    let name = slot.get(10..10 + usize::from(*slot.get(9)?))?;
    slot.starts_with(MAGIC).then(|| format!("{kind} {}", String::from_utf8_lossy(name)))
}
