//! What records say of themselves.

use super::*;

fn says(media_type: &str, bytes: &[u8]) -> Says {
    super::super::read(media_type, bytes).expect("whole").says
}

#[test]
fn records_name_their_finger_eye_quality_impression_and_device() {
    let finger = says("image/iso19794-4", &finger_2011(2, 280, 448, &wsq(280, 448)));
    assert_eq!((finger.position, finger.quality, finger.impression), (Some("finger-left-index"), Some(80), Some(29)));
    let older = says("image/iso19794-4", &finger_2005(0, 3, 5, &[9; 15]));
    assert_eq!((older.position, older.quality, older.impression), (Some("finger-left-index"), Some(80), Some(0)));
    assert_eq!(says("image/iso19794-6", &iris_2011(2, 4, 4, &[9; 16])).position, Some("iris-right"));
    let iris = says("image/iso19794-6", &iris_2005(2, 4, 4, &[9; 16]));
    assert_eq!(
        (iris.position, iris.quality, iris.device_words().as_deref()),
        (Some("iris-right"), Some(77), Some("vendor 0x0000, device 0x0007"))
    );
    let template = says("application/iso19794-2", &minutiae_2005(7));
    assert_eq!((template.position, template.quality), (Some("finger-left-index"), Some(88)));
    let template = says("application/iso19794-2", &minutiae_2011(10));
    assert_eq!((template.position, template.device), (Some("finger-left-little"), Some((7, 9))));
    assert_eq!(template.quality, None, "255 is none");
    assert_eq!(says("image/png", &png(9, 9)), Says::default());
}

#[test]
fn every_code_of_a_finger_has_its_name() {
    let named: Vec<Option<&str>> = (0..=10).map(|code| says("application/iso19794-2", &minutiae_2005(code)).position).collect();
    assert_eq!(named[..4], [None, Some("finger-right-thumb"), Some("finger-right-index"), Some("finger-right-middle")]);
    assert_eq!(named[4..8], [Some("finger-right-ring"), Some("finger-right-little"), Some("finger-left-thumb"), Some("finger-left-index")]);
    assert_eq!(named[8..], [Some("finger-left-middle"), Some("finger-left-ring"), Some("finger-left-little")]);
    for (code, name) in [(13, "four-fingers-right"), (14, "four-fingers-left"), (15, "both-thumbs"), (40, "no-single-finger")] {
        assert_eq!(says("application/iso19794-2", &minutiae_2005(code)).position, Some(name));
    }
}

#[test]
fn another_finger_is_one_that_is_said_and_known() {
    let of = |position| Says { position, ..Says::default() };
    assert_eq!(of(Some("finger-left-index")).other_than("finger-left-ring"), Some("finger-left-index"));
    assert_eq!(of(Some("finger-left-index")).other_than("minutiae-left-ring"), Some("finger-left-index"));
    assert_eq!(of(Some("four-fingers-left")).other_than("finger-left-ring"), Some("four-fingers-left"));
    assert_eq!(of(Some("finger-left-index")).other_than("finger-left-index"), None);
    assert_eq!(of(Some("finger-left-index")).other_than("minutiae-left-index"), None);
    assert_eq!(of(None).other_than("finger-left-ring"), None, "unknown");
    assert_eq!(of(Some("finger-left-index")).other_than("pouce"), None, "a form's own name");
}

#[test]
fn no_quality_is_none() {
    for quality in [101, 254, 255] {
        let mut bytes = finger_2005(0, 3, 5, &[9; 15]);
        bytes[39] = quality;
        assert_eq!(says("image/iso19794-4", &bytes).quality, None, "{quality}");
    }
}
