//! `sync-server`: the centre's one program. See [`sync_server`].

use std::process::ExitCode;

fn main() -> ExitCode {
    ground::memory::settle("sync-server");
    ground::sabotage::warn();
    sync_server::cli::main()
}
