//! Switches that break a promise on purpose, so that a test can show that it notices. In a test build only (cargo feature
//! `sabotage`, made by `scripts/sabotaged`): without the feature nothing of this is in the program, and a test looks.
//!
//! ```text
//! ENROLMENT_SABOTAGE=synchronous-normal enroll-client enrol people --yes
//! ENROLMENT_SABOTAGE=poison-abort,guard-in-backup sync-server serve
//! ```
#![cfg_attr(feature = "sabotage", allow(clippy::disallowed_methods, reason = "the only reader of the test build's switches"))]

/// A test build says what it is.
#[cfg(feature = "sabotage")]
pub fn warn() {
    eprintln!("test build: this program breaks promises when ENROLMENT_SABOTAGE says so; never use it for residents");
}

/// Nothing to say in this build.
#[cfg(not(feature = "sabotage"))]
pub const fn warn() {}

/// Is this switch on?
#[cfg(feature = "sabotage")]
pub fn on(switch: &str) -> bool {
    std::env::var("ENROLMENT_SABOTAGE").is_ok_and(|switches| switches.split(',').any(|s| s == switch))
}

/// No switch is ever on in this build. Inlined, so that the switch's name is not in the program either.
#[cfg(not(feature = "sabotage"))]
#[inline]
pub const fn on(_switch: &str) -> bool {
    false
}
