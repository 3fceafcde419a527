//! Settings: flags > environment > configuration file (TOML) > defaults. The only reader of the environment.
//!
//! ```toml
//! data-dir = "/var/lib/enroll-client"
//! machine-secret = "/etc/enroll-client/machine.secret"
//! as = "agent-007"
//! passphrase-file = "/run/keys/agent"
//! lang = "ar"
//! ```
#![allow(clippy::disallowed_methods, reason = "this file owns the environment")]

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Deserialize;
use shared::{
    id::Member,
    problem::{Code, Lang, Problem},
};

use crate::{
    durable,
    say::Say,
    vault::{Places, machine},
};
use ground::{
    passphrase::{self, Source},
    say::no_colour,
};

/// Under what the options stand that every command takes: its own come first.
const EVERYWHERE: &str = "Options of every command";

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Configuration file (TOML) [default: config.toml in the data folder]
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "ENROLL_CLIENT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the vault [default: ~/.local/share/enroll-client]
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "ENROLL_CLIENT_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// File of the machine secret [default: the systemd credential machine.secret, else in the data folder]
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "ENROLL_CLIENT_MACHINE_SECRET", value_name = "FILE")]
    machine_secret: Option<PathBuf>,
    /// Who is at the keyboard [default: the only agent of this laptop]
    #[arg(long = "as", global = true, help_heading = EVERYWHERE, env = "ENROLL_CLIENT_AS", value_name = "NAME", value_parser = member)]
    who: Option<Member>,
    /// Read the passphrase from the first line of this file
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "ENROLL_CLIENT_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this file descriptor
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "N")]
    passphrase_fd: Option<u32>,
    /// Print JSON Lines on standard output; the last one is a summary or an error
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    /// Print results only
    #[arg(long, short, global = true, help_heading = EVERYWHERE, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more on standard error
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    verbose: bool,
    /// Language of problem texts: ar, fr or en
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "ENROLL_CLIENT_LANG", value_name = "LANG", value_parser = language)]
    lang: Option<Lang>,
}

fn language(text: &str) -> Result<Lang, String> {
    text.parse().map_err(|_| "ar, fr or en".to_owned())
}

/// Reads a member's name from the command line.
pub fn member(text: &str) -> Result<Member, String> {
    text.parse().map_err(|_| "a name is a-z, 0-9 and -, begins with a letter and has at most 32 characters".to_owned())
}

/// The configuration file. Every key may be missing; an unknown one is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_field_names, reason = "the keys as a person writes them")]
struct File {
    data_dir: Option<PathBuf>,
    machine_secret: Option<PathBuf>,
    r#as: Option<Member>,
    passphrase_file: Option<PathBuf>,
    lang: Option<String>,
    #[serde(default)]
    sync: SyncSettings,
}

/// How `sync` behaves.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SyncSettings {
    /// Most bytes a second that are sent.
    pub rate: Option<u64>,
    /// Only at this time of day, as `20:00-06:00`.
    pub window: Option<String>,
    /// Minutes after which a run stops.
    pub max_minutes: Option<u64>,
}

/// What the program goes by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the vault lies.
    pub places: Places,
    /// Who is at the keyboard.
    pub who: Option<Member>,
    /// Where the passphrase comes from.
    pub passphrase: Source,
    /// How to speak.
    pub say: Say,
    /// How `sync` behaves.
    pub sync: SyncSettings,
}

impl Global {
    /// How to speak, before the configuration file is read.
    pub fn say(&self) -> Say {
        Say { json: self.json, quiet: self.quiet, verbose: self.verbose, lang: self.lang.unwrap_or_default(), no_colour: no_colour() }
    }

    /// Puts flags, environment, configuration file and defaults together.
    pub fn settings(self) -> Result<Settings, Problem> {
        let usual = default_data();
        let config = self.config.clone().or_else(|| Some(self.data_dir.as_ref().unwrap_or(&usual).join("config.toml")));
        let file = read(config.as_deref(), self.config.is_some())?;
        let mut say = self.say();
        if let (None, Some(lang)) = (self.lang, &file.lang) {
            say.lang = lang.parse().map_err(|_| Problem::new(Code::ConfigInvalid, "lang"))?;
        }
        let credentials = passphrase::credentials();
        let data = self.data_dir.or(file.data_dir).unwrap_or(usual);
        let secret = machine::place(self.machine_secret.or(file.machine_secret), credentials.as_deref(), &data);
        Ok(Settings {
            places: Places { data, machine: secret },
            who: self.who.or(file.r#as),
            passphrase: Source {
                fd: self.passphrase_fd,
                file: self.passphrase_file.or(file.passphrase_file),
                credential: passphrase::credential("passphrase"),
                nobody: (Code::SessionNeeded, "--passphrase-file or --passphrase-fd"),
            },
            say,
            sync: file.sync,
        })
    }
}

fn read(path: Option<&Path>, demanded: bool) -> Result<File, Problem> {
    let Some(path) = path else { return Ok(File::default()) };
    let invalid = |why: String| Problem::new(Code::ConfigInvalid, format!("{}: {why}", path.display()));
    match durable::read_at_most(path, 64 << 10)? {
        None if demanded => Err(invalid("not there".to_owned())),
        None => Ok(File::default()),
        Some(bytes) => {
            let text = std::str::from_utf8(&bytes).map_err(|e| invalid(e.to_string()))?;
            toml::from_str(text).map_err(|e| invalid(e.message().to_owned()))
        }
    }
}

fn default_data() -> PathBuf {
    // empty and relative paths are as unset (XDG Base Directory Specification)
    let set = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || set("HOME").map_or_else(|| PathBuf::from("/var/lib"), |home| home.join(".local/share"));
    set("XDG_DATA_HOME").unwrap_or_else(home).join("enroll-client")
}

/// Whether the arguments hold this word; for the one moment when they could not be parsed.
pub fn arguments_hold(word: &str) -> bool {
    env::args_os().any(|a| a == word)
}
