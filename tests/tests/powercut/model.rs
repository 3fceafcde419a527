//! The explorer on made-up logs: it must find what is known to be wrong, and nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tests::{
    powercut::{
        Campaign, Dice, Disk, Figures,
        Operation::{self, Create, Folder, Remove, Rename, Resize, Said, Sync, Write},
        Reach, Recovery, State,
    },
    world::{Broken, Sure},
};

const OLD: &[u8] = b"old";
const NEW: [u8; 3000] = [b'n'; 3000];

/// A file is the old one or the new one, and the new one once that was said.
struct OldOrNew;

impl Recovery for OldOrNew {
    fn check(&self, folder: &Path, said: &[&str], _: usize) -> Sure<()> {
        let found = fs::read(folder.join("f/x")).unwrap_or_default();
        let holds = found == NEW || (found == OLD && said.is_empty());
        if holds { Ok(()) } else { Err(Broken(format!("{} bytes, said {}", found.len(), said.len()))) }
    }
}

fn path(text: &str) -> PathBuf {
    text.into()
}
fn write(to: &str) -> Operation {
    Write { path: path(to), at: 0, bytes: NEW.as_slice().into() }
}
fn sync(what: &str) -> Operation {
    Sync(path(what))
}
fn rename() -> Operation {
    Rename { from: path("f/x.new"), to: path("f/x") }
}

fn explored(operations: &[Operation]) -> Figures {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("f")).expect("made");
    fs::write(folder.path().join("f/x"), OLD).expect("written");
    let before = Disk::of(folder.path(), |_| false).expect("read");
    let campaign = Campaign::new("recipe", before, operations.to_vec(), |_| false);
    // one thread: with two, which of them is late decides when nothing new comes any more
    campaign.explore(&OldOrNew, Reach { states: 400, seed: 7, threads: 1 }).expect("explored")
}

#[test]
fn the_four_steps_hold_and_each_of_them_is_needed() {
    let recipe = [Create(path("f/x.new")), write("f/x.new"), sync("f/x.new"), rename(), sync("f"), Said("done".into())];
    let figures = explored(&recipe);
    assert_eq!(figures.violations, [""; 0], "{figures:?}");
    assert!(figures.states > 20, "{figures:?}");
    for (step, what) in [(2, "fsync of the file"), (4, "fsync of the folder")] {
        let mut without = recipe.to_vec();
        without.remove(step);
        assert!(!explored(&without).violations.is_empty(), "{what}");
    }
    let in_place = [Resize { path: path("f/x"), size: 0 }, write("f/x"), sync("f/x"), Said("done".into())];
    assert!(!explored(&in_place).violations.is_empty(), "in place");
}

/// Every state that turns 0 to 39 give: names, and bytes of one file.
fn states(operations: &[Operation], file: &str) -> Vec<Option<Vec<u8>>> {
    let mut disk = Disk::default();
    for operation in operations {
        disk.act(operation);
    }
    let found = (0..40).map(|turn| State::after(&disk, turn, &mut Dice::new(3, 1, turn)).file(file).map(<[u8]>::to_vec));
    found.collect()
}

#[test]
fn a_name_is_durable_with_its_folder_only() {
    let new = [Folder(path("f")), Create(path("f/x")), write("f/x"), sync("f/x")];
    assert!(states(&new, "f/x").contains(&None), "syncing a file keeps no name");
    let named = [&new[..], &[sync("f")]].concat();
    assert!(states(&named, "f/x").contains(&None), "nor does a folder that has no durable name");
    let kept = [&named[..], &[sync("")]].concat();
    assert!(states(&kept, "f/x").iter().all(|s| s.as_deref() == Some(&NEW)));
    let gone = [&kept[..], &[Remove(path("f/x"))]].concat();
    let found = states(&gone, "f/x");
    assert!(found.contains(&None) && found.contains(&Some(NEW.to_vec())), "a removal is volatile, too");
}

#[test]
fn a_rename_shows_the_old_name_or_the_new_one() {
    let made = [Folder(path("f")), Folder(path("g")), sync(""), Create(path("f/x")), write("f/x"), sync("f/x"), sync("f")];
    let moved = [&made[..], &[Rename { from: path("f/x"), to: path("g/y") }]].concat();
    let both: Vec<_> = states(&moved, "f/x").into_iter().zip(states(&moved, "g/y")).collect();
    assert!(both.iter().all(|(old, new)| old.is_some() != new.is_some()), "never none, never both");
    assert!(both.iter().any(|(old, _)| old.is_some()) && both.iter().any(|(_, new)| new.is_some()));
    let synced = [&moved[..], &[sync("g")]].concat();
    assert!(states(&synced, "g/y").iter().all(Option::is_some));
}

#[test]
fn writes_are_kept_lost_and_torn_at_sectors() {
    let started = [Create(path("x")), sync(""), write("x")];
    let found: Vec<Vec<u8>> = states(&started, "x").into_iter().flatten().collect();
    assert_eq!(found.len(), 40, "the name is durable");
    assert!(found.iter().any(Vec::is_empty) && found.contains(&NEW.to_vec()));
    let torn: Vec<&Vec<u8>> = found.iter().filter(|f| !f.is_empty() && **f != NEW).collect();
    assert!(torn.len() > 3, "{}", torn.len());
    for state in torn {
        let whole = |sector: &[u8]| sector.iter().all(|&b| b == b'n') || sector.iter().all(|&b| b == 0);
        assert!(state.chunks(512).all(whole), "a sector is there or it is not");
    }
}
