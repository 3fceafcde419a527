//! `sync-server`: the centre's one program. See [`sync_server`].

use std::process::ExitCode;

fn main() -> ExitCode {
    sync_server::sabotage::warn();
    sync_server::cli::main()
}
