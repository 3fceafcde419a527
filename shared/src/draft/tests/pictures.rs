//! What an image says of itself is held against where it is attached; equal ones are attached once.

use serde_json::{Value, json};

use super::*;
use crate::form::{FIRST, Positions};

/// A finger record (ISO/IEC 19794-4:2005) of 3 × 5 raw pixels, of a finger by its number.
fn finger(code: u8, pixel: u8) -> Vec<u8> {
    let head = [0, 0, 0, 30, 1, 1, 1, 0xf4, 1, 0xf4, 1, 0xf4, 1, 0xf4, 8, 0, 0, 0];
    let image = [&[0, 0, 0, 29, code, 1, 1, 80, 0, 0, 3, 0, 5, 0][..], &[pixel; 15]].concat();
    [&b"FIR\x00010\0\0\0\0\0\0\x3d"[..], &head, &image].concat()
}

/// A template (ISO/IEC 19794-2:2005) without a minutia.
fn template(code: u8) -> Vec<u8> {
    let body = [0, 7, 1, 0x18, 1, 0xc0, 0, 197, 0, 197, 1, 0, code, 0x10, 255, 0, 0, 0];
    [&b"FMR\0 20\0\0\0\0\x1e"[..], &body].concat()
}

/// The national card's form, with this key.
fn form(positions: Option<&str>) -> Form {
    let mut file: Value = serde_json::from_slice(FIRST[0]).expect("JSON");
    if let Some(positions) = positions {
        file["positions"] = json!(positions);
    }
    Form::parse(file.to_string().as_bytes()).expect("a form")
}

fn attach(draft: &mut Draft, form: &Form, position: &str, bytes: &[u8]) -> Result<String, Problem> {
    draft.attach(form, position, "image/iso19794-4", bytes, Capture::default()).map(|part| part.position)
}

fn new(form: &Form) -> Draft {
    Draft::new(form, Transaction::New).expect("known")
}

#[test]
fn another_finger_than_the_one_it_is_attached_for_is_refused_with_both_named() {
    let form = form(None);
    let mut draft = new(&form);
    assert_eq!(attach(&mut draft, &form, "finger-left-index", &finger(7, 1)).as_deref(), Ok("finger-left-index"));
    assert_eq!(attach(&mut draft, &form, "finger-left-ring", &finger(0, 2)).as_deref(), Ok("finger-left-ring"), "unknown");
    let problem = attach(&mut draft, &form, "finger-right-index", &finger(8, 3)).expect_err("another");
    assert_eq!(problem.code, Code::PositionMismatch);
    assert!(problem.detail.contains("finger-right-index") && problem.detail.contains("finger-left-middle"), "{problem}");
    let problem = attach(&mut draft, &form, "finger-left-little", &finger(14, 3)).expect_err("four at once");
    assert!(problem.detail.contains("four-fingers-left"), "{problem}");
    assert_eq!(draft.parts().len(), 2, "a refused step changes nothing");
}

#[test]
fn a_form_may_take_the_images_word_or_the_agents() {
    let inside = form(Some("inside"));
    let mut draft = new(&inside);
    assert_eq!(inside.positions(), Some(Positions::Inside));
    assert_eq!(attach(&mut draft, &inside, "finger-right-index", &finger(8, 3)).as_deref(), Ok("finger-left-middle"));
    let problem = attach(&mut draft, &inside, "finger-right-ring", &finger(8, 4)).expect_err("there is one");
    assert_eq!(problem.code, Code::PositionMismatch, "nothing is replaced unseen");
    assert_eq!(attach(&mut draft, &inside, "finger-left-middle", &finger(8, 4)).as_deref(), Ok("finger-left-middle"), "taken again");
    assert_eq!(code(attach(&mut draft, &inside, "finger-right-ring", &finger(15, 5))), Some(Code::PositionMismatch), "no position");
    let label = form(Some("label"));
    let mut draft = new(&label);
    assert_eq!(attach(&mut draft, &label, "finger-right-index", &finger(8, 3)).as_deref(), Ok("finger-right-index"));
}

#[test]
fn two_equal_fingers_are_refused_and_two_equal_documents_are_not() {
    let form = form(None);
    let mut draft = new(&form);
    attach(&mut draft, &form, "finger-left-index", &finger(0, 1)).expect("the first");
    let problem = attach(&mut draft, &form, "finger-left-ring", &finger(0, 1)).expect_err("the same");
    assert_eq!(problem.code, Code::PartRepeated);
    assert!(problem.detail.contains("finger-left-ring") && problem.detail.contains("finger-left-index"), "{problem}");
    assert!(attach(&mut draft, &form, "finger-left-index", &finger(0, 1)).is_ok(), "the same again at its own position");
    let permit = &forms()[1];
    let page = resident(permit, Transaction::New, Kind::Complete).part("document-passport").expect("a page").to_vec();
    let mut draft = Draft::new(permit, Transaction::New).expect("known");
    for position in ["document-passport", "document-visa"] {
        draft.attach(permit, position, "image/jpeg", &page, Capture::default()).expect("a page of a booklet");
    }
}

#[test]
fn what_nobody_claims_the_image_may_say() {
    let form = form(None);
    let mut draft = new(&form);
    let part = draft.attach(&form, "finger-left-index", "image/iso19794-4", &finger(7, 1), Capture::default()).expect("taken");
    assert_eq!((part.quality, part.device), (Some(Quality { by: "image/iso19794-4".into(), value: 80 }), None));
    let measured = |value| Capture { quality: Some(Quality { by: "meter".into(), value }), device: Some("left hand".into()) };
    let part = draft.attach(&form, "finger-left-index", "image/iso19794-4", &finger(7, 1), measured(33)).expect("taken");
    assert_eq!((part.quality.map(|q| q.value), part.device.as_deref()), (Some(33), Some("left hand")));
    for none in [254, 255] {
        let png = resident(&form, Transaction::New, Kind::Complete).part("face").expect("a part").to_vec();
        let part = draft.attach(&form, "face", "image/jpeg", &png, measured(none)).expect("taken");
        assert_eq!(part.quality, None, "{none}");
    }
}

#[test]
fn templates_and_scanned_documents_are_optional_parts() {
    let form = form(None);
    let mut draft = new(&form);
    let part = draft.attach(&form, "minutiae-left-index", "application/iso19794-2", &template(7), Capture::default()).expect("taken");
    assert_eq!((part.name.as_str(), part.modality.as_str(), part.quality), ("minutiae-left-index.iso", "minutiae", None));
    let other = draft.attach(&form, "minutiae-left-ring", "application/iso19794-2", &template(7), Capture::default());
    assert_eq!(code(other), Some(Code::PositionMismatch));
    let certificate = &forms()[2];
    let mut draft = Draft::new(certificate, Transaction::New).expect("known");
    let page = b"%PDF-1.4\n1 0 obj <<>> endobj\nxref\n0 0\ntrailer <<>>\nstartxref\n30\n%%EOF\n";
    let part = draft.attach(certificate, "document-address", "application/pdf", page, Capture::default()).expect("taken");
    assert_eq!(part.name.as_str(), "document-address.pdf");
    let cut = draft.attach(certificate, "document-other", "application/pdf", &page[..40], Capture::default());
    assert_eq!(code(cut), Some(Code::ImageCut));
}
