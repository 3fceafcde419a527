//! What a record says of itself: of which finger or eye it is, how good, taken how and by what.
//!
//! **Invariants:** "unknown" is nothing said; 254 and 255 are no quality: the capture failed, or nobody measured (ISO/IEC 19794-1).

/// What a record says of itself; nothing, where it says "unknown" or its format has no place for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Says {
    /// Of which finger or eye it is, as positions are named: `finger-left-ring`; several fingers have names that no position has.
    pub position: Option<&'static str>,
    /// Its quality, from 0 to 100.
    pub quality: Option<u8>,
    /// How the finger was taken, by the number of ISO/IEC 19794-4.
    pub impression: Option<u8>,
    /// Who made the device, and which one it was.
    pub device: Option<(u16, u16)>,
}

impl Says {
    /// What it is of, where that is another finger or eye than this position is for.
    pub fn other_than(&self, position: &str) -> Option<&'static str> {
        let finger = position.strip_prefix("minutiae-").map(|finger| format!("finger-{finger}"));
        let claimed = finger.as_deref().unwrap_or(position);
        self.position.filter(|said| *said != claimed && NAMED.contains(&claimed))
    }

    /// The device in words that a record takes: `vendor 0x0040, device 0x000f`. Nothing, where both are unknown.
    pub fn device_words(&self) -> Option<String> {
        match self.device? {
            (0, 0) => None,
            (vendor, device) => Some(format!("vendor {vendor:#06x}, device {device:#06x}")),
        }
    }
}

/// Positions whose names say which finger or eye it is; those of forms that name theirs otherwise are not compared.
const NAMED: [&str; 12] = [
    "finger-right-thumb",
    "finger-right-index",
    "finger-right-middle",
    "finger-right-ring",
    "finger-right-little",
    "finger-left-thumb",
    "finger-left-index",
    "finger-left-middle",
    "finger-left-ring",
    "finger-left-little",
    "iris-right",
    "iris-left",
];

/// Positions of fingers (ISO/IEC 19794-2 table 2, 19794-4 table 6).
pub(super) fn finger(code: u8) -> Option<&'static str> {
    match code {
        0 => None,
        1..=10 => NAMED.get(usize::from(code) - 1).copied(),
        13 => Some("four-fingers-right"),
        14 => Some("four-fingers-left"),
        15 => Some("both-thumbs"),
        _ => Some("no-single-finger"),
    }
}

/// Eyes (ISO/IEC 19794-6).
pub(super) const fn eye(code: u8) -> Option<&'static str> {
    match code {
        1 => Some("iris-right"),
        2 => Some("iris-left"),
        _ => None,
    }
}

/// A quality from 0 to 100; anything else says that there is none.
pub(super) const fn percent(quality: u8) -> Option<u8> {
    if quality <= 100 { Some(quality) } else { None }
}
