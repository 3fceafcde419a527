//! What is searched: a disk with its free space, folders, the memory of a process.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::{fs::FileExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    skipped::skip,
    world::{Broken, Sure, path_text},
};

/// Bytes of the disk: the vault keeps 96 MiB of it free.
const SIZE: u64 = 192 << 20;

/// The disk of a unit.
pub enum Disk {
    /// A file system of its own in an image; unmounted when dropped.
    Mounted {
        /// The image.
        image: PathBuf,
        /// Where it is mounted.
        at: PathBuf,
    },
    /// Only a folder: its free space cannot be seen.
    Folder(PathBuf),
}

impl Disk {
    /// A new disk at `at`. Without the rights or tools to mount one, a folder, and it is said.
    pub fn prepare(image: &Path, at: &Path) -> Sure<Self> {
        fs::create_dir_all(at)?;
        File::create(image)?.set_len(SIZE)?;
        let mounted = run("mkfs.ext4", &["-q", "-F", path_text(image)?]).and_then(|()| mount(image, at));
        match mounted {
            Ok(()) => Ok(Self::Mounted { image: image.to_owned(), at: at.to_owned() }),
            Err(why) => {
                skip(format_args!("in part: no disk image ({why}): a plain folder is searched, without free space"));
                Ok(Self::Folder(at.to_owned()))
            }
        }
    }

    /// Every byte of it. Nobody works on it meanwhile.
    pub fn raw(&self) -> Sure<Vec<u8>> {
        match self {
            Self::Folder(at) => folder_bytes(at),
            Self::Mounted { image, at } => {
                run("umount", &[path_text(at)?])?;
                let raw = fs::read(image)?;
                mount(image, at)?;
                Ok(raw)
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Mounted { at, .. } = self {
            let _ = run("umount", &[at.to_str().unwrap_or_default()]);
        }
    }
}

fn mount(image: &Path, at: &Path) -> Sure<()> {
    run("mount", &["-o", "loop", path_text(image)?, path_text(at)?])
}

fn run(program: &str, args: &[&str]) -> Sure<()> {
    let out = Command::new(program).args(args).output().map_err(|e| Broken(format!("{program}: {e}")))?;
    if out.status.success() { Ok(()) } else { Err(Broken(format!("{program}: {}", String::from_utf8_lossy(&out.stderr).trim()))) }
}

/// All files in a folder and its folders, one after the other, each at a border of 4 KiB.
pub fn folder_bytes(folder: &Path) -> Sure<Vec<u8>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(folder_bytes(&path)?);
        } else if path.is_file() {
            all.extend(fs::read(&path)?);
        }
        all.resize(all.len().next_multiple_of(4096), 0);
    }
    Ok(all)
}

/// What a process has in memory now; it goes on meanwhile.
pub fn memory_of(process: u32) -> Sure<Vec<u8>> {
    let memory = File::open(format!("/proc/{process}/mem"))?;
    let mut all = Vec::new();
    for line in fs::read_to_string(format!("/proc/{process}/maps"))?.lines() {
        let (range, rest) = line.split_once(' ').ok_or_else(|| Broken("a line of maps".into()))?;
        let (from, to) = range.split_once('-').ok_or_else(|| Broken("a range of maps".into()))?;
        // what the kernel shows of itself cannot be read
        if !rest.starts_with('r') || line.ends_with("[vvar]") || line.ends_with("[vsyscall]") {
            continue;
        }
        let (from, to) = (u64::from_str_radix(from, 16)?, u64::from_str_radix(to, 16)?);
        let mut bytes = vec![0; usize::try_from(to - from)?];
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            all.extend(bytes);
        }
    }
    Ok(all)
}

/// Before a program: as an administrator who wants core dumps would start it. Where the limit can't be lifted it does not start.
pub const WITH_CORES: [&str; 4] = ["sh", "-c", "ulimit -c unlimited && exec \"$@\"", "sh"];

/// Whether a process that is started like that, in `folder`, leaves a core file there with what it had in memory: a
/// shell that holds `word` and ends itself. Leaves nothing.
pub fn writes_cores(folder: &Path, word: &str) -> Sure<bool> {
    let before = names(folder)?;
    let mut shell = Command::new(WITH_CORES[0]);
    let ended = shell.args(&WITH_CORES[1..]).args(["sh", "-c", "kill -ABRT $$; :", word]).current_dir(folder).status()?;
    let mut found = false;
    for core in names(folder)?.difference(&before) {
        found |= fs::read(core)?.windows(word.len()).any(|w| w == word.as_bytes());
        fs::remove_file(core)?;
    }
    Ok(ended.core_dumped() && found)
}

/// What lies in a folder.
pub fn names(folder: &Path) -> Sure<BTreeSet<PathBuf>> {
    Ok(fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?)
}

/// Files and devices to which this machine swaps.
pub fn swap_spaces() -> Sure<Vec<PathBuf>> {
    let text = fs::read_to_string("/proc/swaps")?;
    Ok(text.lines().skip(1).filter_map(|l| l.split_whitespace().next()).map(PathBuf::from).collect())
}
