//! Sticks as people bring them: nested, packed by any tool, with strays. Whatever is not taken is named.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{
    centre::Centre,
    skipped::skip,
    unit::{Ran, Unit, resident, write_folder},
};

/// Finished, known before, not enrolled, left, not removed.
fn counts(ran: &Ran) -> [u64; 5] {
    ["finished", "known", "failed", "left", "kept"].map(|what| ran.last()[what].as_u64().unwrap_or(99))
}

/// What was left or kept: its path below `root`, and why.
fn named(ran: &Ran, kind: &str, root: &Path) -> Vec<(String, String)> {
    let text = |line: &Value, what: &str| line[what].as_str().unwrap().to_owned();
    let one = |line: &Value| {
        let path = PathBuf::from(text(line, "path"));
        (path.strip_prefix(root).unwrap_or(&path).display().to_string(), text(line, "reason"))
    };
    ran.of(kind).into_iter().map(one).collect()
}

fn enrol(unit: &Unit, more: &[&str], path: &Path) -> Ran {
    unit.run(&[&["enrol", "--yes"], more, &[path.to_str().unwrap()]].concat())
}

#[test]
fn residents_in_nested_folders_are_enrolled_and_strays_named() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let stick = unit.folder.path().join("stick");
    for (n, at) in [(1, "one"), (2, "day/morning/two"), (3, "day/evening/more/three")] {
        write_folder(&stick.join(at), &resident(n));
    }
    let ran = enrol(&unit, &[], &stick);
    assert_eq!((ran.exit, counts(&ran)), (0, [3, 0, 0, 0, 0]), "{:?}", ran.lines);
    fs::write(stick.join("day/scan.tif"), b"x").unwrap();
    fs::write(stick.join("day/.DS_Store"), b"x").unwrap();
    std::os::unix::fs::symlink("morning", stick.join("day/again")).unwrap();
    let ran = enrol(&unit, &[], &stick);
    assert_eq!((ran.exit, counts(&ran)), (3, [0, 3, 0, 2, 0]), "{:?}", ran.lines);
    let expected = [("day/again", "link"), ("day/scan.tif", "no-description")];
    assert_eq!(named(&ran, "left", &stick), expected.map(|(path, why)| (path.to_owned(), why.to_owned())));
    let ran = unit.run(&["--lang", "fr", "enrol", "--yes", stick.to_str().unwrap()]);
    assert_eq!(ran.of("left")[1]["text"], "aucun resident.json à côté");
    // nobody there at all: the paths are named all the same
    let ran = enrol(&unit, &[], &stick.join("day/scan.tif"));
    assert_eq!(ran.of("left").len(), 1);
    ran.refused("input-unreadable", 1);
    enrol(&unit, &[], &stick.join("nothing")).refused("input-unreadable", 1);
}

#[test]
fn what_holds_something_that_was_not_taken_is_not_removed() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let stick = unit.folder.path().join("stick");
    for (n, at) in [(1, "day/one"), (2, "day/two")] {
        write_folder(&stick.join(at), &resident(n));
    }
    fs::write(stick.join("day/one/.notes"), b"call back").unwrap();
    let ran = enrol(&unit, &["--remove-source"], &stick);
    assert_eq!((ran.exit, counts(&ran)), (3, [2, 0, 0, 1, 1]), "{:?}", ran.lines);
    assert_eq!(named(&ran, "left", &stick), [("day/one/.notes".to_owned(), "unnamed".to_owned())]);
    assert_eq!(named(&ran, "kept", &stick), [("day/one".to_owned(), "left-inside".to_owned())]);
    assert!(stick.join("day/one/resident.json").exists() && !stick.join("day/two").exists());
}

#[test]
fn a_source_that_cannot_be_removed_is_counted_apart() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let stick = unit.folder.path().join("stick");
    write_folder(&stick.join("one"), &resident(1));
    let folder = stick.join("one");
    let Some(_locked) = Locked::new(&folder) else {
        return skip("no folder can be locked against its owner here");
    };
    let ran = enrol(&unit, &["--remove-source"], &stick);
    assert_eq!((ran.exit, counts(&ran)), (3, [1, 0, 0, 0, 1]), "{:?}", ran.lines);
    assert_eq!(named(&ran, "kept", &stick), [("one".to_owned(), "not-removed".to_owned())]);
    assert_eq!(counts(&enrol(&unit, &[], &stick)), [0, 1, 0, 0, 0], "enrolled it is");
}

/// A folder in which no name can be removed.
struct Locked<'a>(&'a Path);

impl<'a> Locked<'a> {
    fn new(folder: &'a Path) -> Option<Self> {
        let locked = Self(folder);
        locked.set("u-w", "+i");
        fs::write(folder.join("x"), b"").is_err().then_some(locked)
    }
    fn set(&self, mode: &str, attribute: &str) {
        let quiet = |command: &mut Command| drop(command.arg(self.0).stderr(Stdio::null()).status());
        quiet(Command::new("chmod").arg(mode));
        quiet(Command::new("chattr").arg(attribute));
    }
}
impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.set("u+w", "-i");
    }
}

#[test]
fn a_link_as_source_is_said() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let (folder, link) = (unit.resident("somebody", &resident(1)), unit.folder.path().join("link"));
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    let ran = enrol(&unit, &[], &link);
    let said = ran.of("link")[0];
    assert_eq!((said["path"].as_str(), said["to"].as_str()), (link.to_str(), fs::canonicalize(folder).unwrap().to_str()));
    ran.done();
}

#[test]
fn a_description_is_read_however_it_was_saved_and_a_bad_key_has_its_line() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let folder = unit.resident("somebody", &resident(1));
    let path = folder.join("resident.json");
    let text = fs::read_to_string(&path).unwrap();
    let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.replace('\n', "\r\n").encode_utf16()).flat_map(u16::to_le_bytes).collect();
    enrol(&unit, &[], &folder).done();
    for saved in [format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes(), wide] {
        fs::write(&path, saved).unwrap();
        assert_eq!(counts(&enrol(&unit, &[], &folder)), [0, 1, 0, 0, 0], "the same resident");
    }
    let line = |what: &str| 1 + text.lines().position(|line| line.contains(what)).unwrap();
    let detail = |text: String, code: &str| {
        fs::write(&path, text).unwrap();
        let ran = enrol(&unit, &[], &folder);
        let told = ran.of("warning")[0]["detail"].as_str().unwrap().to_owned();
        ran.refused(code, 1);
        told
    };
    let told = detail(text.replace("\"transaction\"", "\"transactoin\""), "input-unreadable");
    assert!(told.ends_with(&format!("resident.json: line {}: no key `transactoin` there", line("\"transaction\""))), "{told}");
    let told = detail(text.replace("\"sex\"", "\"gender\""), "field-unknown");
    assert!(told.contains(&format!("resident.json: line {}: ", line("\"sex\""))), "{told}");
    let told = detail(text.replace("\"form\"", "form"), "json-malformed");
    assert!(told.contains(&format!("resident.json: line {} ", line("\"form\""))), "{told}");
}

#[test]
fn files_are_called_as_cameras_and_people_call_them() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let folder = unit.resident("somebody", &resident(1));
    let path = folder.join("resident.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::rename(folder.join("face.jpg"), folder.join("صورة الوجه (1).JPG")).unwrap();
    let said: String = text.replace("\"face.jpg\"", "\"صورة الوجه (1).JPG\"");
    let said: Vec<&str> = said.lines().filter(|line| !line.contains("\"media_type\"")).collect();
    fs::write(&path, said.join("\n")).unwrap();
    enrol(&unit, &[], &folder).done();
    // a type that contradicts the bytes is refused as before
    fs::write(&path, text.replace("\"face.jpg\"", "\"صورة الوجه (1).JPG\"").replacen("image/jpeg", "image/png", 1)).unwrap();
    enrol(&unit, &[], &folder).refused("image-invalid", 1);
}

/// A tool with its arguments; it packs the folder `day` where it stands into `$OUT`.
const TOOLS: [(&str, &str); 13] = [
    ("tar", "tar cf $OUT day"),
    ("tar", "tar --format=posix -cf $OUT day"),
    ("tar", "tar --format=v7 -cf $OUT day"),
    ("tar", "tar --format=ustar -czf $OUT day"),
    ("zstd", "tar cf - day | zstd -q -19 > $OUT"),
    ("bsdtar", "bsdtar cf $OUT day"),
    ("bsdtar", "bsdtar --format=pax -czf $OUT day"),
    ("bsdtar", "bsdtar --format=zip -cf $OUT day"),
    ("busybox", "busybox tar cf $OUT day"),
    ("busybox", "busybox tar czf $OUT day"),
    ("python3", "python3 -c \"import tarfile; t = tarfile.open('$OUT', 'w:gz'); t.add('day'); t.close()\""),
    ("python3", "python3 -c \"import shutil; shutil.make_archive('$OUT', 'zip', '.', 'day'); import os; os.rename('$OUT.zip', '$OUT')\""),
    ("zip", "zip -q -r - day > $OUT"),
];

#[test]
fn archives_of_every_common_tool_are_taken() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let at = unit.folder.path().join("at");
    let long = format!("day/{}/two", "a long name of a village ".repeat(5));
    for (n, place) in [(1, "day/one"), (2, &long)] {
        write_folder(&at.join(place), &resident(n));
    }
    fs::write(at.join("day/notes.txt"), b"x").unwrap();
    enrol(&unit, &[], &at.join("day/one")).done();
    enrol(&unit, &[], &at.join(&long)).done();
    for (n, (tool, packs)) in TOOLS.into_iter().enumerate() {
        let there = Command::new("sh").args(["-c", &format!("command -v {tool}")]).stdout(Stdio::null()).status().unwrap().success();
        // the oldest formats have no long names
        let short = packs.contains("v7") || packs.contains("ustar");
        let day = if short { packs.replace(" day", " day/one day/notes.txt") } else { packs.to_owned() };
        if !there {
            skip(format_args!("{tool} is not installed"));
            continue;
        }
        let name = ["stick", "STICK.TAR", "residents.Zip", "a.bin"][n % 4];
        let out = unit.folder.path().join(format!("packed-{n}"));
        fs::create_dir(&out).unwrap();
        let out = out.join(name);
        let packed = Command::new("sh").args(["-c", &day.replace("$OUT", out.to_str().unwrap())]).current_dir(&at).status().unwrap();
        assert!(packed.success(), "{day}");
        let ran = enrol(&unit, &[], &out);
        let known = if short { 1 } else { 2 };
        assert_eq!((ran.exit, counts(&ran)), (3, [0, known, 0, 1, 0]), "{day}: {:?}", ran.lines);
        assert_eq!(named(&ran, "left", &out), [("day/notes.txt".to_owned(), "no-description".to_owned())], "{day}");
    }
}
