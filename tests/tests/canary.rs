//! Canary scans: what a thief finds on a unit's raw disk, in intake and archive, in swap and in the memory of a process.
//!
//! Promise 10: nobody who is finished or discarded; open drafts, review cards of records that are not closed and contact
//! cards of records that are not merged, and those only with passphrases. Each search has a control that it must find.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Stdio},
};

use enroll_client::vault::records::Card;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use shared::sample::Resident;
use tests::{
    canary::{Canary, Disk, Needles, Thief, Trace, WITH_CORES, folder_bytes, memory_of, names, swap_spaces, writes_cores},
    skipped::skip,
    world::{Broken, Finished, Plan, Source, Sure, Unit, World, path_text, sabotage_is_missing, until},
};

/// A unit on a disk of its own, and people whose traces would be known.
struct Scene {
    // before the world: the disk is unmounted before its folder goes
    disk: Disk,
    needles: Needles,
    people: Vec<Canary>,
    world: World,
}

impl Scene {
    fn new(people: u64) -> Sure<Self> {
        let mut world = World::new(&Plan::default())?;
        let disk = Disk::prepare(&world.path().join("van-1.img"), &world.path().join("van-1"))?;
        world.join(1)?;
        let people = (0..people).map(Canary::new).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { disk, needles: Needles::of(&people), people, world })
    }

    fn unit(&self) -> &Unit {
        &self.world.units[0]
    }

    fn source(&self, n: usize) -> Sure<Source> {
        self.people[n].source(&self.world.path().join("residents"))
    }

    fn enrol(&mut self, n: usize) -> Sure<Finished> {
        let source = self.source(n)?;
        Ok(self.world.enrol(0, &[source])?.remove(0))
    }

    /// A draft at the keyboard, with everything in it.
    fn draft(&self, n: usize) -> Sure<String> {
        let (unit, source) = (self.unit(), self.source(n)?);
        let resident = &self.people[n].resident;
        let draft = unit.agent(&["draft", "new", resident.input.form.as_str()])?.ok()?.text("draft")?;
        let fields: Vec<String> =
            resident.input.person.iter().map(|(field, value)| format!("{field}={}", value.as_deref().unwrap_or_default())).collect();
        let set: Vec<&str> = ["draft", "set", &draft].into_iter().chain(fields.iter().map(String::as_str)).collect();
        unit.agent(&set)?.ok()?;
        for part in &resident.input.parts {
            let file = source.folder.join(part.file.as_str());
            unit.agent(&["draft", "attach", &draft, &part.position, path_text(&file)?])?.ok()?;
        }
        fs::remove_dir_all(source.folder)?;
        Ok(draft)
    }

    /// A thief with the passphrase of: `nobody`, `agent`, `supervisor`, `both`.
    fn thief(&self, whose: &str) -> Sure<Thief> {
        let [agent, supervisor] = [&*self.unit().passphrase, &*self.unit().supervisor_passphrase];
        let both = [agent, supervisor];
        let passphrases = match whose {
            "nobody" => &both[..0],
            "agent" => &both[..1],
            "supervisor" => &both[1..],
            _ => &both,
        };
        Thief::of(self.unit(), passphrases)
    }

    /// Nobody can be read on the disk, free space included.
    fn nothing_readable(&self, when: &str) -> Sure<Vec<u8>> {
        let raw = self.disk.raw()?;
        assert_eq!(self.needles.search(&raw[..])?, BTreeSet::new(), "{when}");
        Ok(raw)
    }
}

#[test]
fn promise_10_a_stolen_laptop_with_all_passphrases_tells_of_nobody_finished() -> Sure<()> {
    let mut scene = Scene::new(7)?;
    // 0 and 1 go all the way, one of them from a draft; the upload breaks in the middle
    let mut merged = vec![scene.enrol(0)?];
    let draft = scene.draft(1)?;
    let done = scene.unit().agent(&["finish", &draft, "--yes"])?.ok()?;
    merged.push(scene.unit().finished(done.summary(), Some(1))?);
    let mut drafts = vec![draft];
    scene.unit().close()?;
    let payload = scene.unit().batches()?[0]["bytes"].as_u64().unwrap_or_default();
    scene.unit().link.cut_after(payload * 9 / 10);
    scene.unit().run(&["sync", "--tries", "1"])?;
    let staging = until("control: a part of the upload is there", || {
        let bytes = folder_bytes(&scene.world.centre.data.join("staging"))?;
        Ok((bytes.len() as u64 > payload / 8).then_some(bytes))
    })?;
    assert_eq!(scene.needles.search(&staging[..])?, BTreeSet::new(), "intake");
    scene.unit().settle()?;
    // 2 is closed and stays here; 3 waits for close; 4 is discarded; 5 is open
    scene.world.unplug()?;
    let closed = scene.enrol(2)?;
    scene.unit().close()?;
    let waiting = scene.enrol(3)?;
    let discarded = scene.draft(4)?;
    scene.unit().agent(&["draft", "discard", &discarded, "--yes"])?.ok()?;
    let open = scene.draft(5)?;
    drafts.extend([discarded, open.clone()]);

    let raw = scene.nothing_readable("with an open draft, an open batch and one on its way")?;
    let of = |card: &str, f: &Finished| format!("{card} {}", f.record);
    let open_draft = BTreeSet::from([format!("draft {open}")]);
    let cards = BTreeSet::from([of("review", &waiting), of("contact", &waiting), of("contact", &closed)]);
    let allowed: BTreeSet<String> = open_draft.union(&cards).cloned().collect();
    for (who, opens) in [("nobody", &BTreeSet::new()), ("agent", &open_draft), ("supervisor", &cards), ("both", &allowed)] {
        let thief = scene.thief(who)?;
        assert_eq!(thief.carve(&raw, &drafts)?, *opens, "{who}: exactly what promise 10 names");
        // what a thief may open has their name in it, so it is no dummy
        let draft = thief.draft(&open)?;
        assert_eq!(draft.is_some(), !opens.is_disjoint(&open_draft), "{who}");
        assert!(draft.is_none_or(|text| text.contains(scene.people[5].name())), "control: the open draft");
        for (record, which, name, person) in
            [(&waiting, Card::Review, "review", 3), (&waiting, Card::Contact, "contact", 3), (&closed, Card::Contact, "contact", 2)]
        {
            let card = thief.card(&record.number, which)?;
            assert_eq!(card.is_some(), opens.contains(&of(name, record)), "{who}: {name}");
            assert!(card.is_none_or(|text| text.contains(scene.people[person].name())), "control: the {name} card");
        }
        for (record, which) in [(&closed, Card::Review), (&merged[0], Card::Review), (&merged[0], Card::Contact)] {
            assert_eq!(thief.card(&record.number, which)?, None, "{who}: over for everybody");
        }
        for discarded in drafts.iter().filter(|draft| **draft != open) {
            assert_eq!(thief.draft(discarded)?, None, "{who}: finished or discarded");
        }
    }

    // a copy of the key file that somebody left behind would give the cards away: the carving sees it, wherever it lies
    let unit = scene.unit();
    let left = unit.data.join("left-behind");
    fs::copy(unit.data.join("vault.keys"), &left)?;
    scene.unit().close()?;
    scene.world.serve()?;
    scene.unit().settle()?;
    let raw = scene.nothing_readable("after close and merge")?;
    assert_eq!(scene.thief("both")?.carve(&raw, &drafts)?, allowed, "control: all of it is in the copy");
    assert_eq!(scene.thief("nobody")?.carve(&raw, &drafts)?, BTreeSet::new(), "and a copy without a passphrase is none");
    // overwritten in place, as the vault does with its own slots
    let length = fs::metadata(&left)?.len();
    fs::File::options().write(true).open(&left)?.write_all(&vec![0; usize::try_from(length)?])?;
    let raw = scene.nothing_readable("after close and merge")?;
    assert_eq!(scene.thief("supervisor")?.carve(&raw, &drafts)?, BTreeSet::new(), "after close and merge no card either");
    assert_eq!(scene.thief("both")?.carve(&raw, &drafts)?, open_draft, "only the open draft is left");
    scene.unit().agent(&["draft", "discard", &open, "--yes"])?.ok()?;
    let raw = scene.nothing_readable("with nobody open")?;
    assert_eq!(scene.thief("both")?.carve(&raw, &drafts)?, BTreeSet::new());

    planted(&scene)?;
    archive(&scene)?;
    swap(&scene.needles)
}

/// The control of the disk: a file that somebody wrote beside the vault, and deleted.
fn planted(scene: &Scene) -> Sure<()> {
    let file = scene.unit().data.join("planted");
    fs::write(&file, scene.people[6].resident.input.to_json())?;
    fs::File::open(&file)?.sync_all()?;
    if matches!(scene.disk, Disk::Mounted { .. }) {
        fs::remove_file(&file)?;
    }
    let found = scene.needles.search(&scene.disk.raw()?[..])?;
    assert!(found.len() == 7 && found.iter().all(|t| t.canary == 6), "the planted one, in free space: {found:?}");
    Ok(())
}

/// A stolen archive tells of nobody; the registry, on another disk, is the control.
fn archive(scene: &Scene) -> Sure<()> {
    let data = &scene.world.centre.data;
    for folder in ["archive", "staging", "guard"] {
        let bytes = folder_bytes(&data.join(folder))?;
        assert_eq!(scene.needles.search(&bytes[..])?, BTreeSet::new(), "{folder}");
    }
    let registry: BTreeSet<u64> = scene.needles.search(&folder_bytes(data)?[..])?.iter().map(|t| t.canary).collect();
    assert_eq!(registry, BTreeSet::from([0, 1, 2, 3]), "control: those who were merged");
    Ok(())
}

fn swap(needles: &Needles) -> Sure<()> {
    let spaces = swap_spaces()?;
    if spaces.is_empty() {
        skip("in part: no swap on this machine");
    }
    for space in spaces {
        let Ok(device) = fs::File::open(&space) else {
            skip(format_args!("in part: {} may not be read", space.display()));
            continue;
        };
        let found = needles.search(device)?;
        assert_eq!(found, BTreeSet::new(), "{}", space.display());
    }
    Ok(())
}

/// A session, driven line by line.
struct Keyboard {
    child: Child,
    out: std::io::Lines<BufReader<ChildStdout>>,
}

impl Keyboard {
    /// Under these words, in its data folder.
    fn start(unit: &Unit, under: &[&str]) -> Sure<Self> {
        let args = unit.as_agent(&["session"])?;
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = if under.is_empty() { unit.program().command(&args) } else { unit.program().command_under(under, &args) };
        let mut child = command.current_dir(&unit.data).stdin(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let out = BufReader::new(child.stdout.take().ok_or_else(|| Broken("no standard output".into()))?).lines();
        Ok(Self { child, out })
    }

    /// Types a line and waits for its summary.
    fn types(&mut self, text: &str) -> Sure<Value> {
        let stdin = self.child.stdin.as_mut().ok_or_else(|| Broken("no standard input".into()))?;
        writeln!(stdin, "{text}")?;
        stdin.flush()?;
        loop {
            let line = self.out.next().ok_or_else(|| Broken(format!("the session ended in `{text}`")))??;
            let line: Value = serde_json::from_str(&line)?;
            match line["message_type"].as_str() {
                Some("summary") => return Ok(line),
                Some("error") => return Err(Broken(line.to_string())),
                _ => {}
            }
        }
    }

    fn traces(&self, needles: &Needles) -> Sure<BTreeSet<Trace>> {
        let memory = memory_of(self.child.id())?;
        assert!(memory.windows(10).any(|w| w == b"--data-dir"), "control: its arguments are there");
        needles.search(&memory[..])
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Between two residents the process that enrols has nobody in memory, and it leaves no core dump.
#[test]
fn promise_10_a_session_forgets_each_resident_and_leaves_no_core_dump() -> Sure<()> {
    let scene = Scene::new(2)?;
    let (folder, draft) = (scene.source(0)?.folder, scene.draft(1)?);
    let data = &scene.unit().data;
    let mut keyboard = Keyboard::start(scene.unit(), with_cores(data)?)?;
    keyboard.types(&format!("enrol --yes --remove-source {}", path_text(&folder)?))?;
    assert_eq!(keyboard.traces(&scene.needles)?, BTreeSet::new(), "after enrol");
    keyboard.types(&format!("draft show {draft}"))?;
    assert_eq!(keyboard.traces(&scene.needles)?, BTreeSet::new(), "after draft show");
    let village = &scene.people[1].resident.input.person["village"];
    keyboard.types(&format!("draft set {draft} village={}", village.as_deref().unwrap_or_default()))?;
    assert_eq!(keyboard.traces(&scene.needles)?, BTreeSet::new(), "after a line with a name in it");
    let process = i32::try_from(keyboard.child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| Broken("no process id".into()))?;
    let before = names(&scene.unit().data)?;
    kill_process(process, Signal::ABORT)?;
    let ended = keyboard.child.wait()?;
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(6), false));
    let left: Vec<_> = names(&scene.unit().data)?.difference(&before).cloned().collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "a core file by whatever name");
    scene.nothing_readable("after the session was ended by SIGABRT")?;
    Ok(())
}

/// What goes before a program so that it would leave a core file in `folder`; nothing, and it is said, where none is
/// written whatever one does.
fn with_cores(folder: &Path) -> Sure<&'static [&'static str]> {
    if writes_cores(folder, "control-of-the-cores")? {
        return Ok(&WITH_CORES);
    }
    skip("in part: no process leaves a core file here (limit, or kernel.core_pattern): that ours doesn't shows nothing");
    Ok(&[])
}

/// Nor does a server that is ended while it holds an opened record. A record that keeps its opener busy makes it hold
/// one for as long as it takes to look; it is in a test build only.
#[test]
fn promise_10_a_server_that_holds_an_opened_record_leaves_no_core_dump() -> Sure<()> {
    if sabotage_is_missing() {
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 1)?;
    let mut canary = Canary::new(0)?;
    canary.resident.input.person.insert("given_latin".into(), Some("Poison".into()));
    world.unplug()?;
    world.enrol(0, &[canary.source(&world.path().join("residents"))?])?;
    world.units[0].close()?;
    // `Poison` is no name that only this person has
    let needles = Needles::of(&[Canary { resident: without_given_name(canary.resident), ..canary }]);
    let folder = world.path().join("cores");
    fs::create_dir(&folder)?;
    let shell = format!("cd '{}' && exec \"$@\"", path_text(&folder)?);
    let under: Vec<&str> = ["sh", "-c", &shell, "sh"].into_iter().chain(with_cores(&folder)?.iter().copied()).collect();
    world.centre.sabotage(&["poison-spin"])?;
    world.serve_under(&under)?;
    world.units[0].run(&["sync", "--tries", "1"])?;
    let server = world.centre.pid()?;
    until("control: the server holds an opened record", || Ok((!needles.search(&memory_of(server)?[..])?.is_empty()).then_some(())))?;
    let process = i32::try_from(server).ok().and_then(Pid::from_raw).ok_or_else(|| Broken("no process id".into()))?;
    kill_process(process, Signal::ABORT)?;
    until("the server's end", || Ok(world.centre.has_died()?.then_some(())))?;
    assert_eq!(names(&folder)?, BTreeSet::new(), "a core file by whatever name");
    assert_eq!(needles.search(&folder_bytes(&world.centre.data.join("archive"))?[..])?, BTreeSet::new());
    Ok(())
}

fn without_given_name(mut resident: Resident) -> Resident {
    resident.input.person.remove("given_latin");
    resident
}

/// What sends has nobody in memory at all: records are sealed before they come to it.
#[test]
fn promise_10_sync_never_has_a_resident_in_memory() -> Sure<()> {
    let mut scene = Scene::new(1)?;
    scene.enrol(0)?;
    scene.unit().close()?;
    let mut sync = scene.unit().program().command(&["sync", "--rate", "4000"]).stdout(Stdio::null()).spawn()?;
    let looked = until("the upload is under way", || Ok((scene.unit().link.carried() > 6000).then(|| memory_of(sync.id()))));
    sync.kill()?;
    sync.wait()?;
    let memory = looked??;
    assert!(memory.windows(6).any(|w| w == b"--rate"), "control: its arguments are there");
    assert_eq!(scene.needles.search(&memory[..])?, BTreeSet::new());
    Ok(())
}
