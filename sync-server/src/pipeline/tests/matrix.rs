//! Failure matrix of stores: every durable act of the centre × {failed and not done, failed but done, cut half-way,
//! late, broken off before, broken off after} × {the process goes on, it dies}; then what units and staff do anyway:
//! they come again.
//!
//! Which acts there are is counted in a run without faults. After each run: the same registry, every receipt that was
//! given still holds, nothing is lost, logged or said twice, and `fsck` finds nothing. The short form tries every call
//! of every act, in the ways that differ most, and all ways of the first calls; `ENROLMENT_FAULTS=full` tries all ways
//! of all, and lets every read fail, too.
#![allow(clippy::disallowed_methods, reason = "tests act as disk and operator")]

mod story;

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;
use shared::id::Digest;
use tokio::runtime::{Builder, Runtime};

use self::story::{Process, Story};
use crate::{
    figures,
    store::faulty::{AS_A_FAULT, Faults, How, PARTS, Plan, Then},
};

/// How often units and staff come again: a fault is met once, so the second time nothing is in the way; a third for
/// what may be tried again only later.
const TRIES: usize = 4;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Lives through the story with these faults, as often as it takes, then checks what is left; gives the registry's digest.
async fn live(story: &Arc<Story>, faults: &Faults, plan: Option<Plan>) -> Digest {
    let site = Arc::new(story.site());
    let (mut present, mut last): (Option<Arc<Process>>, _) = (None, None);
    let together = plan.is_some_and(|plan| plan.how == How::Late);
    for attempt in 0..TRIES {
        let process = if let Some(process) = present.take() {
            process
        } else {
            let faults = if faults.dead() { Faults::default() } else { faults.clone() };
            // a panic while starting ends the process, like any other end
            let started = tokio::spawn(Process::start(site.clone(), faults)).await;
            site.later();
            let Ok(Ok(process)) = started else { continue };
            Arc::new(process)
        };
        let lived = tokio::spawn(story.clone().live(site.clone(), process.clone(), together)).await;
        site.later();
        match lived {
            Ok(Ok(())) => {
                process.end().await;
                return story.check(&site).await;
            }
            Ok(Err(problem)) => last = Some(problem),
            Err(_panic) => {}
        }
        // what broke off may be held for hours, until somebody starts the server again
        if faults.dead() || attempt > 0 {
            process.end().await;
        } else {
            present = Some(process);
        }
    }
    panic!("{plan:?}: not over after {TRIES} tries: {last:?}");
}

/// A story, what its registry comes to, and the names and numbers of its acts and reads.
pub(super) struct Told {
    story: Arc<Story>,
    digest: Digest,
    faults: Faults,
}

pub(super) fn told() -> Told {
    let story = Arc::new(runtime().block_on(Story::new()));
    let faults = Faults::default();
    let digest = runtime().block_on(live(&story, &faults, None));
    Told { story, digest, faults }
}

/// Calls of an act whose every way belongs to the short form; later ones are the same step for another batch.
const FIRST: u64 = 2;

fn ways(name: &str, call: u64, full: bool) -> Vec<(How, Then)> {
    // of later calls, in turn: the one that was not done and is tried again, the one that nobody learns of
    let mut ways = if call.is_multiple_of(2) { vec![(How::Undone, Then::Lives)] } else { vec![(How::Done, Then::Dies)] };
    if full || call <= FIRST {
        ways = vec![(How::Panic, Then::Lives), (How::PanicDone, Then::Lives), (How::Late, Then::Lives)];
        for then in [Then::Lives, Then::Dies] {
            ways.extend([(How::Undone, then), (How::Done, then)]);
        }
    }
    if PARTS.contains(&name) {
        ways.extend([(How::Cut, Then::Lives), (How::Cut, Then::Dies)]);
    }
    ways
}

/// Every act of one seam.
fn matrix(seam: &str) {
    quiet();
    let Told { story, digest, faults } = told();
    let full = std::env::var("ENROLMENT_FAULTS").is_ok_and(|faults| faults == "full");
    let mut plans = Vec::new();
    let mut add = |name, call, ways: Vec<(How, Then)>| plans.extend(ways.into_iter().map(|(how, then)| Plan { name, call, how, then }));
    for (name, calls) in faults.acts() {
        (1..=calls).for_each(|call| add(name, call, ways(name, call, full)));
    }
    for (name, calls) in faults.reads().into_iter().filter(|_| full) {
        (1..=calls).for_each(|call| add(name, call, vec![(How::Undone, Then::Lives), (How::Panic, Then::Lives)]));
    }
    plans.retain(|plan| plan.name.starts_with(seam));
    let mut unmet = Vec::new();
    for &plan in &plans {
        let faults = Faults::of(plan);
        let found = runtime().block_on(live(&story, &faults, Some(plan)));
        // where units act together, another one may have been first
        if !faults.met() && plan.how != How::Late {
            unmet.push(plan);
        }
        assert_eq!(found, digest, "{plan:?}");
    }
    // how many outcomes share a segment differs from run to run, and with it how many segments there are: some of the last
    // are not made again
    assert!(unmet.len() * 10 <= plans.len() && unmet.iter().all(|plan| plan.call > FIRST), "not met: {unmet:?}");
    let calls = plans.iter().map(|plan| (plan.name, plan.call)).collect::<BTreeSet<_>>().len();
    let met = plans.len() - unmet.len();
    // all of them ended as without a fault, else this is not reached
    let line =
        json!({ "message_type": "stores", "campaign": seam, "calls": calls, "combinations": met, "unmet": unmet.len(), "violations": 0 });
    figures::tell("stores", line);
    assert!(calls > 0, "{seam}: no act");
}

#[test]
fn a_manifest_that_rots_in_staging_is_taken_from_its_unit_again() {
    let story = Arc::new(runtime().block_on(Story::new()));
    let length = story.manifest_length();
    for from_end in [5, 60, length / 2, length - 3] {
        let site = Arc::new(story.site());
        runtime().block_on(async {
            let process = Arc::new(Process::start(site.clone(), Faults::default()).await.expect("started"));
            story.rot(&site, &process, from_end).await;
            process.end().await;
        });
    }
}

/// The panics that are wanted are not told.
fn quiet() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some(AS_A_FAULT) {
            tell(info);
        }
    }));
}

#[test]
fn an_archive_that_lies_about_a_segment_is_found_out() {
    quiet();
    let Told { story, faults, .. } = told();
    let mut met = 0;
    for call in 1..=faults.acts()["Archive::put_segment"] {
        let plan = Plan { name: "Archive::put_segment", call, how: How::Lie, then: Then::Lives };
        let faults = Faults::of(plan);
        let lived = runtime().block_on(async {
            tokio::spawn({
                let (story, faults) = (story.clone(), faults.clone());
                async move { live(&story, &faults, Some(plan)).await }
            })
            .await
        });
        if !faults.met() {
            continue; // more shared a segment in this run than in the one that was counted
        }
        met += 1;
        let told = lived.err().map(tokio::task::JoinError::into_panic);
        let told = told.as_ref().and_then(|panic| panic.downcast_ref::<String>()).cloned().unwrap_or_default();
        assert!(told.contains("archive-missing") || told.contains("guard-ahead"), "segment {call}: {told}");
    }
    assert!(met > 1, "{met} of the segments were lied about");
}

/// The acts that the wrapper knows, as its source names them.
fn known() -> BTreeSet<String> {
    let mut seam = "";
    let mut known = BTreeSet::new();
    for line in include_str!("../../store/faulty.rs").lines().map(str::trim) {
        let quoted = line.split('"').nth(1).unwrap_or_default();
        if line.starts_with("seam! {") {
            seam = quoted;
        } else if let Some((name, _)) = line.strip_prefix("act ").and_then(|rest| rest.split_once('(')) {
            known.insert(format!("{seam}::{name}"));
        } else if (line.contains(".act(\"") || line.contains(".acts, \"")) && quoted.contains("::") {
            known.insert(quoted.to_owned());
        }
    }
    known
}

#[test]
fn the_story_calls_every_act() {
    let called: BTreeSet<String> = told().faults.acts().into_keys().map(str::to_owned).collect();
    let known = known();
    assert!(known.len() > 15, "the source is read: {known:?}");
    assert_eq!(known, called, "what is never called has never failed");
}

#[test]
fn every_act_of_staging_may_fail_in_every_way() {
    matrix("Staging::");
}

#[test]
fn every_act_of_the_archive_may_fail_in_every_way() {
    matrix("Archive::");
}

#[test]
fn every_act_of_the_guard_may_fail_in_every_way() {
    matrix("Guard::");
}

#[test]
fn every_act_of_the_ledger_may_fail_in_every_way() {
    matrix("Ledger::");
}

#[test]
fn every_act_of_the_registry_may_fail_in_every_way() {
    matrix("Registry::");
}
