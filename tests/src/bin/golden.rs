//! Makes the golden world again: `cargo run --release --workspace --bin golden`, into `tests/golden/`.
//!
//! A centre and a unit of this version, with a merged batch, a batch that waits for a link, a finished record and an
//! open draft: later versions must open them. Made once a format version; the old ones stay.

use std::{fs, path::Path, process::Command};

use serde_json::json;
use shared::{
    sample::{Sample, Size},
    time::Second,
};
use tests::world::{Broken, Plan, Sure, World, path_text, write_sources};

fn main() -> Sure<()> {
    let temp = tempfile::tempdir()?;
    let mut world = World::kept(temp.path(), &Plan::default())?;
    world.join(1)?;
    let sample = Sample::new(20_261, Second::from_unix(1_790_000_000), Size::Tiny);
    let sources = write_sources(&temp.path().join("residents"), &sample, &[(1, 0), (2, 0), (3, 0), (4, 0)])?;
    world.enrol(0, &sources[..2])?;
    world.units[0].close()?.ok()?;
    world.units[0].settle()?;
    world.unplug()?;
    world.enrol(0, &sources[2..3])?;
    world.units[0].close()?.ok()?;
    world.enrol(0, &sources[3..])?;
    world.units[0].agent(&["draft", "new", "national-id/1"])?.ok()?;
    let facts = world.centre.fsck()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    fs::create_dir_all(&folder)?;
    let unit = &world.units[0];
    let facts = json!({
        "registry_digest": facts["registry_digest"], "log_key": world.centre.log_key,
        "passphrase": unit.passphrase, "supervisor_passphrase": unit.supervisor_passphrase,
    });
    fs::write(folder.join("v1.json"), format!("{facts:#}\n"))?;
    pack(temp.path(), &folder.join("v1.tar.zst"))
}

fn pack(from: &Path, to: &Path) -> Sure<()> {
    let tar =
        Command::new("tar").args(["-C", path_text(from)?, "--exclude=reserve", "--sort=name", "-cf", "-", "centre", "van-1"]).output()?;
    if !tar.status.success() {
        return Err(Broken(String::from_utf8_lossy(&tar.stderr).into_owned()));
    }
    Ok(fs::write(to, zstd::bulk::compress(&tar.stdout, 19)?)?)
}
