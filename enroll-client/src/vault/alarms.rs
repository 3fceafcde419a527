//! Alarms: since when each stands, and who cleared one by name. What raises them: `alarms.rs` beside the vault.

use rusqlite::params;
use shared::{
    hello::Alarm,
    id::{Member, Place},
    problem::Problem,
    time::Second,
};

use super::{
    CaptureSession, Db as _, Vault,
    columns::{Column as _, all},
    damaged, int,
    members::Supervisor,
};

/// An alarm that somebody cleared by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    /// Which.
    pub alarm: Alarm,
    /// When; what comes later raises it again.
    pub at: Second,
    /// Who.
    pub by: Member,
    /// Why, in one word.
    pub reason: String,
}

impl Vault {
    /// Since when each alarm was seen that has no time of its own.
    pub fn noticed(&self) -> Result<Vec<(Alarm, Second)>, Problem> {
        let sql = "SELECT code, since FROM noticed ORDER BY code";
        all(&self.db, sql, [], |row| Ok((alarm(&String::read(row, 0)?)?, Second::read(row, 1)?)))
    }

    /// Notes which of these stand now: one that goes on keeps its time, one that is gone loses it.
    pub fn notice(&self, standing: &[Alarm], now: Second) -> Result<(), Problem> {
        let before = self.noticed()?;
        if before.iter().map(|(alarm, _)| alarm).eq(standing) {
            return Ok(());
        }
        let tx = self.begin()?;
        for (gone, _) in before.iter().filter(|(alarm, _)| !standing.contains(alarm)) {
            tx.execute("DELETE FROM noticed WHERE code = ?1", [gone.to_string()]).db()?;
        }
        for alarm in standing {
            tx.execute("INSERT OR IGNORE INTO noticed (code, since) VALUES (?1, ?2)", (alarm.to_string(), now.unix())).db()?;
        }
        tx.commit().db()
    }

    /// Every clearing, oldest first.
    pub fn cleared(&self) -> Result<Vec<Cleared>, Problem> {
        all(&self.db, "SELECT code, at, by, reason FROM cleared ORDER BY n", [], |row| {
            Ok(Cleared {
                alarm: alarm(&String::read(row, 0)?)?,
                at: Second::read(row, 1)?,
                by: Member::read(row, 2)?,
                reason: String::read(row, 3)?,
            })
        })
    }

    /// Keeps that a supervisor has cleared an alarm.
    pub fn clear(&self, _: &CaptureSession, alarm: Alarm, by: &Supervisor, reason: &str, now: Second) -> Result<(), Problem> {
        let sql = "INSERT INTO cleared (code, at, by, reason) VALUES (?1, ?2, ?3, ?4)";
        self.db.execute(sql, params![alarm.to_string(), now.unix(), by.name().as_str(), reason]).db().map(drop)
    }

    /// Batches that the centre asks this unit to keep, by its last answer.
    pub fn holds(&self) -> Result<Vec<Place>, Problem> {
        let place = |epoch, sequence| Place::new(epoch, sequence).map_err(|_| damaged("a batch to keep"));
        all(&self.db, "SELECT epoch, sequence FROM holds ORDER BY epoch, sequence", [], |row| place(u32::read(row, 0)?, u64::read(row, 1)?))
    }

    /// Takes over which batches the centre asks this unit to keep.
    pub fn hold(&self, places: &[Place]) -> Result<(), Problem> {
        if self.holds()? == places {
            return Ok(());
        }
        let tx = self.begin()?;
        tx.execute("DELETE FROM holds", []).db()?;
        for place in places {
            tx.execute("INSERT INTO holds (epoch, sequence) VALUES (?1, ?2)", (place.epoch, int(place.sequence))).db()?;
        }
        tx.commit().db()
    }
}

fn alarm(word: &str) -> Result<Alarm, Problem> {
    word.parse().map_err(|_| damaged("an alarm"))
}
