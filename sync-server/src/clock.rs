//! The only reader of the clock. Everything else takes `now` as a value.
//!
//! **Trust:** the wall clock may be wrong; what must hold comes from log time ([`crate::pipeline`]), which
//! only compares readings of this clock with each other.
#![allow(clippy::disallowed_methods, reason = "this file owns the clock")]

use std::time::{SystemTime, UNIX_EPOCH};

use shared::time::Second;

/// The second that the machine's clock shows. A clock before 1970 shows 1970.
pub fn now() -> Second {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Second::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}
