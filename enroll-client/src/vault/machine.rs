//! The machine secret: 32 random bytes in a file that only this account reads, or a systemd credential.
//! The unit key and the vault key rest under it, so that the nightly run needs nobody.
//!
//! **Trust:** whoever has this laptop and this file can sign as the unit, and read nothing: records are
//! sealed to the centre, and drafts and cards rest under passphrases.

use std::path::{Path, PathBuf};

use shared::{
    id::Member,
    keys::Signer,
    problem::{Code, Problem},
};
use zeroize::Zeroizing;

use super::wrap::{self, Key};
use crate::{
    durable::{self, Created},
    entropy,
};

const UNIT: &str = "enroll-vault/v1 unit key";
const VAULT: &str = "enroll-vault/v1 vault key";

/// The machine secret, once read.
pub struct MachineSecret(Key);

impl MachineSecret {
    /// Reads it, or makes it when there is none.
    pub fn create(path: &Path) -> Result<Self, Problem> {
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            durable::folder_given(parent)?;
        }
        let secret = entropy::secret::<32>()?;
        // taken already: an earlier init that did not get to its end, or a secret laid there on purpose
        match durable::create(path, secret.as_ref())? {
            Created::New => Ok(Self(secret)),
            Created::There => Self::open(path),
        }
    }

    /// Reads it.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let missing = |why: &str| Problem::new(Code::MachineSecretLost, format!("{}: {why}", path.display()));
        let bytes = Zeroizing::new(durable::read_at_most(path, 4096)?.ok_or_else(|| missing("not there"))?);
        let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| missing("not 32 bytes"))?;
        Ok(Self(Zeroizing::new(*key)))
    }
}

/// The keys that rest under the machine secret.
pub struct UnitKeys {
    /// Signs manifests, hellos and notes of the unit.
    pub signer: Signer,
    /// The unit's new key, until a roster names it.
    pub next: Option<Signer>,
    /// Goes into every passphrase's key.
    pub vault_key: Key,
}

/// As they lie in the vault.
#[derive(Clone)]
pub struct WrappedUnitKeys {
    /// Seed of the unit key.
    pub unit: Vec<u8>,
    /// The vault key.
    pub vault: Vec<u8>,
    /// Seed of the unit's new key, until a roster names it.
    pub next: Option<Vec<u8>>,
}

impl UnitKeys {
    /// Makes new ones.
    pub fn generate(name: &Member, machine: &MachineSecret) -> Result<(Self, WrappedUnitKeys), Problem> {
        let (seed, vault_key) = (entropy::secret::<32>()?, entropy::secret::<32>()?);
        let wrapped = WrappedUnitKeys {
            unit: wrap::wrap(&machine.0, UNIT, seed.as_ref())?,
            vault: wrap::wrap(&machine.0, VAULT, vault_key.as_ref())?,
            next: None,
        };
        Ok((Self { signer: Signer::from_seed(name.into(), &seed), next: None, vault_key }, wrapped))
    }

    /// Makes a new key of the unit: it, and how it will lie in the vault. It rests in the place of the old one, so that it
    /// takes that place without being opened.
    pub fn renew(name: &Member, machine: &MachineSecret) -> Result<(Signer, Vec<u8>), Problem> {
        let seed = entropy::secret::<32>()?;
        Ok((Signer::from_seed(name.into(), &seed), wrap::wrap(&machine.0, UNIT, seed.as_ref())?))
    }

    /// Opens them.
    pub fn open(name: &Member, wrapped: &WrappedUnitKeys, machine: &MachineSecret) -> Result<Self, Problem> {
        let wrong = || Problem::new(Code::MachineSecretLost, "the one that lies there is not of this vault");
        let signer = |seed: &Vec<u8>| wrap::unwrap_key(&machine.0, UNIT, seed).map(|seed| Signer::from_seed(name.into(), &seed));
        let vault_key = wrap::unwrap_key(&machine.0, VAULT, &wrapped.vault).ok_or_else(wrong)?;
        let next = wrapped.next.as_ref().map(|seed| signer(seed).ok_or_else(wrong)).transpose()?;
        Ok(Self { signer: signer(&wrapped.unit).ok_or_else(wrong)?, next, vault_key })
    }
}

/// Where the machine secret is looked for: the path given, else the systemd credential `machine.secret`,
/// else the data folder.
pub fn place(given: Option<PathBuf>, credentials: Option<&Path>, data: &Path) -> PathBuf {
    let credential = credentials.map(|c| c.join("machine.secret")).filter(|c| durable::is_there(c));
    given.or(credential).unwrap_or_else(|| data.join("machine.secret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_secret_opens_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let name: Member = "van-017".parse().expect("name");
        let machine = MachineSecret::create(&folder.path().join("a")).expect("made");
        let (keys, wrapped) = UnitKeys::generate(&name, &machine).expect("made");
        let again = MachineSecret::open(&folder.path().join("a")).expect("read");
        let opened = UnitKeys::open(&name, &wrapped, &again).expect("opened");
        assert_eq!(opened.signer.public(), keys.signer.public());
        let other = MachineSecret::create(&folder.path().join("b")).expect("made");
        assert_eq!(UnitKeys::open(&name, &wrapped, &other).map(|_| ()).map_err(|p| p.code), Err(Code::MachineSecretLost));
        assert_eq!(MachineSecret::open(&folder.path().join("c")).map(|_| ()).map_err(|p| p.code), Err(Code::MachineSecretLost));
    }
}
