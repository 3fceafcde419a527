//! The story as it is told: sentences for a person, JSON Lines for a machine.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    io::{self, Write as _},
    path::Path,
    time::Instant,
};

use serde_json::{Value, json};

use super::{Story, count::Tally};
use crate::world::{Broken, Finished, Source, Sure, Unit, World, bins, path_text};

/// The teller.
pub struct Tell {
    json: bool,
    begun: Instant,
    folder: RefCell<String>,
}

impl Tell {
    /// A teller.
    pub fn new(json: bool) -> Self {
        Self { json, begun: Instant::now(), folder: RefCell::default() }
    }

    fn say(&self, kind: &str, mut fields: Value, text: &str) {
        // a reader that went away is no problem of ours
        let mut out = io::stdout().lock();
        if self.json {
            if let Some(fields) = fields.as_object_mut() {
                fields.insert("message_type".into(), kind.into());
            }
            let _ = writeln!(out, "{fields}");
        } else {
            let _ = writeln!(out, "[{:>5.1} s] {text}", self.begun.elapsed().as_secs_f64());
        }
        let _ = out.flush();
    }

    /// Where it happens.
    pub fn folder(&self, folder: &Path) {
        *self.folder.borrow_mut() = folder.display().to_string();
        self.say("begin", json!({ "folder": folder }), &format!("Everything happens in {}", folder.display()));
    }

    /// The units have joined.
    pub fn joined(&self, world: &World) {
        let names: Vec<&str> = world.units.iter().map(|u| u.name.as_str()).collect();
        let text = format!(
            "A centre is founded. {} are admitted, each with an agent and a supervisor, and take the roster: who may enrol, by which forms.",
            names.join(", ")
        );
        self.say("joined", json!({ "units": names, "roster_key": world.centre.roster_key }), &text);
    }

    /// The residents stand in line.
    pub fn drawn(&self, sources: &[Vec<Source>]) {
        let all: Vec<&Source> = sources.iter().flatten().collect();
        let forms: BTreeSet<&str> = all.iter().map(|s| s.form.as_str()).collect();
        let lacking = all.iter().filter(|s| s.exceptions > 0).count();
        let people: BTreeSet<u64> = all.iter().map(|s| s.resident).collect();
        let text = format!(
            "The server is stopped: nothing is in reach. {} people stand in line, one of them twice; forms {}; {lacking} lack a finger, are ill or are children.",
            people.len(),
            forms.into_iter().collect::<Vec<_>>().join(", ")
        );
        self.say("drawn", json!({ "people": people.len(), "visits": all.len(), "with_exceptions": lacking }), &text);
    }

    /// A unit has enrolled its residents.
    pub fn enrolled(&self, unit: &Unit, finished: &[Finished], batches: &[Value]) {
        let bytes: u64 = batches.iter().filter_map(|b| b["bytes"].as_u64()).sum();
        let text = format!(
            "{}: {} records finished and sealed, closed by the supervisor into {} signed batches, {:.1} MB.",
            unit.name,
            finished.len(),
            batches.len(),
            megabytes(bytes)
        );
        self.say("enrolled", json!({ "unit": unit.name, "records": finished.len(), "batches": batches.len(), "bytes": bytes }), &text);
    }

    /// A link broke and the upload went on from there.
    pub fn resumed(&self, unit: &Unit, carried: u64, payload: u64) {
        let text = format!(
            "The server is back; the units synced with nobody at the keyboard. {}'s link broke in mid-upload and it went on from there: {:.1} MB went over the line for {:.1} MB.",
            unit.name,
            megabytes(carried),
            megabytes(payload)
        );
        self.say("resumed", json!({ "unit": unit.name, "carried_bytes": carried, "payload_bytes": payload }), &text);
    }

    /// Receipts hold.
    pub fn verified(&self, receipts: usize) {
        let text = format!("{receipts} receipts verified by a process that has the log's public key and nothing else.");
        self.say("verified", json!({ "receipts": receipts }), &text);
    }

    /// It broke off.
    pub fn broken(&self, broken: &Broken) {
        let _ = writeln!(io::stderr(), "demo: {broken}");
        let folder = self.folder.borrow();
        if self.json {
            self.say("error", json!({ "detail": broken.0, "folder": *folder }), "");
        } else if !folder.is_empty() {
            let _ = writeln!(io::stderr(), "demo: what there is lies in {folder}");
        }
    }

    /// The count, and where to look further.
    pub fn end(&self, tally: &Tally, story: &Story<'_>, residents: u64) -> Sure<()> {
        let wrong = tally.wrong(residents);
        for what in &wrong {
            let _ = writeln!(io::stderr(), "demo: OFF: {what}");
        }
        let folder = story.world.path();
        if self.json {
            let _ = writeln!(io::stdout(), "{}", tally.summary(path_text(&folder)?));
            return Ok(());
        }
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "\n{}", table(tally));
        for (record, why) in &tally.troubles {
            let _ = writeln!(out, "  {record}  {why}{}", meaning(why));
        }
        for (case, code) in &tally.cases {
            let _ = writeln!(out, "  case {case}  {code}: waits for a person");
        }
        let _ = writeln!(out, "\nLook further (the folder stays until you delete it):");
        for command in commands(tally, story)? {
            let _ = writeln!(out, "  {command}");
        }
        let _ = writeln!(out, "\n{}", if wrong.is_empty() { "All as it must be." } else { "NOT AS IT MUST BE: see above." });
        Ok(())
    }
}

fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "for reading only")]
    let bytes = bytes as f64;
    bytes / 1e6
}

fn meaning(why: &str) -> &'static str {
    match why {
        "held duplicate" => "   ← the person who was enrolled twice: a case, never a silent merge",
        "refused line-mismatch" => "   ← the line that contradicts the record's inside",
        _ => "",
    }
}

fn table(tally: &Tally) -> String {
    let same = if tally.digest == tally.digest_rebuilt { "the same after the database was made again" } else { "ANOTHER AFTER REBUILD" };
    let rows = [
        ("finished on the units", format!("{} records in {} batches, {:.1} MB", tally.enrolled, tally.batches, megabytes(tally.bytes))),
        ("merged", tally.state("merged").to_string()),
        ("held", tally.state("held").to_string()),
        ("refused", tally.state("refused").to_string()),
        ("withdrawn", tally.state("withdrawn").to_string()),
        ("lost", tally.lost.to_string()),
        ("taken twice", tally.double.to_string()),
        ("receipts verified", format!("{} of {}", tally.receipts_verified, tally.batches)),
        ("registry digest", format!("{}\n{:<24}{same}", tally.digest, "")),
        ("fsck", tally.fsck.clone()),
    ];
    rows.map(|(what, value)| format!("  {what:<22}{value}")).join("\n")
}

/// Five commands, as they can be typed.
fn commands(tally: &Tally, story: &Story<'_>) -> Sure<[String; 5]> {
    let (bins, folder) = (bins()?, story.world.path());
    let (bin, at) = (|name: &str| bins.join(name).display().to_string(), |name: &str| folder.join(name).display().to_string());
    let server = format!("{} --data-dir {}", bin("sync-server"), at("centre"));
    let record = tally.troubles.first().map(|(record, _)| record.clone()).unwrap_or_default();
    let (manifest, receipt) = (at("papers/van-2-1.1.manifest"), at("papers/van-2-1.1.receipt"));
    Ok([
        format!("{server} fsck"),
        format!("{server} case list --reason 'looking around'"),
        format!("{server} record trace {record}"),
        format!("{} --data-dir {} status --records", bin("enroll-client"), at("van-3")),
        format!("{} receipt --log-key {} --manifest {manifest} --receipt {receipt}", bin("enroll-verify"), story.world.centre.log_key),
    ])
}
