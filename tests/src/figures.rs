//! Figures of a campaign: printed, and kept in the folder that `ENROLMENT_FAULTS_OUT` names.
//!
//! One file a campaign, `<campaign>.jsonl`, one line each time. The server's own tests, which can't depend on this crate,
//! take this file by its path.
#![allow(clippy::disallowed_methods, reason = "of tests only, which may do this")]

use std::{env, fmt::Display, fs, fs::File, io::Write as _, path::PathBuf};

/// Tells a line of JSON.
pub fn tell(campaign: &str, line: impl Display) {
    println!("{line}");
    let Some(folder) = env::var_os("ENROLMENT_FAULTS_OUT").map(PathBuf::from) else { return };
    let kept = fs::create_dir_all(&folder).and_then(|()| {
        let mut file = File::options().create(true).append(true).open(folder.join(format!("{campaign}.jsonl")))?;
        // one write at the end of the file: campaigns run side by side
        file.write_all(format!("{line}\n").as_bytes())
    });
    kept.expect("the folder for figures can be written");
}
