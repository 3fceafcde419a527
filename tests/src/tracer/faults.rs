//! What is done to the program, and when. This file is also a part of `tests/traced`, which does it.

use std::fmt;

/// What happens at the act that is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The program and its children are ended by signal 9, just before the act.
    Kill,
    /// The act has no effect and answers EIO, once.
    Eio,
    /// The act has no effect and answers ENOSPC, once.
    Enospc,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kill, Self::Eio, Self::Enospc];

    /// Its name on the command line of `traced`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Eio => "eio",
            Self::Enospc => "enospc",
        }
    }

    /// The fault of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }

    /// What the act answers (Linux).
    pub const fn errno(self) -> Option<i32> {
        match self {
            Self::Kill => None,
            Self::Eio => Some(5),
            Self::Enospc => Some(28),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which act is hit. Durable acts are counted over all threads: syncs, renames, links and unlinks under the roots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trigger {
    /// Only acts on paths that begin so are counted and hit.
    pub within: Option<String>,
    /// Counting begins with the first act on a path that begins so.
    pub from: Option<String>,
    /// So many durable acts pass, the next one is hit.
    pub after: u64,
    /// Instead of that one: the write after so many more writes; the durable act all the same if that comes first.
    pub write: Option<u64>,
}

impl Trigger {
    /// `kill,after=3,write=1,within=db,from=staging/`: an argument of `traced`.
    pub fn print(&self, fault: Fault) -> String {
        let mut text = format!("{fault},after={}", self.after);
        for (key, value) in [("write", &self.write.map(|w| w.to_string())), ("within", &self.within), ("from", &self.from)] {
            if let Some(value) = value {
                text.extend([",", key, "=", value]);
            }
        }
        text
    }

    /// Reads it again.
    pub fn parse(text: &str) -> Option<(Self, Fault)> {
        let (fault, rest) = text.split_once(',').unwrap_or((text, ""));
        let mut trigger = Self::default();
        for pair in rest.split(',').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=')?;
            match key {
                "after" => trigger.after = value.parse().ok()?,
                "write" => trigger.write = Some(value.parse().ok()?),
                "within" => trigger.within = Some(value.to_owned()),
                "from" => trigger.from = Some(value.to_owned()),
                _ => return None,
            }
        }
        Some((trigger, Fault::named(fault)?))
    }
}
