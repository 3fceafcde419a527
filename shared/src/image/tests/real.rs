//! Published captures of real devices, where they are at hand: what each says, and that each cut of it is found.

use std::path::{Path, PathBuf};

use super::*;

/// The folder of real samples, where there is one.
fn samples() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let folder = std::env::var_os("ENROL_TEST_DATA").map_or_else(beside, PathBuf::from).join("biometrics");
    if folder.is_dir() {
        return Some(folder);
    }
    crate::skipped::skip(format_args!("no samples in {}", folder.display()));
    None
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable").map(|e| e.expect("readable").path()) {
        if entry.is_dir() { files(&entry, found) } else { found.push(entry) }
    }
}

/// Name, media type that its ending or first bytes promise, bytes; in the order of their names.
fn all() -> Vec<(String, &'static str, Vec<u8>)> {
    let Some(folder) = samples() else { return Vec::new() };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    let named = paths.into_iter().filter_map(|path| {
        let bytes = std::fs::read(&path).expect("readable");
        let name = path.strip_prefix(&folder).expect("inside").display().to_string();
        let by_name = match path.extension()?.to_str()? {
            "png" | "bmp" => "image/png",
            "jpg" => "image/jpeg",
            "jp2" => "image/jp2",
            "wsq" => "image/wsq",
            "iso" => "image/iso19794-4",
            _ => return None,
        };
        Some((name, ImageKind::of(&bytes).map_or(by_name, ImageKind::media_type), bytes))
    });
    named.collect()
}

#[test]
fn each_real_file_gets_its_verdict() {
    let mut whole = 0;
    let all = all();
    for (name, media_type, bytes) in &all {
        let read = super::super::read(media_type, bytes);
        match &read {
            Ok(header) => println!("{name}\twhole\t{} × {}, {:?} dpi, {:?}", header.width, header.height, header.dpi, header.says),
            Err(problem) => println!("{name}\t{}\t{}", problem.code, problem.detail),
        }
        let expected = match name.rsplit('/').next().expect("a name") {
            cut if cut.starts_with("invalid_") => Some(Code::ImageCut),
            other if other.contains("encrypted") || other.contains("FingerImage") => Some(Code::ImageInvalid),
            _ => None,
        };
        assert_eq!(read.as_ref().err().map(|p| p.code), expected, "{name}: {read:?}");
        let Ok(header) = read else { continue };
        if header.kind == ImageKind::Finger || (header.kind == ImageKind::Wsq && header.dpi.is_some()) {
            assert!(matches!(header.dpi, Some(490..=510)), "{name}: {header:?}");
        }
        whole += 1;
    }
    assert!(all.is_empty() || whole > 80, "only {whole} files were read");
}

#[test]
fn each_eighth_of_a_real_file_is_a_cut_and_so_is_one_that_ends_in_zeros() {
    for (name, media_type, bytes) in all() {
        let Ok(header) = super::super::read(media_type, &bytes) else { continue };
        // one device pads whole records: a cut inside of the padding loses nothing
        let end = bytes.iter().rposition(|byte| *byte != 0).expect("not empty");
        for eighth in 1..8 {
            let at = bytes.len() * eighth / 8;
            if at > end {
                continue;
            }
            assert_eq!(code(media_type, &bytes[..at]), Some(Code::ImageCut), "{name}: cut at {eighth}/8");
            let zeroed = join(&[&bytes[..at], &vec![0; bytes.len() - at]]);
            // raw pixels and minutiae that are zero are pixels and minutiae
            let told = code(media_type, &zeroed);
            assert!(told == Some(Code::ImageCut) || is_open(header.kind, &bytes), "{name}: zeros from {eighth}/8: {told:?}");
        }
    }
}

/// Its last bytes may be anything: raw pixels, minutiae.
fn is_open(kind: ImageKind, bytes: &[u8]) -> bool {
    let raw = |at: usize| matches!(bytes.get(at), Some(0 | 1));
    match kind {
        ImageKind::Minutiae => true,
        ImageKind::Finger => bytes.starts_with(b"FIR\x00010") && raw(29),
        _ => false,
    }
}

#[test]
fn real_templates_are_whole_and_each_cut_of_one_is_found() {
    let Some(folder) = samples() else { return };
    let bytes = std::fs::read(folder.join("fvc-templates/fvc2002_iso19794-2_templates.zip")).expect("readable");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    let mut whole = 0;
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).expect("listed");
        let mut template = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut template).expect("readable");
        if template.is_empty() {
            continue;
        }
        let name = format!("{:?}", file.name());
        assert_eq!(code("application/iso19794-2", &template), None, "{name}");
        for cut in 4..template.len() {
            assert_eq!(code("application/iso19794-2", &template[..cut]), Some(Code::ImageCut), "{name}: {cut}");
        }
        whole += 1;
    }
    assert_eq!(whole, 320);
}
