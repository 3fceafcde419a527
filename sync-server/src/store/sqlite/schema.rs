//! The schema in numbered steps, which [`ground::sqlite`] takes; a step, once released, never changes.
//!
//! **Invariants:** everything in this database can be made again from archive and guard, except which hellos
//! came since a unit's last `head` entry.

use ground::sqlite::{Kind, Pages, Plans};

/// What the log folds to.
pub(in crate::store) const FOLD: &str = concat!(include_str!("schema/3_fold.sql"), include_str!("schema/4_captures.sql"));

/// The database of a centre. `ENRL` says whose file it is.
pub(crate) const KIND: Kind = Kind {
    application: 0x454e_524c,
    unmarked: 0,
    steps: &[
        include_str!("schema/1_ledger.sql"),
        include_str!("schema/2_opened.sql"),
        include_str!("schema/3_fold.sql"),
        include_str!("schema/4_captures.sql"),
        include_str!("schema/5_captured_before.sql"),
    ],
    // more than there are, so that none is parsed again and again
    statements: 256,
    plans: Plans::Stable,
    pages: Pages::Stay,
};

#[cfg(test)]
mod tests {
    use ground::sqlite::{Refused, step_up};
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_newer_or_foreign_database_is_refused_and_ours_is_brought_up_once() {
        let refused = |version: i64, application: i64| {
            let mut db = Connection::open_in_memory().expect("opened");
            db.pragma_update(None, "user_version", version).expect("set");
            db.pragma_update(None, "application_id", application).expect("set");
            matches!(step_up(&mut db, &KIND), Err(Refused::Newer(_)))
        };
        let known = i64::try_from(KIND.steps.len()).expect("few");
        assert!(refused(known + 1, KIND.application) && refused(known, 7));
        let mut db = Connection::open_in_memory().expect("opened");
        step_up(&mut db, &KIND).and_then(|()| step_up(&mut db, &KIND)).expect("made once");
    }
}
