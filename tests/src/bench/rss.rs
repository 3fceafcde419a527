//! Peak resident memory of a process, as Linux counts it.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::world::{Broken, Sure};

/// Bytes at the peak since the start, or since [`reset`]; 0 when the process is gone.
pub fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

/// Counts from here on.
pub fn reset(pid: u32) {
    // a kernel that does not let us: the peak is then that of the whole life of the process
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// Runs a command to its end; its peak, seen every millisecond.
pub fn of_command(mut command: Command, what: &str) -> Sure<u64> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child: Child = command.spawn()?;
    let mut most = 0;
    loop {
        most = most.max(peak(child.id()));
        if let Some(status) = child.try_wait()? {
            return if matches!(status.code(), Some(0 | 3 | 4)) { Ok(most) } else { Err(Broken(format!("{what} ended with {status}"))) };
        }
        thread::sleep(Duration::from_millis(1));
    }
}
