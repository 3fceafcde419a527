//! Real captures, where they are at hand: through the real programs into a real centre.
//!
//! `ENROL_TEST_DATA`, or `../shared/data` beside the workspace, holds published test captures. Without it the test says
//! so and passes. Names and numbers are invented; the captures are read where they lie and shown nowhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use shared::{
    id::Transaction,
    sample::{Kind, Resident, Sample, Size, forms},
    time::Second,
};
use tests::{
    skipped::skip,
    world::{Finished, Plan, Sure, Unit, World, path_text},
};

const FORM: &str = "national-id/1";

fn captures() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("ENROL_TEST_DATA").map_or_else(beside, PathBuf::from).join("biometrics");
    if folder.is_dir() {
        return Some(folder);
    }
    skip(format_args!("no real captures in {}", folder.display()));
    None
}

/// Fills in a draft: invented fields, and pictures from wherever they are.
struct Desk<'a> {
    unit: &'a Unit,
    draft: String,
    invented: Resident,
    scratch: PathBuf,
}

impl<'a> Desk<'a> {
    fn begin(world: &'a World, n: u64) -> Sure<Self> {
        let unit = &world.units[0];
        let sample = Sample::new(77, Second::from_unix(1_790_000_000), Size::Usual);
        let invented = sample.take(n, 0, &forms()[0], Transaction::New, Kind::Complete)?;
        let draft = unit.agent(&["draft", "new", FORM])?.ok()?.text("draft")?;
        let fields: Vec<String> =
            invented.input.person.iter().map(|(field, value)| format!("{field}={}", value.as_deref().unwrap_or_default())).collect();
        unit.agent(&["draft", "set", &draft].into_iter().chain(fields.iter().map(String::as_str)).collect::<Vec<_>>())?.ok()?;
        Ok(Self { unit, draft, invented, scratch: world.path() })
    }

    fn attach(&self, position: &str, file: &Path, media_type: &str) -> Sure<()> {
        let args = ["draft", "attach", &self.draft, position, path_text(file)?, "--media-type", media_type];
        self.unit.agent(&args)?.ok().map(drop)
    }

    /// A drawn picture, where there is no real one.
    fn drawn(&self, position: &str) -> Sure<()> {
        let (name, bytes) = self
            .invented
            .files
            .iter()
            .find(|(name, _)| name.as_str().starts_with(&format!("{position}.")))
            .ok_or_else(|| tests::world::Broken(format!("no picture for {position}")))?;
        let file = self.scratch.join(name.as_str());
        fs::write(&file, bytes)?;
        let media_type = if name.as_str().ends_with("jpg") { "image/jpeg" } else { "image/png" };
        self.attach(position, &file, media_type)?;
        Ok(fs::remove_file(file)?)
    }

    fn finish(self) -> Sure<Finished> {
        let ran = self.unit.agent(&["finish", &self.draft, "--yes"])?.ok()?;
        self.unit.finished(ran.summary(), None)
    }
}

const FINGERS: [&str; 5] = ["thumb", "index", "middle", "ring", "little"];

/// One subject of a mock capture device: ISO 19794 records of face, ten fingers and two irises.
fn mock_device(world: &World, folder: &Path) -> Sure<Finished> {
    let desk = Desk::begin(world, 1)?;
    desk.attach("face", &folder.join("0001Face.iso"), "image/iso19794-5")?;
    for (side, capital) in [("right", "Right"), ("left", "Left")] {
        for finger in FINGERS {
            let name = format!("0001{capital}_{}{}.iso", finger[..1].to_uppercase(), &finger[1..]);
            desk.attach(&format!("finger-{side}-{finger}"), &folder.join(name), "image/iso19794-4")?;
        }
        desk.attach(&format!("iris-{side}"), &folder.join(format!("0001{capital}_Iris.iso")), "image/iso19794-6")?;
    }
    desk.drawn("signature")?;
    desk.finish()
}

/// One person in a CBEFF file.
fn cbeff(world: &World, file: &Path) -> Sure<Finished> {
    let desk = Desk::begin(world, 2)?;
    let ran = desk.unit.agent(&["draft", "import-cbeff", &desk.draft, path_text(file)?])?.ok()?;
    let missing: Vec<String> = serde_json::from_value(ran.summary()["missing"].clone())?;
    for position in missing.iter().flat_map(|m| m.split(' ')).filter(|p| ["face", "signature"].contains(p)) {
        desk.drawn(position)?;
    }
    desk.finish()
}

/// An inked ten-print card, scanned and compressed as WSQ.
fn card(world: &World, folder: &Path) -> Sure<Finished> {
    let desk = Desk::begin(world, 3)?;
    for (at, (side, letter)) in [("right", 'R'), ("left", 'L')].into_iter().enumerate() {
        for (n, finger) in FINGERS.iter().enumerate() {
            let name = format!("{:02}_{letter}-{finger}_rolled.wsq", at * 5 + n + 1);
            desk.attach(&format!("finger-{side}-{finger}"), &folder.join(name), "image/wsq")?;
        }
    }
    desk.drawn("face")?;
    desk.drawn("signature")?;
    desk.finish()
}

#[test]
fn real_captures_are_enrolled_and_merged() -> Sure<()> {
    let Some(captures) = captures() else { return Ok(()) };
    let world = World::with_units(&Plan::default(), 1)?;
    let finished = [
        mock_device(&world, &captures.join("mosip-mockmds-s1/registration"))?,
        cbeff(&world, &captures.join("mosip-cbeff/cbeff-sample.xml"))?,
        card(&world, &captures.join("nist-tpcard-wsq"))?,
    ];
    world.oracle.note(&finished)?;
    world.units[0].close()?;
    let stands = world.units[0].settle()?;
    for record in finished {
        assert_eq!(stands[&record.number].state, "merged", "{}: {}", record.number, stands[&record.number].told);
    }
    Ok(())
}
