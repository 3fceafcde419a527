//! What an agent's laptop says of pictures that are cut, mistaken or given twice, and of a file of which one block is odd.

use std::{fs, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use shared::{
    form::FIRST,
    id::Transaction,
    sample::{Kind, Resident, Sample, Size, forms},
    time::Second,
};
use tests::world::{Plan, Ran, Sure, Unit, World, path_text};

const FORM: &str = "national-id/1";

/// A draft of the national card, and a folder for its pictures.
struct Table<'a> {
    unit: &'a Unit,
    draft: String,
    folder: PathBuf,
    resident: Resident,
}

impl<'a> Table<'a> {
    fn laid(world: &'a World) -> Sure<Self> {
        let unit = &world.units[0];
        let sample = Sample::new(78, Second::from_unix(1_790_000_000), Size::Tiny);
        let resident = sample.take(1, 0, &forms()[0], Transaction::New, Kind::Complete)?;
        let draft = unit.agent(&["draft", "new", FORM])?.ok()?.text("draft")?;
        Ok(Self { unit, draft, folder: world.path(), resident })
    }

    fn attach(&self, position: &str, name: &str, bytes: &[u8]) -> Sure<Ran> {
        let file = self.folder.join(name);
        fs::write(&file, bytes)?;
        let ran = self.unit.agent(&["draft", "attach", &self.draft, position, path_text(&file)?])?;
        fs::remove_file(file)?;
        Ok(ran)
    }

    fn picture(&self, position: &str) -> &[u8] {
        self.resident.part(position).unwrap_or_default()
    }
}

/// A finger record (ISO/IEC 19794-4:2005) of 3 × 5 raw pixels, of a finger by its number.
fn finger(code: u8, pixel: u8) -> Vec<u8> {
    let head = [0, 0, 0, 30, 1, 1, 1, 0xf4, 1, 0xf4, 1, 0xf4, 1, 0xf4, 8, 0, 0, 0];
    let image = [&[0, 0, 0, 29, code, 1, 1, 80, 0, 0, 3, 0, 5, 0][..], &[pixel; 15]].concat();
    [&b"FIR\x00010\0\0\0\0\0\0\x3d"[..], &head, &image].concat()
}

#[test]
fn cut_repeated_mistaken_and_foreign_pictures_are_refused_and_the_draft_goes_on() -> Sure<()> {
    let world = World::with_units(&Plan::default(), 1)?;
    let table = Table::laid(&world)?;
    let (face, thumb) = (table.picture("face").to_vec(), table.picture("finger-left-thumb").to_vec());
    table.attach("face", "face.jpg", &face[..face.len() / 2])?.refused("image-cut")?;
    let zeros = [&thumb[..thumb.len() / 2], &vec![0; thumb.len() / 2]].concat();
    table.attach("finger-left-thumb", "thumb.png", &zeros)?.refused("image-cut")?;
    table.attach("face", "face.tif", b"II*\0\x08\0\0\0")?.refused("image-invalid")?;
    table.attach("finger-left-thumb", "thumb.png", &thumb)?.ok()?;
    table.attach("finger-left-index", "index.png", &thumb)?.refused("part-repeated")?;
    table.attach("finger-left-index", "index.iso", &finger(9, 1))?.refused("position-mismatch")?;
    table.attach("finger-left-ring", "ring.iso", &finger(9, 1))?.ok()?;
    // what a phone appends
    table.attach("face", "face.jpg", &[&face[..], &[7; 1000]].concat())?.ok()?;
    let shown = table.unit.agent(&["draft", "show", &table.draft])?.ok()?;
    assert_eq!(shown.of("content").filter(|row| row["value"].to_string().contains("bytes")).count(), 3, "{:?}", shown.lines);
    Ok(())
}

#[test]
fn one_odd_block_of_a_cbeff_file_is_named_and_the_others_are_attached() -> Sure<()> {
    let world = World::with_units(&Plan::default(), 1)?;
    let table = Table::laid(&world)?;
    let leaf = |subtype: &str, block: &[u8]| {
        let block = BASE64_STANDARD.encode(block);
        format!("<BIR><BDBInfo><Type>Finger</Type><Subtype>{subtype}</Subtype></BDBInfo><BDB>{block}</BDB></BIR>")
    };
    let import = |blocks: &str| -> Sure<_> {
        let file = table.folder.join("captures.xml");
        fs::write(&file, format!("<BIR>{blocks}</BIR>"))?;
        table.unit.agent(&["draft", "import-cbeff", &table.draft, path_text(&file)?])
    };
    let cut = &finger(8, 2)[..50];
    let blocks = [
        leaf("Left IndexFinger", &finger(7, 1)),
        leaf("Left MiddleFinger", cut),
        leaf("Left RingFinger", &finger(1, 3)),
        leaf("Left LittleFinger", &finger(0, 4)),
    ];
    let ran = import(&blocks.concat())?;
    assert_eq!(ran.exit, Some(3), "done in part: {:?}", ran.lines);
    let told = format!("{:?} {}", ran.lines, ran.err);
    assert!(told.contains("BIR 2: finger-left-middle") && told.contains("position-mismatch"), "{told}");
    let missing = ran.summary()["missing"].to_string();
    assert!(!missing.contains("finger-left-index") && !missing.contains("finger-left-little"), "{missing}");
    assert!(missing.contains("finger-left-middle") && missing.contains("finger-left-ring"), "{missing}");
    import(&leaf("Left MiddleFinger", cut))?.refused("cbeff-invalid")?;
    import(&leaf("Left MiddleFinger", &finger(8, 2)))?.ok()?;
    Ok(())
}

/// The centre publishes a form for devices that name the wrong finger.
#[test]
fn a_form_says_whose_word_counts() -> Sure<()> {
    let mut form: Value = serde_json::from_slice(FIRST[0])?;
    let mut world = World::new(&Plan::default())?;
    let mut files = Vec::new();
    for positions in ["inside", "label"] {
        form["name"] = json!(format!("card-{positions}/1"));
        form["positions"] = json!(positions);
        let file = world.path().join(format!("{positions}.json"));
        fs::write(&file, form.to_string())?;
        files.push(file);
    }
    let mut args = vec!["roster", "publish"];
    for file in &files {
        args.extend(["--form", path_text(file)?]);
    }
    world.centre.run(&args)?.ok()?;
    world.join(1)?;
    let unit = &world.units[0];
    let file = world.path().join("finger.iso");
    fs::write(&file, finger(9, 1))?;
    for (form, position) in [("card-inside/1", "finger-left-ring"), ("card-label/1", "finger-right-ring")] {
        let draft = unit.agent(&["draft", "new", form])?.ok()?.text("draft")?;
        let ran = unit.agent(&["draft", "attach", &draft, "finger-right-ring", path_text(&file)?])?.ok()?;
        assert!(!ran.summary()["missing"].to_string().contains(position), "{form}: {:?}", ran.lines);
    }
    Ok(())
}
