//! The centre under fire while a unit syncs against it: ingest, sequence, apply, merge, and its start and end.
//!
//! | part | what is touched |
//! |---|---|
//! | start, stop | everything before the first answer; the database's last checkpoint |
//! | ingest | staging, the blobs of manifest and payload, commits of hellos and announcements |
//! | sequence | segments and guard |
//! | apply | the first commit after the guard moved |
//! | merge | commits of opening and folding, blobs of outcomes |
//! | upload | of a batch of about 6 MB: staging, while bytes go to the disk beside the writing |

use std::{collections::BTreeSet, fs};

use shared::sample::Size;
use tests::{
    faults::{Act, BUDGET, Point, Promise, Stage, Strike, Verdict, broken_by_centre, campaign, promises, struck},
    tracer::{Act as Does, Event, Fault, Traced, Tracing, Trigger, is_missing},
    world::{Broken, Sure, sabotage_is_missing},
};

use super::{rebuilt_the_same, sized, to_the_end};

struct Serving {
    /// Promises that it breaks on purpose.
    switches: &'static [&'static str],
    /// How many records there are in the batch, and of which size.
    batch: (u64, Size),
    /// Strikes staging only, of a large batch: from 4 MiB on its bytes go to the disk on the way, beside the writing.
    uploads: bool,
}

impl Default for Serving {
    fn default() -> Self {
        Self { switches: &[], batch: (2, Size::Tiny), uploads: false }
    }
}

/// Where it breaks, once, in bytes: behind the first sync on the way, before the end; then its offset is asked for.
const BREAK: u64 = 5_500_000;

/// How far a serving centre has come.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that was seen or was not, in any order")]
struct Progress {
    answered: bool,
    staged: bool,
    /// Blobs that got their names.
    blobs: usize,
    segment_since_blob: bool,
    guard_moved: bool,
    applied: bool,
}

impl Progress {
    fn part(&self, act: &Does) -> &'static str {
        let path = act.paths().last().unwrap_or_default();
        let named = |names: &[&str]| names.iter().any(|n| path.starts_with(n));
        if !self.answered {
            "start"
        } else if named(&["staging"]) {
            "ingest"
        } else if named(&["archive/segments", "guard"]) {
            "sequence"
        } else if named(&["archive/blobs"]) {
            if self.blobs < 2 { "ingest" } else { "merge" }
        } else if named(&["archive/incoming"]) {
            match (self.staged, self.blobs, self.segment_since_blob) {
                (false, _, _) | (true, 2.., false) => "sequence",
                (true, 0 | 1, _) => "ingest",
                _ => "merge",
            }
        } else if path == "centre.db-wal" && !matches!(act, Does::Unlink { .. }) {
            match (self.guard_moved, self.applied) {
                (true, _) => "apply",
                (false, true) => "merge",
                (false, false) => "ingest",
            }
        } else {
            "stop"
        }
    }

    fn pass(&mut self, act: &Does) {
        let path = act.paths().last().unwrap_or_default();
        self.answered |= matches!(act, Does::Tell { to, .. } if to == "socket");
        self.staged |= path.starts_with("staging/");
        if let Does::Rename { to, .. } = act {
            if to.starts_with("archive/blobs") {
                (self.blobs, self.segment_since_blob) = (self.blobs + 1, false);
            }
            self.segment_since_blob |= to.starts_with("archive/segments");
            self.guard_moved |= to == "guard/head";
        }
        if matches!(act, Does::Sync { path } if path == "centre.db-wal") && self.guard_moved {
            self.guard_moved = false;
            self.applied |= self.blobs >= 2;
        }
    }
}

impl Act for Serving {
    type Told = ();

    fn part(&self, events: &[Event], event: usize) -> &'static str {
        if self.uploads {
            return "upload";
        }
        let mut progress = Progress::default();
        events[..event].iter().for_each(|e| progress.pass(&e.act));
        progress.part(&events[event].act)
    }
    fn set(&self, stage: &mut Stage) -> Sure<()> {
        let sources = sized(stage, 0..self.batch.0, self.batch.1)?;
        stage.world.enrol(0, &sources)?;
        stage.world.units[0].close()?;
        stage.speak_plainly()
    }
    fn tracing(&self, stage: &Stage) -> Tracing {
        stage.at_centre().with_data()
    }
    fn within(&self) -> Option<&'static str> {
        self.uploads.then_some("staging")
    }
    fn budget(&self) -> usize {
        if self.uploads { 20 } else { BUDGET }
    }
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<()> {
        let world = &mut stage.world;
        world.centre.sabotage(self.switches)?;
        if let Err(why) = world.centre.serve_traced(tracing) {
            // while it started
            return if tracing.traced()?.hit().is_some() { Ok(()) } else { Err(why) };
        }
        let unit = &world.units[0];
        unit.link.plug(world.centre.address()?);
        if self.uploads {
            unit.link.cut_after(BREAK);
        }
        for _ in 0..4 {
            let ran = world.units[0].run(&["sync", "--tries", "1"])?;
            if !matches!(ran.exit, Some(0 | 1 | 3 | 4 | 5)) {
                return Err(ran.broken("a centre under fire"));
            }
            let settled = || Ok::<_, tests::world::Broken>(world.units[0].records()?.values().all(|s| s.state == "merged"));
            if world.centre.has_died()? || settled()? {
                break;
            }
        }
        world.units[0].link.cut_after(0);
        world.centre.end()
    }
    fn recorded(&self, traced: &Traced) -> Sure<()> {
        each_promise_was_told(traced)?;
        if self.uploads { goes_to_the_disk_on_the_way(traced) } else { Ok(()) }
    }
    fn go_on(&self, stage: &mut Stage, (): &(), traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>> {
        verdict.undetected.extend(broken_by_centre(&traced.events));
        stage.world.centre.sabotage(&[])?;
        verdict.lost.extend(receipts_beyond_the_guard(stage)?);
        let digest = to_the_end(stage, usize::try_from(self.batch.0)?, verdict)?;
        if traced.hit().is_none() {
            rebuilt_the_same(stage, &digest, verdict)?;
        }
        Ok(Some(digest))
    }
}

/// A run without a fault tells everything that is judged: an answer that could not be read would be no promise.
fn each_promise_was_told(traced: &Traced) -> Sure<()> {
    let told: BTreeSet<Promise> = traced.events.iter().flat_map(promises).collect();
    let sizes = told.iter().filter(|p| matches!(p, Promise::Log(_))).count();
    let offset = told.iter().any(|p| matches!(p, Promise::Offset(_)));
    if offset && told.iter().any(|p| matches!(p, Promise::Answer(_))) && sizes >= 2 {
        Ok(())
    } else {
        Err(Broken(format!("told: {told:?}")))
    }
}

/// A sync of a payload behind which more of it is written before a mark is; and an offset that is not its end. On a machine
/// so busy that an upload takes seconds, the marks of each second come first.
fn goes_to_the_disk_on_the_way(traced: &Traced) -> Sure<()> {
    let kind = |act: &Does| act.paths().next().filter(|p| p.starts_with("staging/")).and_then(|p| Some(p.rsplit_once('.')?.1.to_owned()));
    let acts = traced.events.iter().filter_map(|e| Some((kind(&e.act)?, &e.act)));
    let acts: Vec<(String, &Does)> = acts.filter(|(kind, _)| kind == "payload" || kind == "mark").collect();
    let is_sync = |(kind, act): &(String, &Does)| kind == "payload" && matches!(act, Does::Sync { .. });
    let is_write = |(kind, act): &(String, &Does)| kind == "payload" && act.is_write();
    let on_the_way = acts.windows(2).any(|two| is_sync(&two[0]) && is_write(&two[1]));
    let offsets: BTreeSet<Promise> = traced.events.iter().flat_map(promises).filter(|p| matches!(p, Promise::Offset(_))).collect();
    if on_the_way && offsets.len() >= 2 { Ok(()) } else { Err(Broken(format!("no sync on the way, or no offset: {offsets:?}"))) }
}

/// Receipts that the unit holds, of entries that are not under the guard.
fn receipts_beyond_the_guard(stage: &Stage) -> Sure<Vec<String>> {
    let head = fs::read_to_string(stage.world.centre.data.join("guard/head"))?;
    let size: u64 = head.split(' ').next().unwrap_or_default().parse()?;
    let receipts = stage.world.units[0].run(&["receipt", "verify"])?;
    let beyond = receipts.of("receipt").filter_map(|r| r["index"].as_u64()).filter(|index| *index >= size);
    Ok(beyond.map(|index| format!("{BEYOND}: entry {index} of {size}")).collect())
}
const BEYOND: &str = "a receipt is not under the guard";

/// Promises 2 and 4: whatever act the centre is struck at, a receipt that a unit holds stays true, and nothing takes
/// effect twice.
#[test]
fn promise_02_a_receipt_outlives_kill_9_of_ingest_sequencing_and_merge() -> Sure<()> {
    if is_missing() {
        return Ok(());
    }
    let parts = campaign(&Serving::default())?;
    for part in ["start", "ingest", "sequence", "apply", "merge", "stop"] {
        assert!(parts.get(part).is_some_and(|t| t.struck() > 0), "nothing struck {part}");
    }
    Ok(())
}

/// Promise 2, for bytes before there is a receipt: of an upload that is too large to wait for its one sync at the end.
#[test]
fn promise_02_an_offset_outlives_faults_of_a_large_upload() -> Sure<()> {
    if is_missing() {
        return Ok(());
    }
    let act = Serving { batch: (3, Size::Large), uploads: true, ..Serving::default() };
    let parts = campaign(&act)?;
    assert!(parts.get("upload").is_some_and(|t| t.struck() > 0), "nothing struck an upload");
    Ok(())
}

/// The guard learns of a round late: struck at the rename of its head, a receipt has left.
#[test]
fn sabotage_receipt_before_guard_is_found_out() -> Sure<()> {
    if is_missing() || sabotage_is_missing() {
        return Ok(());
    }
    let act = Serving { switches: &["receipt-before-guard"], ..Serving::default() };
    let mut wrong = Vec::new();
    // the second time, as a rule: what is logged before the batch moves the guard, too
    for after in [1, 0, 2] {
        let trigger = Trigger { within: Some("guard/head".into()), after, ..Trigger::default() };
        let point = Point { trigger, event: 0, durable: true };
        wrong.extend(struck(&act, &Strike { point, fault: Fault::Kill })?);
        if wrong.iter().any(|w| w.contains(BEYOND)) {
            return Ok(());
        }
    }
    Err(Broken(format!("nothing told of it: {wrong:?}")))
}
