//! The tracer sees every call that strace sees.

use std::{collections::BTreeMap, process::Command};

use tests::{
    faults::Stage,
    skipped::skip,
    tracer::is_missing,
    world::{Program, Sure, path_text},
};

use super::{residents, traced};

const CALLS: &str = "fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,pwrite64,write,ftruncate";

#[test]
fn the_tracer_counts_what_strace_counts() -> Sure<()> {
    let strace_is_missing = Command::new("strace").arg("-V").output().is_err();
    if strace_is_missing {
        skip("strace is not installed");
    }
    if is_missing() || strace_is_missing {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let mut stage = Stage::new(&folder.path().join("stage"))?;
    let sources = residents(&stage, 0..1)?;
    stage.save()?;
    let unit = &stage.world.units[0];
    let args = unit.as_agent(&["enrol", "--yes", path_text(&sources[0].folder)?])?;
    let tracing = stage.at_unit();
    traced(unit.program(), &tracing, &args)?.ok()?;
    let mut ours = BTreeMap::new();
    for event in tracing.traced()?.events.iter().filter(|e| e.act.paths().next().is_some() && CALLS.split(',').any(|c| c == e.call)) {
        *ours.entry(event.call.clone()).or_insert(0) += 1;
    }
    stage.restore()?;
    let out = stage.beside("strace");
    let wrapper = ["strace", "-f", "-y", "-qq", "-o", path_text(&out)?, "-e", &format!("trace={CALLS}")].map(str::to_owned);
    let (wrapper, args): (Vec<&str>, Vec<&str>) = (wrapper.iter().map(String::as_str).collect(), args.iter().map(String::as_str).collect());
    Program::end(stage.world.units[0].program().command_under(&wrapper, &args), &args)?.ok()?;
    let (text, data) = (std::fs::read_to_string(&out)?, path_text(&stage.world.units[0].data)?);
    let mut theirs = BTreeMap::new();
    // a file is named by its descriptor or by its path
    for line in text.lines().filter(|l| l.contains(data)) {
        let call = line.split_whitespace().nth(1).and_then(|w| w.split('(').next()).unwrap_or_default();
        *theirs.entry(call.to_owned()).or_insert(0) += 1;
    }
    assert!(ours.values().sum::<i32>() > 20, "{ours:?}");
    assert_eq!(ours, theirs);
    Ok(())
}
