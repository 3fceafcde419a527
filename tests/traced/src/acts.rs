//! From a stopped call to what it does under the roots.

use std::path::{Path, PathBuf};

use super::{Broken, Sure, calls::Call, events::Act, tracee::Tracee};

/// The folders that are looked at, and how closely.
#[derive(Debug)]
pub struct Sight {
    /// Without links.
    pub roots: Vec<PathBuf>,
    /// Are bytes kept?
    pub data: bool,
}

/// At most so much is kept of what is told.
const TOLD: u64 = 64 << 10;

impl Sight {
    /// A path under a root, relative to it; the root itself is `.`.
    fn under(&self, path: &Path) -> Option<String> {
        let rest = self.roots.iter().find_map(|root| path.strip_prefix(root).ok())?;
        Some(if rest == Path::new("") { ".".to_owned() } else { rest.to_string_lossy().into_owned() })
    }

    fn open(&self, tracee: &Tracee, n: usize) -> Sure<Option<String>> {
        let path = tracee.descriptor(tracee.int(n))?;
        // a file without a name leaves nothing
        Ok(path.filter(|p| !p.to_string_lossy().ends_with(" (deleted)")).and_then(|p| self.under(&p)))
    }

    fn named(&self, tracee: &Tracee, folder: i32, n: usize) -> Sure<Option<String>> {
        Ok(self.under(&tracee.path(folder, n)?))
    }

    /// What the call will do; none when it touches nothing that is looked at.
    pub fn act(&self, tracee: &Tracee, call: Call) -> Sure<Option<Act>> {
        let here = libc::AT_FDCWD;
        Ok(match call.name {
            "fsync" | "fdatasync" => self.open(tracee, 0)?.map(|path| Act::Sync { path }),
            "rename" => self.rename(tracee, [(here, 0), (here, 1)], 0)?,
            "renameat" => self.rename(tracee, [(tracee.int(0), 1), (tracee.int(2), 3)], 0)?,
            "renameat2" => self.rename(tracee, [(tracee.int(0), 1), (tracee.int(2), 3)], tracee.int(4))?,
            "link" => self.link(tracee, [(here, 0), (here, 1)])?,
            "linkat" => self.link(tracee, [(tracee.int(0), 1), (tracee.int(2), 3)])?,
            "unlink" => self.named(tracee, here, 0)?.map(|path| Act::Unlink { path }),
            "rmdir" => self.named(tracee, here, 0)?.map(|path| Act::RemoveFolder { path }),
            "unlinkat" => {
                let folder = tracee.int(2) & libc::AT_REMOVEDIR != 0;
                let named = self.named(tracee, tracee.int(0), 1)?;
                named.map(|path| if folder { Act::RemoveFolder { path } } else { Act::Unlink { path } })
            }
            "mkdir" => self.named(tracee, here, 0)?.map(|path| Act::Folder { path }),
            "mkdirat" => self.named(tracee, tracee.int(0), 1)?.map(|path| Act::Folder { path }),
            "open" => self.opened(tracee, here, 0, tracee.int(1))?,
            "openat" => self.opened(tracee, tracee.int(0), 1, tracee.int(2))?,
            "openat2" => self.opened(tracee, tracee.int(0), 1, tracee.how(2)?)?,
            "creat" => self.opened(tracee, here, 0, libc::O_CREAT | libc::O_TRUNC)?,
            "truncate" => self.named(tracee, here, 0)?.map(|path| Act::Length { path, length: tracee.argument(1) }),
            "ftruncate" => self.open(tracee, 0)?.map(|path| Act::Length { path, length: tracee.argument(1) }),
            "fallocate" => self.allocated(tracee)?,
            "write" | "pwrite64" => self.written(tracee, call, &[(tracee.argument(1), tracee.argument(2))])?,
            "writev" | "pwritev" | "pwritev2" => self.written_pieces(tracee, call)?,
            "sendto" => self.told(tracee, "socket", &[(tracee.argument(1), tracee.argument(2))])?,
            "sendmsg" => self.told(tracee, "socket", &tracee.message(tracee.argument(1))?)?,
            _ => return self.unknown(tracee, call).map(|()| None),
        })
    }

    fn rename(&self, tracee: &Tracee, [from, to]: [(i32, usize); 2], flags: i32) -> Sure<Option<Act>> {
        let known = i32::try_from(libc::RENAME_EXCHANGE | libc::RENAME_NOREPLACE)?;
        if flags & !known != 0 {
            return Err(Broken(format!("a rename with flags {flags}")));
        }
        let exchange = flags & i32::try_from(libc::RENAME_EXCHANGE)? != 0;
        Ok(self.pair(tracee, from, to)?.map(|(from, to)| Act::Rename { from, to, exchange }))
    }

    fn link(&self, tracee: &Tracee, [from, to]: [(i32, usize); 2]) -> Sure<Option<Act>> {
        Ok(self.pair(tracee, from, to)?.map(|(from, to)| Act::Link { from, to }))
    }

    fn pair(&self, tracee: &Tracee, from: (i32, usize), to: (i32, usize)) -> Sure<Option<(String, String)>> {
        match (self.named(tracee, from.0, from.1)?, self.named(tracee, to.0, to.1)?) {
            (Some(from), Some(to)) => Ok(Some((from, to))),
            (None, None) => Ok(None),
            (from, to) => Err(Broken(format!("a name comes from elsewhere or goes there: {from:?} {to:?}"))),
        }
    }

    fn opened(&self, tracee: &Tracee, folder: i32, n: usize, flags: i32) -> Sure<Option<Act>> {
        if flags & (libc::O_CREAT | libc::O_TRUNC) == 0 && flags & libc::O_TMPFILE != libc::O_TMPFILE {
            return Ok(None);
        }
        let full = tracee.path(folder, n)?;
        let Some(path) = self.under(&full) else { return Ok(None) };
        if flags & libc::O_TMPFILE == libc::O_TMPFILE {
            return Err(Broken(format!("a file without a name, which may be linked later: {path}")));
        }
        Ok(match full.symlink_metadata() {
            Err(_) if flags & libc::O_CREAT != 0 => Some(Act::Create { path }),
            Ok(_) if flags & libc::O_TRUNC != 0 => Some(Act::Length { path, length: 0 }),
            _ => None,
        })
    }

    fn allocated(&self, tracee: &Tracee) -> Sure<Option<Act>> {
        let Some(path) = self.open(tracee, 0)? else { return Ok(None) };
        let (mode, offset, length) = (tracee.int(1), tracee.argument(2), tracee.argument(3));
        if mode & !libc::FALLOC_FL_KEEP_SIZE != 0 {
            return Err(Broken(format!("fallocate with mode {mode}")));
        }
        Ok(Some(Act::Allocate { path, offset, length, grows: mode == 0 }))
    }

    fn written_pieces(&self, tracee: &Tracee, call: Call) -> Sure<Option<Act>> {
        self.written(tracee, call, &tracee.pieces(tracee.argument(1), tracee.argument(2))?)
    }

    fn written(&self, tracee: &Tracee, call: Call, pieces: &[(u64, u64)]) -> Sure<Option<Act>> {
        let Some(path) = self.open(tracee, 0)? else {
            let socket = tracee.descriptor(tracee.int(0))?.is_some_and(|p| p.to_string_lossy().starts_with("socket:"));
            let to = if socket { "socket" } else { "stdout" };
            return if socket || tracee.int(0) == libc::STDOUT_FILENO { self.told(tracee, to, pieces) } else { Ok(None) };
        };
        let at = tracee.argument(3);
        let at_position = matches!(call.name, "write" | "writev") || (call.name == "pwritev2" && at == u64::MAX);
        // where a write at the position went is known when it is done: see `settle`
        let offset = if at_position { u64::MAX } else { at };
        let len = pieces.iter().map(|p| p.1).sum();
        Ok(Some(Act::Write { path, offset, len, data: if self.data { gather(tracee, pieces)? } else { Vec::new() } }))
    }

    fn told(&self, tracee: &Tracee, to: &str, pieces: &[(u64, u64)]) -> Sure<Option<Act>> {
        let len: u64 = pieces.iter().map(|p| p.1).sum();
        let data = if self.data && len <= TOLD { gather(tracee, pieces)? } else { Vec::new() };
        Ok(Some(Act::Tell { to: to.to_owned(), len, data }))
    }

    /// The calls that this tracer cannot tell the effect of: an error when they touch a root.
    fn unknown(&self, tracee: &Tracee, call: Call) -> Sure<()> {
        let touched = match call.name {
            "syncfs" | "sync_file_range" | "sendfile" => self.open(tracee, 0)?,
            "copy_file_range" | "splice" => self.open(tracee, 2)?,
            "symlink" => self.named(tracee, libc::AT_FDCWD, 1)?,
            "symlinkat" => self.named(tracee, tracee.int(1), 2)?,
            _ => Some(String::new()),
        };
        touched.map_or(Ok(()), |path| Err(Broken(format!("{} {path}: the tracer cannot tell what it does", call.name))))
    }
}

fn gather(tracee: &Tracee, pieces: &[(u64, u64)]) -> Sure<Vec<u8>> {
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|&(at, len)| tracee.memory(at, len)).collect::<Sure<_>>()?;
    Ok(pieces.concat())
}

impl Act {
    /// What is known of it only when it is done: where a write at the file's position went, how much of it.
    pub fn settle(&mut self, tracee: &Tracee, fd: i32, result: i64) -> Sure<()> {
        let Self::Write { offset, data, .. } = self else { return Ok(()) };
        let done = u64::try_from(result).unwrap_or(0);
        data.truncate(usize::try_from(done)?);
        if *offset == u64::MAX {
            *offset = tracee.position(fd)?.saturating_sub(done);
        }
        Ok(())
    }
}
