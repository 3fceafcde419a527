//! Rosters and forms: the exact bytes, with the proof of each roster's log entry.
//!
//! **Trust:** the chain is checked again from the key given at `init` at each reading, so a roster that
//! was slipped into the database counts for nothing.

use shared::{
    id::Blob,
    log::Head,
    problem::{Code, Problem},
    roster::{FormRef, Roster, TrustedRoster},
    time::Second,
};

use super::{Db as _, Vault, damaged, epoch, int, state};

/// A roster that was checked, as it will be stored.
pub struct Taken<'a> {
    /// The roster.
    pub roster: &'a TrustedRoster,
    /// Proof of its log entry (C2SP tlog-proof).
    pub proof: &'a [u8],
}

impl Vault {
    /// Every roster that this unit took, oldest first.
    pub fn rosters(&self) -> Result<Vec<TrustedRoster>, Problem> {
        let anchor = self.state()?.roster_key;
        let mut statement = self.db.prepare("SELECT note FROM rosters ORDER BY version").db()?;
        let notes = statement.query_map([], |r| r.get::<_, Vec<u8>>(0)).db()?;
        let mut chain: Vec<TrustedRoster> = Vec::new();
        for note in notes {
            let next = Roster::parse(&note.db()?)?;
            let trusted = match chain.last() {
                None => next.trust_anchored(&anchor)?,
                Some(before) => next.trust_after(before)?,
            };
            chain.push(trusted);
        }
        Ok(chain)
    }

    /// The roster in force: the newest one here.
    pub fn roster(&self) -> Result<Option<TrustedRoster>, Problem> {
        Ok(self.rosters()?.pop())
    }

    /// The roster in force, or the problem that there is none.
    pub fn demand_roster(&self) -> Result<TrustedRoster, Problem> {
        self.roster()?.ok_or_else(|| Code::NoRoster.into())
    }

    /// Checks a roster against the one in force, or, the first one, against the key given at `init`.
    pub fn trust(&self, roster: Roster, present: Option<&TrustedRoster>) -> Result<TrustedRoster, Problem> {
        match present {
            None => roster.trust_anchored(&self.state()?.roster_key),
            Some(before) => roster.trust_after(before),
        }
    }

    /// Stores rosters that were checked one after the other, and their forms, in one transaction; the last
    /// one is in force from then on. All forms of the last one must be here or among `forms`. When it names a new key of
    /// this unit, that key's epoch begins (`vault/epoch.rs`). The log head and time under which they were proven are seen
    /// from then on.
    pub fn take_rosters(&self, taken: &[Taken<'_>], forms: &[Vec<u8>], seen: (Head, Second), now: Second) -> Result<(), Problem> {
        let (Some(first), Some(last)) = (taken.first(), taken.last()) else { return Ok(()) };
        let tx = self.begin()?;
        // `sync` and `roster import` may have checked theirs against the same roster at the same time
        let newest: Option<i64> = tx.query_row("SELECT max(version) FROM rosters", [], |r| r.get(0)).db()?;
        if newest.is_some_and(|n| n >= int(first.roster.version().0)) {
            return Err(Problem::new(Code::LockedElsewhere, "another process took a roster meanwhile"));
        }
        let state = self.state()?;
        for form in forms {
            let digest = Blob::of(form).to_string();
            tx.execute("INSERT OR IGNORE INTO forms (digest, bytes) VALUES (?1, ?2)", (digest, form)).db()?;
        }
        for form in &last.roster.facts().forms {
            let sql = "SELECT EXISTS (SELECT 1 FROM forms WHERE digest = ?1)";
            let here: bool = tx.query_row(sql, [form.blob.to_string()], |r| r.get(0)).db()?;
            if !here {
                return Err(Problem::new(Code::FormUnknown, form.name.to_string()));
            }
        }
        for one in taken {
            let sql = "INSERT INTO rosters (version, note, proof, taken) VALUES (?1, ?2, ?3, ?4)";
            tx.execute(sql, (int(one.roster.version().0), one.roster.note().as_bytes(), one.proof, now.unix())).db()?;
        }
        epoch::adopt(&tx, &state, last.roster.facts())?;
        state::advance(&tx, seen.0, seen.1)?;
        tx.commit().db()
    }

    /// The bytes of a form of the roster in force.
    pub fn form(&self, form: &FormRef) -> Result<Vec<u8>, Problem> {
        let sql = "SELECT bytes FROM forms WHERE digest = ?1";
        let bytes: Vec<u8> = self.db.query_row(sql, [form.blob.to_string()], |r| r.get(0)).db()?;
        if Blob::of(&bytes) == form.blob { Ok(bytes) } else { Err(damaged("form")) }
    }

    /// The forms that the roster names and that are not here yet.
    pub fn missing_forms(&self, roster: &TrustedRoster) -> Result<Vec<FormRef>, Problem> {
        let mut missing = Vec::new();
        for form in &roster.facts().forms {
            let sql = "SELECT EXISTS (SELECT 1 FROM forms WHERE digest = ?1)";
            if !self.db.query_row(sql, [form.blob.to_string()], |r| r.get::<_, bool>(0)).db()? {
                missing.push(form.clone());
            }
        }
        Ok(missing)
    }
}
