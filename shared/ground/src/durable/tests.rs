use std::os::unix::fs::symlink;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
}

fn content(path: &Path) -> Option<Vec<u8>> {
    read(path).expect("readable")
}

#[test]
fn create_never_replaces() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a");
    assert_eq!(create(&path, b"one").expect("created"), Created::New);
    assert_eq!(create(&path, b"two").expect("left alone"), Created::There);
    assert_eq!(content(&path).as_deref(), Some(&b"one"[..]));
    write(&path, b"three").expect("replaced");
    assert_eq!(content(&path).as_deref(), Some(&b"three"[..]));
    assert_eq!(read_at_most(&path, 5).expect("just so long"), content(&path));
    assert_eq!(read_at_most(&path, 4).map_err(|e| Problem::from(e).code), Err(Code::InputUnreadable));
    assert_eq!(list(dir.path()).expect("listed").len(), 1, "nothing unfinished is left");
    remove(&path).expect("removed");
    remove(&path).expect("removing twice is the same as once");
    assert!(content(&path).is_none());
}

#[test]
fn unfinished_files_are_neither_named_nor_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let temporary = Temporary::new(dir.path()).expect("a temporary file");
    temporary.append(b"half").expect("written");
    assert!(names(dir.path()).expect("listed").is_empty());
    sweep(dir.path()).expect("swept");
    assert_eq!(list(dir.path()).expect("listed").len(), 1, "somebody is writing it");
    let (left, path) = (dir.path().join(".tmp-crashed"), dir.path().join("a"));
    fs::write(&left, b"half").expect("as a crash leaves it");
    sweep(dir.path()).expect("swept");
    assert!(!left.exists());
    temporary.replace(&path).expect("whole");
    assert_eq!(content(&path).as_deref(), Some(&b"half"[..]));
}

/// A second sync of a folder says nothing about a name that the first one could not keep.
#[test]
fn names_that_are_there_are_given_anew() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a");
    // held, so that its number goes to no other
    let mut before: Option<File> = None;
    for _ in 0..3 {
        write_from(dir.path(), &path, b"the same").expect("written");
        let now = File::open(&path).expect("there");
        let number = |file: &File| inode(&file.metadata().expect("open"));
        assert!(before.is_none_or(|before| number(&before) != number(&now)), "another file each time");
        before = Some(now);
    }
}

/// The folder that is synced is the one in which the name was given, whatever became of its own name in between.
#[test]
fn a_folder_is_opened_before_the_rename_that_it_makes_durable() {
    let dir = tempfile::tempdir().expect("a folder");
    let (before, after) = (dir.path().join("before"), dir.path().join("after"));
    fs::create_dir(&before).expect("made");
    let temporary = Temporary::new(dir.path()).expect("a temporary file");
    temporary.append(b"whole").expect("written");
    let path = before.join("a");
    let folder = Folder::above(&path).expect("opened");
    fs::rename(&before, &after).expect("moved away in between");
    fs::create_dir(&before).expect("and another one came");
    temporary.rename(&folder, "a".as_ref(), &path).expect("named in the folder that was opened");
    folder.sync().expect("and durable there");
    assert_eq!(content(&after.join("a")).as_deref(), Some(&b"whole"[..]));
    assert!(content(&path).is_none());
    // one that can't be opened: nothing is renamed
    let nowhere = dir.path().join("nowhere/a");
    let unnamed = Temporary::new(dir.path()).expect("a temporary file");
    assert!(unnamed.replace(&nowhere).is_err());
    assert_eq!(names(dir.path()).expect("listed"), ["after", "before"]);
}

#[test]
fn what_was_open_to_others_is_closed_and_what_a_person_named_is_left() {
    let dir = tempfile::tempdir().expect("a folder");
    let ours = dir.path().join("ours");
    fs::create_dir(&ours).expect("made");
    let (file, lock) = (ours.join("file"), ours.join("lock"));
    for path in [&file, &lock] {
        fs::write(path, b"old").expect("written");
        set_mode(path, 0o664);
    }
    set_mode(&ours, 0o2775);
    folder_given(&ours).expect("there");
    assert_eq!(mode(&ours), 0o775, "a person's folder is a person's affair");
    write(&file, b"new").expect("written");
    drop(Lock::wait(&lock).expect("free"));
    drop(InPlace::open(&file).expect("opened"));
    assert_eq!((mode(&file), mode(&lock)), (0o600, 0o600));
    assert_eq!(mode(&ours), 0o775, "writing into it changes no folder");
    folder(&ours).expect("ours");
    assert_eq!(mode(&ours), 0o700);
    set_mode(&file, 0o644);
    assert!(is_open_to_others(&file));
    drop(InPlace::open(&file).expect("opened"));
    assert!(!is_open_to_others(&file), "also one that is changed in place");
    let made = ours.join("a/b");
    folder_given(&made).expect("made");
    assert_eq!((mode(&made), mode(&ours.join("a"))), (0o700, 0o700), "new ones are closed whoever named them");
    create(&made.join("c"), b"").expect("made");
    assert_eq!(mode(&made.join("c")), 0o600);
}

#[test]
fn a_lock_has_one_holder() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("lock");
    let held = Lock::try_take(&path).expect("no error");
    assert!(held.is_some());
    assert!(Lock::try_take(&path).expect("no error").is_none());
    assert_eq!(Lock::take(&path).map(|_| ()).map_err(|p| p.code), Err(Code::LockedElsewhere));
    drop(held);
    let held = Lock::take(&path).expect("free");
    let _copy = held.0.try_clone().expect("as a child that is being started has it");
    drop(held);
    assert!(Lock::take(&path).is_ok(), "free when it is dropped");
}

#[test]
fn folders_are_made_with_those_above() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a/b/c");
    folder(&path).expect("made");
    folder(&path).expect("the same call twice is the same as once");
    assert!(is_folder(&path));
    folder_in(&path, "d".as_ref()).expect("made");
    folder_in(&path, "d".as_ref()).expect("the same call twice is the same as once");
    assert!(is_folder(&path.join("d")));
    assert!(content(&path.join("x")).is_none());
    remove(&path.join("x")).expect("nothing to remove is fine");
    remove(&path.join("y/z")).expect("nor is a folder that is not there an error");
    fs::write(path.join("e"), b"").expect("written");
    assert!(folder_in(&path, "e".as_ref()).is_err(), "a file is no folder");
    remove(&dir.path().join("a")).expect("removed with all that is in it");
    assert!(list(dir.path()).expect("listed").is_empty());
}

#[test]
fn slots_that_cannot_be_looked_at_are_not_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys");
    symlink(&path, &path).expect("a link to itself");
    assert!(InPlace::open(&path).is_err());
    assert!(path.is_symlink(), "nothing took its place");
    fs::remove_file(&path).expect("removed");
    InPlace::open(&path).and_then(|file| file.write_at([(0, &b"a slot"[..])])).expect("made");
    assert_eq!(InPlace::open(&path).and_then(|file| file.len()).expect("opened"), 6, "one with slots stays");
}

#[test]
fn no_more_is_read_than_the_thing_may_have() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a");
    write(&path, b"12345").expect("written");
    assert_eq!(read_given(&path, 5), Ok(b"12345".to_vec()));
    for (path, most) in [(path.as_path(), 4), (Path::new("/dev/zero"), 1 << 20), (dir.path(), 5), (Path::new("/nowhere"), 5)] {
        assert_eq!(read_given(path, most).map_err(|p| p.code), Err(Code::InputUnreadable), "{}", path.display());
    }
}
