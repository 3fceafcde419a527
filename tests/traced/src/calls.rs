//! The system calls that change files, and those that tell somebody something.

use libc::c_long;

/// A call, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// As the manual pages name it.
    pub name: &'static str,
    pub number: c_long,
}

macro_rules! calls {
    ($($name:literal $number:ident),* $(,)?) => {
        /// Every call that is looked at.
        pub const CALLS: &[Call] = &[$(Call { name: $name, number: libc::$number }),*];
    };
}

calls! {
    "fsync" SYS_fsync, "fdatasync" SYS_fdatasync, "sync_file_range" SYS_sync_file_range, "syncfs" SYS_syncfs, "sync" SYS_sync,
    "rename" SYS_rename, "renameat" SYS_renameat, "renameat2" SYS_renameat2,
    "unlink" SYS_unlink, "unlinkat" SYS_unlinkat, "rmdir" SYS_rmdir,
    "link" SYS_link, "linkat" SYS_linkat, "symlink" SYS_symlink, "symlinkat" SYS_symlinkat,
    "open" SYS_open, "openat" SYS_openat, "openat2" SYS_openat2, "creat" SYS_creat, "mkdir" SYS_mkdir, "mkdirat" SYS_mkdirat,
    "truncate" SYS_truncate, "ftruncate" SYS_ftruncate, "fallocate" SYS_fallocate,
    "write" SYS_write, "pwrite64" SYS_pwrite64, "writev" SYS_writev, "pwritev" SYS_pwritev, "pwritev2" SYS_pwritev2,
    "sendto" SYS_sendto, "sendmsg" SYS_sendmsg,
    "copy_file_range" SYS_copy_file_range, "sendfile" SYS_sendfile, "splice" SYS_splice,
}

impl Call {
    /// The call of a number; none for one that is not looked at.
    pub fn of(number: u64) -> Option<Self> {
        CALLS.iter().copied().find(|c| u64::try_from(c.number) == Ok(number))
    }
}
