//! Sealing: a record becomes an age file that only the registry's opener can read; and opening, the other way.
//!
//! ```text
//!  Record ─1 tar──▶ record.json, parts ─2 zstd──▶ one frame ─3 padding──▶ frame ‖ zeros ─4 age──▶ SealedRecord
//!          strict ustar                 level 3             up to Padmé           working, recovery
//! ```
//!
//! The numbers are those of `SPEC.md`, section 2, and stand above the lines that do the steps.
//!
//! **Trust:** sealing takes a [`Record`](crate::record::Record), which has passed its form. Opening takes bytes from
//! anybody who could sign a line: every limit comes from that signed line and is checked before the step that it
//! bounds. **Invariants:** nothing touches a file; what was readable is zeroized when dropped; a unit that has
//! sealed a record has nothing to open it with.
//!
//! The `mlkem768x25519` recipient type ([`hybrid`]) is our own few lines over the hpke crate. It passes the public
//! vectors; it has not been audited by anybody.

pub mod header;
#[cfg(feature = "seal")]
pub mod tar;
#[cfg(feature = "seal")]
pub mod frame;
#[cfg(feature = "seal")]
pub mod padding;
#[cfg(feature = "seal")]
pub mod hybrid;
#[cfg(feature = "seal")]
mod recipient;
#[cfg(feature = "seal")]
mod sealed;
#[cfg(feature = "seal")]
mod open;
#[cfg(feature = "seal")]
mod small;
#[cfg(all(test, feature = "seal"))]
mod tests;

pub use header::check_header;
#[cfg(feature = "sample")]
pub use sealed::seal_raw;
#[cfg(feature = "seal")]
pub use {
    open::{Expected, Limits, Opened, open},
    recipient::{Identity, Recipient, Recipients},
    sealed::{SealedRecord, seal},
    small::{age_open, age_to, passphrase_lock, passphrase_open},
};
