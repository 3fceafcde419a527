//! The numbered steps of the vault's schema; [`ground::sqlite`] takes those that are missing.
//!
//! **Invariants:** a step, once released, never changes. A vault with more steps than this software knows is refused
//! untouched.

use ground::sqlite::{Kind, Pages, Plans};

/// The vault as a database. `ENRV` says whose file it is; vaults of the first step did not say so.
pub const KIND: Kind = Kind {
    application: 0x454e_5256,
    unmarked: 1,
    steps: &[include_str!("schema/1.sql"), include_str!("schema/2.sql")],
    statements: 16,
    plans: Plans::Bound,
    pages: Pages::Return,
};

#[cfg(test)]
mod tests {
    use shared::problem::Code;

    use crate::vault::{Vault, tests::places};

    /// What each resident or each command waits for reads no more of a full vault than of an empty one, but for the slots.
    #[test]
    fn no_resident_waits_for_a_scan_of_the_records() {
        let (_folder, vault) = crate::vault::tests::unit();
        let plan = |sql: &str| -> String {
            let mut statement = vault.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
            let steps = statement.query_map([], |r| r.get::<_, String>(3)).expect("read").collect::<Result<Vec<_>, _>>();
            steps.expect("steps").join("; ")
        };
        for column in ["source", "slip", "record"] {
            let plan = plan(&format!("SELECT size FROM records WHERE {column} = 'x'"));
            assert!(plan.starts_with("SEARCH records USING INDEX"), "{column}: {plan}");
        }
        let plan = plan(crate::vault::NAMED);
        for table in ["review", "contact"] {
            assert!(plan.contains(&format!("records USING COVERING INDEX records_by_{table}_slot")), "{plan}");
        }
    }

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
