//! The program of the unit. Everything is in the library, so that tests can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    enroll_client::sabotage::warn();
    enroll_client::cli::main()
}
