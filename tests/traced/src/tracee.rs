//! A thread that is stopped at a call: its arguments, its memory, its open files.

use std::{
    fs,
    io::IoSliceMut,
    path::{Path, PathBuf},
};

use libc::user_regs_struct;
use nix::{
    sys::{
        ptrace,
        uio::{RemoteIoVec, process_vm_readv},
    },
    unistd::Pid,
};

use super::{Broken, Sure};

/// No path is longer.
const PATH_MAX: usize = 4096;
const PAGE: usize = 4096;
/// One call writes less.
const MOST: u64 = 64 << 20;

/// A stopped thread.
#[derive(Clone, Copy)]
pub struct Tracee {
    /// Its id.
    pub thread: Pid,
    registers: user_regs_struct,
}

impl Tracee {
    /// Reads its registers.
    pub fn stopped(thread: Pid) -> nix::Result<Self> {
        Ok(Self { thread, registers: ptrace::getregs(thread)? })
    }

    /// The number of the call.
    pub fn number(&self) -> u64 {
        self.registers.orig_rax
    }

    /// What the kernel answered, at the exit of a call.
    pub fn result(&self) -> i64 {
        self.registers.rax.cast_signed()
    }

    /// An argument, the first is 0.
    pub fn argument(&self, n: usize) -> u64 {
        let r = &self.registers;
        [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9][n]
    }

    /// An argument of 32 bits: a descriptor, flags.
    pub fn int(&self, n: usize) -> i32 {
        i32::from_ne_bytes(self.argument(n).to_ne_bytes()[..4].try_into().expect("4 bytes, little end first on x86-64"))
    }

    /// Keeps the call from happening; the program is answered this instead.
    pub fn answer(mut self, result: i64) -> nix::Result<()> {
        // number −1: the kernel skips the call and leaves the answer alone (seccomp(2), SECCOMP_RET_TRACE)
        self.registers.orig_rax = u64::MAX;
        self.registers.rax = result.cast_unsigned();
        ptrace::setregs(self.thread, self.registers)
    }

    /// Bytes of its memory.
    pub fn memory(&self, address: u64, len: u64) -> Sure<Vec<u8>> {
        if len > MOST {
            return Err(Broken(format!("a call over {len} bytes")));
        }
        let mut bytes = vec![0; usize::try_from(len)?];
        let mut read = 0;
        while read < bytes.len() {
            let remote = RemoteIoVec { base: usize::try_from(address)? + read, len: bytes.len() - read };
            match process_vm_readv(self.thread, &mut [IoSliceMut::new(&mut bytes[read..])], &[remote])? {
                0 => return Err(Broken("its memory cannot be read".into())),
                n => read += n,
            }
        }
        Ok(bytes)
    }

    fn word(&self, address: u64) -> Sure<u64> {
        Ok(u64::from_ne_bytes(self.memory(address, 8)?.try_into().expect("8 bytes were asked for")))
    }

    /// What an array of `struct iovec` names: address and length of each piece.
    pub fn pieces(&self, array: u64, count: u64) -> Sure<Vec<(u64, u64)>> {
        (0..count).map(|i| Ok((self.word(array + 16 * i)?, self.word(array + 16 * i + 8)?))).collect()
    }

    /// What a `struct msghdr` names.
    pub fn message(&self, header: u64) -> Sure<Vec<(u64, u64)>> {
        self.pieces(self.word(header + 16)?, self.word(header + 24)?)
    }

    /// The flags of a `struct open_how`.
    pub fn how(&self, n: usize) -> Sure<i32> {
        Ok(i32::try_from(self.word(self.argument(n))?)?)
    }

    fn text(&self, address: u64) -> Sure<String> {
        let mut bytes = Vec::new();
        while bytes.len() < PATH_MAX {
            // up to the end of the page: the next one may not be there
            let at = usize::try_from(address)? + bytes.len();
            bytes.extend(self.memory(at as u64, (PAGE - at % PAGE) as u64)?);
            if let Some(end) = bytes.iter().position(|&b| b == 0) {
                bytes.truncate(end);
                return Ok(String::from_utf8(bytes)?);
            }
        }
        Err(Broken("a path without an end".into()))
    }

    fn proc(&self, rest: &str) -> PathBuf {
        Path::new("/proc").join(self.thread.to_string()).join(rest)
    }

    /// What an open descriptor is, as the kernel names it; none for one that is not open.
    pub fn descriptor(&self, fd: i32) -> Sure<Option<PathBuf>> {
        match fs::read_link(self.proc(&format!("fd/{fd}"))) {
            Ok(path) => Ok(Some(path)),
            // a program that forbids core files shows its descriptors to privileged eyes only: nothing may be overlooked
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => Err(e.into()),
            Err(_) => Ok(None),
        }
    }

    /// The position of an open file.
    pub fn position(&self, fd: i32) -> Sure<u64> {
        let info = fs::read_to_string(self.proc(&format!("fdinfo/{fd}")))?;
        let position = info.lines().find_map(|l| l.strip_prefix("pos:"));
        Ok(position.ok_or_else(|| Broken("no position".into()))?.trim().parse()?)
    }

    /// The path that argument `n` points to, from the folder that descriptor `folder` is open on; its last name is not
    /// followed when it is a link.
    pub fn path(&self, folder: i32, n: usize) -> Sure<PathBuf> {
        let text = self.text(self.argument(n))?;
        let base = match folder {
            _ if text.starts_with('/') => Some(PathBuf::from("/")),
            libc::AT_FDCWD => fs::read_link(self.proc("cwd")).ok(),
            fd => self.descriptor(fd)?,
        };
        let path = base.ok_or_else(|| Broken(format!("from where? {text}")))?.join(text);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(path) };
        Ok(parent.canonicalize().map_or(path.clone(), |parent| parent.join(name)))
    }

    /// The process that the thread belongs to.
    pub fn process(&self) -> Option<Pid> {
        let status = fs::read_to_string(self.proc("status")).ok()?;
        let id = status.lines().find_map(|l| l.strip_prefix("Tgid:"))?;
        id.trim().parse().ok().map(Pid::from_raw)
    }
}
