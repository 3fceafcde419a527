//! The README's tour, copied command by command into a shell: every one does what the text says, or this fails.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

#[test]
fn every_command_of_the_tour_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let blocks: Vec<&str> = readme.split("<!-- tour -->\n```sh\n").skip(1).map(|b| b.split("```").next().expect("an end")).collect();
    assert!(blocks.len() >= 5, "the tour is there");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let tour = blocks.concat().replace("8443", &port.to_string());
    // a shell in which a job can be named %1; whatever still runs at the end is stopped
    let script = format!("set -euo pipefail\nset -m\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{}", waited(&tour, port));
    let temp = tempfile::tempdir().expect("a folder");
    let out = Command::new("bash")
        .args(["-c", &script])
        .current_dir(root)
        .env("TMPDIR", temp.path())
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{}\n{stdout}\n{stderr}", out.status);
    for sign in ["admitted", "3 finished", "1 receipts", "3 merged", "clean"] {
        assert!(stdout.contains(sign), "{sign} is not shown:\n{stdout}\n{stderr}");
    }
}

/// A person reads on while the server starts; a script waits until it listens.
fn waited(tour: &str, port: u16) -> String {
    let wait = format!("for i in $(seq 200); do (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.1; done\n");
    tour.split_inclusive('\n').map(|line| if line.ends_with("&\n") { format!("{line}{wait}") } else { line.to_owned() }).collect()
}
