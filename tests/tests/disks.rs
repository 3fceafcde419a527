//! Full disks and disks that can only be read: ext4 on a loop device, used by an ordinary account.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use shared::{
    sample::{Sample, Size},
    time::Second,
};
use tests::{
    skipped::skip,
    world::{Broken, Plan, Program, Ran, Sure, World, bins, copy_folder, path_text, write_sources},
};

const NOBODY: u32 = 65_534;

/// Runs what follows as the ordinary account.
fn ordinary() -> [String; 5] {
    ["setpriv".into(), format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into(), "--".into()]
}

/// A small disk, and the programs beside it, for an ordinary account.
struct Disk {
    folder: tempfile::TempDir,
    mounted: bool,
}

impl Disk {
    /// None where this account may not mount.
    fn new(mebibytes: u64) -> Sure<Option<Self>> {
        let folder = tempfile::Builder::new().prefix("enrolment-disk-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let mut disk = Self { folder, mounted: false };
        fs::File::create(disk.path("image"))?.set_len(mebibytes << 20)?;
        fs::create_dir_all(disk.path("disk"))?;
        let made = quiet("mkfs.ext4", &["-q", "-m", "0", path_text(&disk.path("image"))?]);
        let mounted = made && quiet("mount", &["-o", "loop", path_text(&disk.path("image"))?, path_text(&disk.path("disk"))?]);
        if !mounted {
            return Ok(None);
        }
        disk.mounted = true;
        chown(disk.path("disk"), Some(NOBODY), Some(NOBODY))?;
        fs::create_dir_all(disk.path("bin"))?;
        for program in ["enroll-client", "sync-server"] {
            fs::copy(bins()?.join(program), disk.path("bin").join(program))?;
        }
        Ok(Some(disk))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies a folder onto the disk, as the ordinary account's own.
    fn put(&self, from: &Path, name: &str) -> Sure<PathBuf> {
        let to = self.path("disk").join(name);
        copy_folder(from, &to)?;
        let mut folders = vec![to.clone()];
        while let Some(folder) = folders.pop() {
            chown(&folder, Some(NOBODY), Some(NOBODY))?;
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() { folders.push(path) } else { chown(&path, Some(NOBODY), Some(NOBODY))? }
            }
        }
        Ok(to)
    }

    /// A file that the ordinary account may read.
    fn lend(&self, from: &Path) -> Sure<PathBuf> {
        let to = self.path(&from.file_name().unwrap_or_default().to_string_lossy());
        fs::copy(from, &to)?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o644))?;
        Ok(to)
    }

    /// Runs a program as the ordinary account.
    fn run(&self, program: &str, args: &[&str]) -> Sure<Ran> {
        let wrapper = ordinary();
        let mut command = Command::new(&wrapper[0]);
        command.args(&wrapper[1..]).arg(self.path("bin").join(program)).env_clear().current_dir("/").args(args);
        Program::end(command, args)
    }

    fn remount(&self, how: &str) -> Sure<()> {
        if quiet("mount", &["-o", &format!("remount,{how}"), path_text(&self.path("disk"))?]) {
            Ok(())
        } else {
            Err(Broken(format!("remount {how}")))
        }
    }

    /// Fills it to the last byte that the ordinary account gets.
    fn fill(&self) -> Sure<()> {
        self.fill_into("filler")
    }

    /// Once more, with what somebody gave back meanwhile.
    fn fill_more(&self) -> Sure<()> {
        self.fill_into("filler2")
    }

    fn fill_into(&self, name: &str) -> Sure<()> {
        let script = format!("head -c 1000000000 /dev/zero > '{0}' 2>/dev/null; sync '{0}'", self.path("disk").join(name).display());
        let wrapper = ordinary();
        Command::new(&wrapper[0]).args(&wrapper[1..]).args(["sh", "-c", &script]).status()?;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg(self.path("disk")).status();
        }
    }
}

fn quiet(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|out| out.status.success())
}

/// A unit of a world, on the disk: how its commands begin, for the agent and for the supervisor.
struct Laptop {
    disk: Disk,
    data: PathBuf,
    agent: PathBuf,
    supervisor: PathBuf,
}

impl Laptop {
    fn of(world: &World, disk: Disk) -> Sure<Self> {
        let unit = &world.units[0];
        let (agent, supervisor) = (disk.lend(&unit.secret(&unit.agent))?, disk.lend(&unit.secret(&unit.supervisor))?);
        let data = disk.put(&unit.data, "van-1")?;
        Ok(Self { disk, data, agent, supervisor })
    }

    fn run(&self, args: &[&str]) -> Sure<Ran> {
        self.disk.run("enroll-client", &[&["--json", "--data-dir", path_text(&self.data)?][..], args].concat())
    }
    fn agent(&self, args: &[&str]) -> Sure<Ran> {
        self.run(&[&["--as", "agent-1", "--passphrase-file", path_text(&self.agent)?][..], args].concat())
    }
    fn supervisor(&self, args: &[&str]) -> Sure<Ran> {
        self.run(&[&["--as", "supervisor-1", "--passphrase-file", path_text(&self.supervisor)?][..], args].concat())
    }
}

/// Folders of residents that the ordinary account may read.
fn people(disk: &Disk, many: u64) -> Sure<Vec<String>> {
    let sample = Sample::new(5, Second::from_unix(1_790_000_000), Size::Tiny);
    let sources = write_sources(&disk.path("people"), &sample, &(0..many).map(|n| (n, 0)).collect::<Vec<_>>())?;
    quiet("chmod", &["-R", "a+rX", path_text(&disk.path("people"))?]);
    sources.iter().map(|source| path_text(&source.folder).map(str::to_owned)).collect()
}

#[test]
fn a_unit_on_a_full_disk_reads_closes_sends_and_goes_on() -> Sure<()> {
    let Some(disk) = Disk::new(320)? else {
        skip("no loop device may be mounted here");
        return Ok(());
    };
    let people = people(&disk, 3)?;
    let mut world = World::with_units(&Plan::default(), 1)?;
    let laptop = Laptop::of(&world, disk)?;
    laptop.agent(&["enrol", "--yes", &people[0]])?.ok()?;
    assert!(laptop.data.join("reserve").exists());
    laptop.disk.fill()?;
    let status = laptop.run(&["status"])?;
    assert_eq!(
        (status.exit, status.summary()["alarms"][0]["code"].as_str()),
        (Some(1), Some("disk-full")),
        "{:?} {}",
        status.lines,
        status.err
    );
    assert!(!laptop.data.join("reserve").exists(), "what was kept back is given back before the vault is opened");
    // and something else takes that as well
    laptop.disk.fill_more()?;
    laptop.run(&["status"])?.refused("disk-full")?;
    laptop.run(&["sync"])?.refused("disk-full")?;
    fs::remove_file(laptop.disk.path("disk").join("filler2"))?;
    let doctor = laptop.run(&["doctor"])?;
    assert!(doctor.of("check").any(|c| c["what"] == "disk" && c["finding"] == "bad"), "{:?} {}", doctor.lines, doctor.err);
    laptop.agent(&["enrol", "--yes", &people[1]])?.refused("disk-full")?;
    // the way out: closed, sent, and room is made
    laptop.supervisor(&["close"])?.ok()?;
    world.serve()?;
    let synced = laptop.run(&["sync"])?;
    assert_eq!(
        (synced.exit, synced.number("sent_batches")),
        (Some(1), 1),
        "all went, and the alarm stands: {:?} {}",
        synced.lines,
        synced.err
    );
    fs::remove_file(laptop.disk.path("disk").join("filler"))?;
    laptop.agent(&["enrol", "--yes", &people[1]])?.ok()?;
    assert!(laptop.data.join("reserve").exists(), "kept back again");
    assert_eq!(laptop.run(&["status"])?.exit, Some(0));
    world.unplug()
}

#[test]
fn a_unit_on_a_disk_that_can_only_be_read_shows_everything() -> Sure<()> {
    let Some(disk) = Disk::new(160)? else {
        skip("no loop device may be mounted here");
        return Ok(());
    };
    let people = people(&disk, 2)?;
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    // somebody looks meanwhile: so the write-ahead log stays beside the vault
    let looking = rusqlite::Connection::open(world.units[0].data.join("vault.db"))?;
    looking.query_row("SELECT count(*) FROM records", [], |_| Ok(()))?;
    world.units[0].agent(&["enrol", "--yes", &people[0]])?.ok()?;
    let draft = world.units[0].agent(&["draft", "new", "residence-certificate/1"])?.ok()?.text("draft")?;
    let laptop = Laptop::of(&world, disk)?;
    assert!(laptop.data.join("vault.db-wal").metadata()?.len() > 0);
    drop(looking);
    for shared_memory in [true, false] {
        if !shared_memory {
            laptop.disk.remount("rw")?;
            fs::remove_file(laptop.data.join("vault.db-shm"))?;
        }
        laptop.disk.remount("ro")?;
        let status = laptop.run(&["status"])?;
        let told = (status.exit, &status.summary()["records"]["finished"], &status.summary()["capture"]);
        assert_eq!(told, (Some(1), &1.into(), &"disk-read-only".into()), "{:?} {}", status.lines, status.err);
        assert!(laptop.run(&["doctor"])?.of("check").any(|c| c["what"] == "disk" && c["finding"] == "bad"));
        for command in
            [&["doctor"][..], &["draft", "list"], &["roster", "show"], &["agent", "list"], &["alarm", "list"], &["receipt", "verify"]]
        {
            let ran = laptop.run(command)?;
            assert!(
                matches!(ran.exit, Some(0 | 1 | 4 | 7)) && ran.code() != Some("disk-read-only"),
                "{command:?} {:?} {}",
                ran.lines,
                ran.err
            );
        }
        laptop.agent(&["draft", "show", &draft])?.ok()?;
        assert_eq!(laptop.supervisor(&["review", "list"])?.ok()?.number("waiting"), 1);
        for command in [&["enrol", "--yes", &people[1]][..], &["draft", "new", "residence-certificate/1"]] {
            laptop.agent(command)?.refused("disk-read-only")?;
        }
        laptop.supervisor(&["close"])?.refused("disk-read-only")?;
        laptop.run(&["sync"])?.refused("disk-read-only")?;
    }
    // the way out
    laptop.disk.remount("rw")?;
    laptop.agent(&["enrol", "--yes", &people[1]])?.ok()?;
    assert_eq!(laptop.supervisor(&["close"])?.ok()?.of("batch").count(), 1);
    Ok(())
}

#[test]
fn a_centre_on_a_disk_that_can_only_be_read_shows_everything() -> Sure<()> {
    let Some(disk) = Disk::new(160)? else {
        skip("no loop device may be mounted here");
        return Ok(());
    };
    let people = people(&disk, 2)?;
    let mut world = World::with_units(&Plan::default(), 1)?;
    for resident in &people {
        world.units[0].agent(&["enrol", "--yes", resident])?.ok()?;
    }
    world.units[0].close()?;
    world.units[0].settle()?;
    // killed in mid-sentence: the write-ahead log stays
    world.centre.kill()?;
    let data = disk.put(&world.centre.data, "centre")?;
    let run = |args: &[&str]| disk.run("sync-server", &[&["--json", "--data-dir", path_text(&data)?][..], args].concat());
    for again in [false, true] {
        disk.remount("ro")?;
        let fsck = run(&["fsck"])?.ok()?;
        assert_eq!((&fsck.summary()["fsck"], fsck.number("merged")), (&"clean".into(), 2), "{:?} {}", fsck.lines, fsck.err);
        for command in
            [&["unit", "list"][..], &["batch", "list"], &["open", "list"], &["log", "checkpoint"], &["roster", "show"], &["staff", "list"]]
        {
            run(command)?.ok()?;
        }
        let doctor = run(&["doctor"])?;
        assert!(doctor.of("check").any(|c| c["about"] == "serve" && c["code"] == "disk-read-only"), "{:?}", doctor.lines);
        for command in [
            &["serve", "--listen", "127.0.0.1:0"][..],
            &["rebuild"],
            &["case", "list", "--reason", "a test"],
            &["log", "time", "confirm", "--yes"],
        ] {
            run(command)?.refused("disk-read-only")?;
        }
        // and the way out, after which no write-ahead log is left
        disk.remount("rw")?;
        if !again {
            run(&["log", "time", "confirm", "--yes"])?.ok()?;
        }
    }
    world.units[0].link.unplug();
    Ok(())
}

#[test]
fn a_centre_on_a_full_disk_loses_nothing_says_so_and_goes_on() -> Sure<()> {
    let Some(disk) = Disk::new(400)? else {
        skip("no loop device may be mounted here");
        return Ok(());
    };
    let people = people(&disk, 3)?;
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.units[0].agent(&["enrol", "--yes", &people[0]])?.ok()?;
    world.units[0].close()?;
    world.unplug()?;
    let data = disk.put(&world.centre.data, "centre")?;
    world.centre = world.centre.elsewhere(&data)?;
    world.centre.run_copies(&disk.path("bin"))?;
    world.serve_under(&ordinary().each_ref().map(String::as_str))?;
    world.units[0].settle()?;
    // full while it serves
    world.units[0].agent(&["enrol", "--yes", &people[1]])?.ok()?;
    world.units[0].close()?;
    // the log that the server writes lies there as well
    disk.fill()?;
    let synced = world.units[0].run(&["sync", "--tries", "2"])?;
    assert!(synced.exit != Some(0) && synced.number("receipts") == 0, "{:?} {}", synced.lines, synced.err);
    let told = synced.lines.iter().any(|line| line["code"] == "busy" || line["code"] == "disk-full");
    assert!(told, "the unit hears why: {:?} {}", synced.lines, synced.err);
    let run = |args: &[&str]| disk.run("sync-server", &[&["--json", "--data-dir", path_text(&data)?][..], args].concat());
    let open = run(&["open", "list"])?.ok()?;
    assert!(open.of("open").any(|fact| fact["kind"] == "disk-low"), "{:?}", open.lines);
    let doctor = run(&["doctor"])?;
    assert!(doctor.of("check").any(|c| c["about"] == "data" && c["health"] == "error"), "{:?}", doctor.lines);
    for command in [&["unit", "list"][..], &["batch", "list"], &["log", "checkpoint"], &["roster", "show"]] {
        run(command)?.ok()?;
    }
    // nothing is read that could not be recorded
    run(&["case", "list", "--reason", "a test"])?.refused("disk-full")?;
    // what is full when it starts, too: it starts, and says so
    world.unplug()?;
    world.serve_under(&ordinary().each_ref().map(String::as_str))?;
    let synced = world.units[0].run(&["sync", "--tries", "2"])?;
    assert!(synced.exit != Some(0) && synced.number("receipts") == 0, "{:?} {}", synced.lines, synced.err);
    // the way out
    fs::remove_file(disk.path("disk").join("filler"))?;
    world.units[0].settle()?;
    let fsck = run(&["fsck"])?.ok()?;
    assert_eq!((&fsck.summary()["fsck"], fsck.number("merged")), (&"clean".into(), 2), "{:?} {}", fsck.lines, fsck.err);
    world.unplug()
}
