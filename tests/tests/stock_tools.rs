//! Everything that leaves the programs opens with tools that share no code with ours.
//!
//! `age`, `zstd`, `tar`, the npm package age-encryption, and Go's packages for notes and transparency logs. A tool that
//! is not installed is named, and its test passes without it (`scripts/install` gets them).

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use enroll_client::vault::{Places, Vault};
use shared::{
    roster::RecipientKind,
    sample::{Sample, Size},
    seal::passphrase_open,
    time::Second,
};
use tests::{
    skipped::skip,
    world::{Broken, Plan, RECOVERY, Rogue, Sure, World, path_text, write_sources},
};

fn installed(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).status().is_ok();
    if !there {
        skip(format_args!("{tool} is not installed"));
    }
    there
}

/// Runs a tool over input; its output, when it went well.
fn through(command: &mut Command, input: &[u8]) -> Sure<Vec<u8>> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or_else(|| Broken("no standard input".into()))?;
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let out = child.wait_with_output()?;
    let _ = writer.join();
    if out.status.success() { Ok(out.stdout) } else { Err(Broken(format!("{command:?}: {}", String::from_utf8_lossy(&out.stderr)))) }
}

/// A world with one merged record, and the record's sealed bytes as they lie in the vault.
fn sealed(recipients: RecipientKind, seed: u64) -> Sure<(World, Vec<u8>)> {
    let mut world = World::with_units(&Plan { recipients, ..Plan::default() }, 1)?;
    let sample = Sample::new(seed, Second::from_unix(1_790_000_000), Size::Tiny);
    let sources = write_sources(&world.path().join("residents"), &sample, &[(0, 0)])?;
    world.enrol(0, &sources)?;
    world.units[0].close()?;
    assert_eq!(world.units[0].settle()?["1.1"].state, "merged");
    let bytes = vault(&world)?.sealed("1.1".parse().map_err(|_| Broken("a number".into()))?)?;
    Ok((world, bytes.ok_or_else(|| Broken("nothing sealed".into()))?))
}

fn vault(world: &World) -> Sure<Vault> {
    let data = world.units[0].data.clone();
    Ok(Vault::open(&Places { machine: data.join("machine.secret"), data })?)
}

/// The two identities, as files that any age reads: the working one, and the recovery one out of its passphrase.
fn identities(world: &World) -> Sure<[PathBuf; 2]> {
    let recovery = passphrase_open(&fs::read(world.centre.safe.join("recovery.identity"))?, RECOVERY)?;
    let opened = world.path().join("recovery.opened");
    fs::write(&opened, &*recovery)?;
    Ok([world.centre.data.join("keys/working.identity"), opened])
}

/// zstd, then tar: record.json first, then its parts.
fn unpacked(packed: &[u8]) -> Sure<()> {
    if !installed("zstd") || !installed("tar") {
        return Ok(());
    }
    let tar = through(Command::new("zstd").args(["-d", "-c", "-q"]), packed)?;
    let names = String::from_utf8(through(Command::new("tar").args(["-t", "-f", "-"]), &tar)?)?;
    let names: Vec<&str> = names.lines().collect();
    assert_eq!(names[0], "record.json");
    assert!(names.contains(&"face.jpg") && names.len() >= 3, "{names:?}");
    let json = through(Command::new("tar").args(["-x", "-O", "-f", "-", "record.json"]), &tar)?;
    let content: serde_json::Value = serde_json::from_slice(&json)?;
    assert_eq!(content["format"], "enroll-content/v1");
    Ok(())
}

#[test]
fn age_zstd_and_tar_open_a_record_with_each_identity() -> Sure<()> {
    if !installed("age") {
        return Ok(());
    }
    let (world, sealed) = sealed(RecipientKind::X25519, 41)?;
    for identity in identities(&world)? {
        unpacked(&through(Command::new("age").args(["-d", "-i", path_text(&identity)?]), &sealed)?)?;
    }
    Ok(())
}

#[test]
fn age_encryption_of_npm_opens_a_hybrid_record_with_each_identity() -> Sure<()> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = tests.join("../target/tools/node_modules");
    if !installed("node") {
        return Ok(());
    }
    if !modules.join("age-encryption").exists() {
        skip("the npm package age-encryption is not installed (scripts/install test)");
        return Ok(());
    }
    let (world, sealed) = sealed(RecipientKind::Hybrid, 42)?;
    for identity in identities(&world)? {
        let mut node = Command::new("node");
        node.env("AGE_MODULES", &modules).arg(tests.join("checkers/open.mjs")).arg(identity);
        unpacked(&through(&mut node, &sealed)?)?;
    }
    Ok(())
}

/// Go's checker, built into a folder that goes.
struct NoteCheck(PathBuf);

impl NoteCheck {
    fn build(folder: &Path) -> Sure<Option<Self>> {
        let packages = Path::new("/usr/share/gocode/src/golang.org/x/mod/sumdb/note");
        if Command::new("go").arg("version").output().is_err() || !packages.exists() {
            skip("go, or its package golang.org/x/mod/sumdb, is not installed");
            return Ok(None);
        }
        let (program, cache) = (folder.join("notecheck"), folder.join("go-cache"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("checkers/notecheck.go");
        let mut go = Command::new("go");
        go.args(["build", "-o"]).arg(&program).arg(source).current_dir(folder);
        go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "").env("GOCACHE", cache);
        through(&mut go, &[])?;
        Ok(Some(Self(program)))
    }

    fn run(&self, args: &[&str], input: &[u8]) -> Sure<String> {
        Ok(String::from_utf8(through(Command::new(&self.0).args(args), input)?)?)
    }
}

#[test]
fn go_verifies_manifest_checkpoint_receipt_and_consistency() -> Sure<()> {
    let scratch = tempfile::tempdir()?;
    let Some(go) = NoteCheck::build(scratch.path())? else { return Ok(()) };
    let (world, _) = sealed(RecipientKind::Hybrid, 43)?;
    let (vault, log) = (vault(&world)?, world.centre.log_key.as_str());
    let batch = vault.batches()?.remove(0);
    let manifest = vault.manifest(&batch.id)?;
    let keys = [("unit", "van-1"), ("agent", "supervisor-1")].map(|(kind, name)| key(&world, kind, name));
    let [unit, supervisor] = keys;
    let text = go.run(&["note", &unit?, &supervisor?], &manifest)?;
    assert!(text.starts_with("enroll-batch/v1\nunit van-1\n"));
    let receipt = vault.receipt(&batch.id)?.ok_or_else(|| Broken("no receipt".into()))?;
    let leaf = go.run(&["proof", log], &receipt)?;
    assert!(leaf.contains(&format!("batch {} manifest ", batch.id)), "{leaf}");
    let checkpoint = world.centre.run(&["log", "checkpoint"])?.ok()?.text("checkpoint")?;
    assert!(go.run(&["note", log], checkpoint.as_bytes())?.starts_with("registry.example/log\n"));
    // consistency, as a hello is answered
    let mut rogue = Rogue::admitted(&world, "van-9")?;
    let seen = rogue.seen();
    world.centre.run(&["roster", "publish"])?.ok()?;
    rogue.hello()?;
    let proof = rogue.consistency().to_owned();
    let seen = seen.to_string();
    let (size, root) = seen.split_once(' ').ok_or_else(|| Broken("a head".into()))?;
    go.run(&["consistency", log, size, root], proof.as_bytes())?;
    // and what was changed is refused
    let mut altered = receipt.clone();
    altered[60] ^= 1;
    assert!(go.run(&["proof", log], &altered).is_err());
    assert!(go.run(&["note", log], &manifest).is_err(), "another key");
    Ok(())
}

/// The other tests of this file where no tool is: they pass, and are told to whoever reads the list.
#[test]
fn what_is_skipped_stands_on_the_list() -> Sure<()> {
    let folder = tempfile::tempdir()?;
    let list = folder.path().join("skipped");
    let own = "what_is_skipped_stands_on_the_list";
    let tests = Command::new(std::env::current_exe()?).args(["--skip", own]).env("PATH", "").env("ENROLMENT_SKIPPED", &list).output()?;
    assert!(tests.status.success(), "{}", String::from_utf8_lossy(&tests.stdout));
    let list = fs::read_to_string(list)?;
    let mut lines: Vec<&str> = list.lines().collect();
    lines.sort_unstable();
    let expected = [
        "age_encryption_of_npm_opens_a_hybrid_record_with_each_identity: node is not installed",
        "age_zstd_and_tar_open_a_record_with_each_identity: age is not installed",
        "go_verifies_manifest_checkpoint_receipt_and_consistency: go, or its package golang.org/x/mod/sumdb, is not installed",
    ];
    assert_eq!(lines, expected);
    Ok(())
}

fn key(world: &World, kind: &str, name: &str) -> Sure<String> {
    let ran = world.centre.run(&[kind, "list"])?.ok()?;
    let found = ran.of(kind).find(|l| l["name"] == name).and_then(|l| l["key"].as_str());
    found.map(str::to_owned).ok_or_else(|| Broken(format!("{name} is not listed")))
}
