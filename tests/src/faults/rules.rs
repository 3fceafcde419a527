//! What no run may do: tell somebody of success on the strength of a sync that was tried again.
//!
//! After a sync that failed, the kernel may have dropped the pages and call them clean; a second sync then succeeds and
//! says nothing about them. So bytes whose sync failed count as lost until they are written again, the file goes, or, in a
//! write-ahead log, an earlier frame is written (its checksums run on, so that everything behind is void). The same with a
//! folder: names whose sync failed are in doubt until each is given anew and synced, or taken.

use std::collections::{BTreeMap, BTreeSet};

use crate::tracer::{Act, Event};

type Ranges = Vec<(u64, u64)>;

/// By folder, the names that were given in it.
#[derive(Default)]
struct Names {
    unsynced: BTreeMap<String, BTreeSet<String>>,
    failed: BTreeMap<String, BTreeSet<String>>,
    /// Names whose sync failed, and that a later one called durable, which had nothing else to be for.
    retried: BTreeSet<String>,
}

#[derive(Default)]
struct Files {
    unsynced: BTreeMap<String, Ranges>,
    failed: BTreeMap<String, Ranges>,
    /// Files with bytes whose sync failed, and that a later sync called durable.
    retried: BTreeSet<String>,
    names: Names,
    /// Write-ahead logs that are there: what a checkpoint could not write is in them still, and is written again.
    journals: BTreeSet<String>,
}

/// The files and names on whose retried sync something was told; `told` says which tells promise something.
pub fn relied_on_a_retry(events: &[Event], told: impl Fn(&Event) -> bool) -> BTreeSet<String> {
    let (mut files, mut relied) = (Files::default(), BTreeSet::new());
    for event in events {
        if matches!(event.act, Act::Tell { .. }) && told(event) {
            relied.extend(files.retried.iter().chain(&files.names.retried).cloned());
        }
        files.meet(event);
    }
    relied
}

/// May this failed sync go without a word? Yes, when nothing waited for it: no bytes of the file, no names in the folder,
/// since it was synced last; or when each of these names was given anew afterwards, and then synced.
pub fn may_fail(events: &[Event], sync: &Event) -> bool {
    let Act::Sync { path: synced } = &sync.act else { return false };
    let is_sync = |e: &Event| e.result >= 0 && matches!(&e.act, Act::Sync { path } if path == synced);
    let (before, after): (Vec<&Event>, Vec<&Event>) = events.iter().filter(|e| e.n != sync.n).partition(|e| e.n < sync.n);
    let since = before.iter().rposition(|e| is_sync(e)).map_or(0, |n| n + 1);
    if before[since..].iter().any(|e| e.result >= 0 && changes_bytes(&e.act, synced)) {
        return false;
    }
    let until = after.iter().rposition(|e| is_sync(e)).unwrap_or(0);
    let anew: BTreeSet<&str> = after[..until].iter().flat_map(|e| names_in(e, synced)).collect();
    // a name that was taken and comes back is swept again
    let given = before[since..].iter().filter(|e| !matches!(e.act, Act::Unlink { .. } | Act::RemoveFolder { .. }));
    given.flat_map(|e| names_in(e, synced)).all(|name| anew.contains(name))
}

fn changes_bytes(act: &Act, file: &str) -> bool {
    matches!(act, Act::Write { path, .. } | Act::Length { path, .. } | Act::Allocate { path, .. } if path == file)
}

/// The names that an act gives or takes in a folder; not those of what is made anew at every start, or swept.
fn names_in<'e>(event: &'e Event, folder: &str) -> Vec<&'e str> {
    let changes = !matches!(event.act, Act::Tell { .. } | Act::Sync { .. } | Act::Write { .. } | Act::Length { .. } | Act::Allocate { .. });
    let passing = |p: &str| p.ends_with("-shm") || p.contains(".tmp-");
    let named = event.act.paths().filter(|p| changes && event.result >= 0 && folder_of(p) == folder && !passing(p));
    named.collect()
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

impl Files {
    fn meet(&mut self, event: &Event) {
        let done = event.result >= 0;
        if done {
            self.follow_journals(&event.act);
        }
        self.names.meet(&event.act, done);
        match &event.act {
            Act::Write { path, offset, .. } if event.result > 0 => {
                let end = offset + event.result.unsigned_abs();
                self.written(path, *offset, if path.ends_with("-wal") { u64::MAX } else { end });
                self.unsynced.entry(path.clone()).or_default().push((*offset, end));
            }
            Act::Sync { path } if done => {
                self.unsynced.remove(path);
                if self.failed.get(path).is_some_and(|r| !r.is_empty()) {
                    self.retried.insert(path.clone());
                }
            }
            Act::Sync { path } if self.journals.contains(&format!("{path}-wal")) => {}
            Act::Sync { path } => {
                let lost = self.unsynced.remove(path).unwrap_or_default();
                self.failed.entry(path.clone()).or_default().extend(lost);
            }
            Act::Length { path, length } if done => self.written(path, *length, u64::MAX),
            Act::Create { path } | Act::Unlink { path } if done => self.gone(path),
            Act::Rename { from, to, .. } if done => {
                self.gone(to);
                let failed = self.failed.remove(from).unwrap_or_default();
                if self.retried.remove(from) || !failed.is_empty() {
                    // a name for bytes that are not durable
                    self.retried.insert(to.clone());
                    self.failed.insert(to.clone(), failed);
                }
            }
            _ => {}
        }
    }

    fn follow_journals(&mut self, act: &Act) {
        match act {
            Act::Create { path } if path.ends_with("-wal") => drop(self.journals.insert(path.clone())),
            Act::Unlink { path } => drop(self.journals.remove(path)),
            Act::Rename { from, to, .. } if self.journals.remove(from) => drop(self.journals.insert(to.clone())),
            _ => {}
        }
    }

    fn written(&mut self, path: &str, from: u64, to: u64) {
        let Some(failed) = self.failed.get_mut(path) else { return };
        let outside = |&(a, b): &(u64, u64)| [(a, b.min(from)), (a.max(to), b)].into_iter().filter(|(a, b)| a < b);
        *failed = failed.iter().flat_map(outside).collect();
        if failed.is_empty() {
            self.retried.remove(path);
        }
    }

    fn gone(&mut self, path: &str) {
        self.unsynced.remove(path);
        self.failed.remove(path);
        self.retried.remove(path);
    }
}

impl Names {
    fn meet(&mut self, act: &Act, done: bool) {
        match act {
            Act::Sync { path } if done => {
                let new = self.unsynced.remove(path).unwrap_or_default();
                // one that was for others says nothing about these: they stay in doubt, and nothing need rest on them
                if new.is_empty() {
                    self.retried.extend(self.failed.remove(path).unwrap_or_default());
                }
            }
            Act::Sync { path } => {
                let lost = self.unsynced.remove(path).unwrap_or_default();
                self.failed.entry(path.clone()).or_default().extend(lost);
            }
            Act::Create { path } | Act::Folder { path } | Act::Link { to: path, .. } if done => self.given(path),
            Act::Unlink { path } | Act::RemoveFolder { path } if done => self.taken(path),
            Act::Rename { from, to, exchange } if done => {
                self.taken(from);
                if *exchange {
                    self.given(from);
                }
                self.given(to);
            }
            _ => {}
        }
    }

    fn given(&mut self, path: &str) {
        self.taken(path);
        if ![".lock", "-shm"].iter().any(|end| path.ends_with(end)) && !path.contains(".tmp-") {
            self.unsynced.entry(folder_of(path).to_owned()).or_default().insert(path.to_owned());
        }
    }

    fn taken(&mut self, path: &str) {
        for names in [&mut self.unsynced, &mut self.failed] {
            names.get_mut(folder_of(path)).map(|names| names.remove(path));
        }
        self.retried.remove(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(path: &str, acts: &[(&str, i64)]) -> bool {
        let mut events = Vec::new();
        for (n, (what, result)) in (1..).zip(acts) {
            let path = path.to_owned();
            let act = match *what {
                "write" => Act::Write { path, offset: 0, len: 8, data: Vec::new() },
                "sync" => Act::Sync { path },
                "unlink" => Act::Unlink { path },
                "create" => Act::Create { path },
                "sync its folder" => Act::Sync { path: folder_of(&path).to_owned() },
                "rename" => Act::Rename { from: path, to: "b".into(), exchange: false },
                _ => Act::Tell { to: "stdout".into(), len: 1, data: Vec::new() },
            };
            events.push(Event { n, thread: 1, call: String::new(), act, result: *result, injected: None });
        }
        !relied_on_a_retry(&events, |_| true).is_empty()
    }

    #[test]
    fn a_sync_that_nothing_waits_for_may_fail() {
        let event = |n, act| Event { n, thread: 1, call: String::new(), act, result: 0, injected: None };
        let (create, sync) = (|| Act::Create { path: "a/b".into() }, || Act::Sync { path: "a".into() });
        let events = [event(1, create()), event(2, sync()), event(3, sync()), event(4, Act::Sync { path: "a/b".into() })];
        assert!(!may_fail(&events[..2], &events[1]), "a name waited");
        assert!(!may_fail(&events, &events[1]), "a second sync of the same name counts for nothing");
        assert!(may_fail(&events, &events[2]), "nothing new since");
        assert!(may_fail(&events, &events[3]), "an empty file has no bytes");
        let anew = [event(1, create()), event(2, sync()), event(3, create()), event(4, sync())];
        assert!(may_fail(&anew, &anew[1]), "given anew, then synced");
    }

    #[test]
    fn a_retry_is_relied_on_when_something_is_told() {
        assert!(judged("a", &[("write", 8), ("sync", -5), ("sync", 0), ("tell", 1)]));
        assert!(judged("a", &[("write", 8), ("sync", -5), ("rename", 0), ("tell", 1)]), "a name for bytes that may be gone");
        assert!(!judged("a", &[("write", 8), ("sync", -5), ("tell", 1)]), "an error was told");
        assert!(!judged("a", &[("write", 8), ("sync", -5), ("write", 8), ("sync", 0), ("tell", 1)]), "written again");
        assert!(!judged("a", &[("write", 8), ("sync", -5), ("unlink", 0), ("tell", 1)]), "gone");
        assert!(judged("a", &[("write", 8), ("sync", -5), ("write", 4), ("sync", 0), ("tell", 1)]), "only half of it again");
        assert!(judged("f/a", &[("create", 3), ("sync its folder", -5), ("sync its folder", 0), ("tell", 1)]), "a name in doubt");
        let anew = [("create", 3), ("sync its folder", -5), ("create", 3), ("sync its folder", 0), ("tell", 1)];
        assert!(!judged("f/a", &anew), "given anew");
        assert!(!judged("f/a", &[("create", 3), ("sync its folder", -5), ("unlink", 0), ("sync its folder", 0), ("tell", 1)]), "taken");
        assert!(!judged("a-wal", &[("write", 8), ("sync", -5), ("write", 4), ("sync", 0), ("tell", 1)]), "void from there on");
    }
}
