//! The numbered steps of the vault's schema; [`ground::sqlite`] takes those that are missing.
//!
//! **Invariants:** a step, once released, never changes. A vault with more steps than this software knows is refused
//! untouched.

use ground::sqlite::{Kind, Pages, Plans};

/// The vault as a database. `ENRV` says whose file it is; vaults of the first step did not say so.
pub const KIND: Kind = Kind {
    application: 0x454e_5256,
    unmarked: 1,
    steps: &[include_str!("schema/1.sql")],
    statements: 16,
    plans: Plans::Bound,
    pages: Pages::Return,
};

#[cfg(test)]
mod tests {
    use shared::problem::Code;

    use crate::vault::{Vault, tests::places};

    #[test]
    fn a_newer_vault_is_refused_untouched() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&places(folder.path())).expect("an empty vault");
        vault.db.pragma_update(None, "user_version", 99).expect("as newer software would");
        drop(vault);
        assert_eq!(Vault::create(&places(folder.path())).map(|_| ()).map_err(|p| p.code), Err(Code::VaultNewer));
        let db = rusqlite::Connection::open(folder.path().join("vault.db")).expect("opened");
        assert_eq!(db.pragma_query_value(None, "user_version", |r| r.get(0)), Ok(99));
    }
}
