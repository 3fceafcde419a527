//! Writes folders of invented residents, as `enroll-client enrol` reads them.
//!
//! `samples FOLDER [--count N] [--seed N] [--form NAME]`

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use shared::{
    id::{FormName, Transaction},
    sample::{Sample, Size, forms},
    time::Second,
};

/// Writes folders of invented residents, as `enroll-client enrol` reads them
#[derive(Parser)]
#[command(name = "samples", version)]
struct Arguments {
    /// Where to; made when it is not there
    folder: PathBuf,
    /// How many residents
    #[arg(long, default_value_t = 3)]
    count: u64,
    /// Other people for another number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Under which form
    #[arg(long, default_value = "national-id/1")]
    form: FormName,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(form) = forms().into_iter().find(|f| *f.name() == arguments.form) else {
        eprintln!("no such form: {}", arguments.form);
        return ExitCode::from(2);
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
    let sample = Sample::new(arguments.seed, Second::from_unix(now), Size::Usual);
    for n in 0..arguments.count {
        let resident = sample.resident(n, &form, Transaction::New).expect("every form has new");
        let folder = arguments.folder.join(format!("resident-{}", n + 1));
        if let Err(e) = write(&folder, &resident.folder()) {
            eprintln!("{}: {e}", folder.display());
            return ExitCode::FAILURE;
        }
        println!("{}", folder.display());
    }
    ExitCode::SUCCESS
}

fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
}
