//! Makes the committed vectors again, and the parsers' seeds: `cargo run --release --workspace --bin vectors`, into
//! `tests/vectors/` and `tests/corpus/`.
//!
//! A folder each: `records/<defect>/{sealed.age,line,code}` and `manifests/<defect>/{manifest,code}`, beside
//! `roster` and `form.json`. age draws its own randomness, so sealed bytes differ from run to run; what they must
//! get does not.

use std::{fs, path::Path};

use shared::{id::RosterVersion, problem::Code, sample::forms, seal::Recipients, time::Second};
use tests::defects::{Workshop, manifests, vector_identities};

fn main() -> std::io::Result<()> {
    if std::env::args_os().len() > 1 {
        return Err(std::io::Error::other("it takes no arguments, and writes into tests/vectors and tests/corpus"));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    records(&root)?;
    for forged in manifests::all() {
        let folder = root.join("manifests").join(forged.name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("manifest"), &forged.bytes)?;
        fs::write(folder.join("code"), code(forged.code))?;
    }
    fs::write(root.join("roster"), manifests::roster().note().as_bytes())?;
    seeds(&root.with_file_name("corpus"))
}

fn seeds(root: &Path) -> std::io::Result<()> {
    for (parser, name, bytes) in tests::seeds::all() {
        fs::create_dir_all(root.join(parser))?;
        fs::write(root.join(parser).join(name), bytes)?;
    }
    Ok(())
}

fn records(root: &Path) -> std::io::Result<()> {
    let [working, recovery] = vector_identities();
    let recipients = Recipients::new(working.recipient(), recovery.recipient()).expect("one kind");
    let [_, _, certificate] = forms();
    let name = |text: &str| text.parse().expect("a name");
    let agent = shared::keys::Signer::from_seed("agent-1".parse().expect("a name"), &[11; 32]);
    let finished = Second::from_unix(1_790_000_000);
    let mut workshop = Workshop::new(name("van-1"), name("agent-1"), recipients, certificate, RosterVersion(1), finished, 7);
    for (number, forged) in (1..).zip(workshop.all()) {
        let folder = root.join("records").join(forged.name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("sealed.age"), &forged.sealed)?;
        fs::write(folder.join("line"), format!("{}\n", forged.line(number, &workshop.unit, &agent)))?;
        fs::write(folder.join("code"), code(forged.code))?;
    }
    let certificate = shared::form::FIRST[2];
    fs::write(root.join("form.json"), certificate)
}

fn code(code: Option<Code>) -> String {
    code.map_or_else(|| "good\n".to_owned(), |code| format!("{code}\n"))
}
