//! Images that stop before their end, and what may stand behind it.

use super::*;

/// Raw pixels have no end of their own, so that zeros may be black.
fn is_raw(bytes: &[u8]) -> bool {
    bytes == finger_2005(0, 3, 5, &[9; 15]) || bytes == iris_2011(2, 4, 4, &[9; 16]) || bytes == iris_2005(2, 4, 4, &[9; 16])
}

#[test]
fn every_cut_is_refused_and_a_cut_behind_the_first_bytes_is_named() {
    for (media_type, bytes) in good() {
        let end = bytes.len() - usize::from(media_type == "application/pdf"); // a line end
        for cut in 0..end {
            let expected = if cut < ImageKind::of(&bytes).expect("known").magic().len() { Code::ImageInvalid } else { Code::ImageCut };
            assert_eq!(code(media_type, &bytes[..cut]), Some(expected), "{media_type}: {cut} of {}", bytes.len());
        }
    }
}

#[test]
fn a_tail_of_zeros_is_a_cut() {
    for (media_type, bytes) in good() {
        let magic = ImageKind::of(&bytes).expect("known").magic().len();
        let zeroed = |from: usize| join(&[&bytes[..from], &vec![0; bytes.len() - from]]);
        for from in magic..bytes.len().saturating_sub(ZEROS) {
            // what a header of zeros says may be wrong in another way; nothing of it is taken
            let told = code(media_type, &zeroed(from));
            assert!(told == Some(Code::ImageCut) || is_raw(&bytes), "{media_type}: zeros from {from}: {told:?}");
        }
    }
}

#[test]
fn so_much_may_stand_behind_the_end_and_no_more() {
    for (media_type, bytes) in good() {
        let behind = |length: usize, byte: u8| join(&[&bytes, &vec![byte; length]]);
        let end = MAX_BEHIND - usize::from(media_type == "application/pdf");
        assert_eq!(code(media_type, &behind(end, 7)), None, "{media_type}");
        assert_eq!(code(media_type, &behind(end + 1, 7)), Some(Code::ImageInvalid), "{media_type}");
        assert_eq!(code(media_type, &behind(300_000, 0)), None, "{media_type}: zeros behind a whole image");
        assert_eq!(code(media_type, &join(&[&behind(300_000, 0), &[1]])), Some(Code::ImageInvalid), "{media_type}");
    }
}

#[test]
fn a_film_behind_a_photograph_is_told_in_words() {
    let problem = super::super::read("image/jpeg", &join(&[&jpeg(9, 9), &vec![7; 1 << 20]])).expect_err("a film");
    assert!(problem.detail.contains("motion photo") && problem.detail.contains("still picture"), "{problem}");
}

#[test]
fn a_png_with_one_wrong_bit_is_refused() {
    let bytes = png(9, 9);
    for at in 8..bytes.len() {
        for bit in 0..8 {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << bit;
            assert!(code("image/png", &wrong).is_some(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn a_height_that_comes_behind_the_first_scan_counts() {
    let lines = [0xff, 0xdc, 0, 4, 0, 77];
    assert_eq!(read("image/jpeg", &jpeg_of([0, 0], 9, &lines)), (9, 77, Some(300)));
    assert_eq!(code("image/jpeg", &jpeg_of([0, 0], 9, &[])), Some(Code::ImageInvalid));
    assert_eq!(code("image/jpeg", &jpeg_of([0, 78], 9, &lines)), Some(Code::ImageInvalid), "two heights");
}

#[test]
fn images_without_data_are_refused() {
    let whole = jpeg(9, 9);
    let scan = whole.windows(2).position(|w| w == [0xff, 0xda]).expect("there");
    assert_eq!(code("image/jpeg", &join(&[&whole[..scan], &[0xff, 0xd9]])), Some(Code::ImageInvalid));
    assert_eq!(code("image/j2c", &join(&[&j2c_head(9, 9), &[0xff, 0xd9]])), Some(Code::ImageInvalid));
    let whole = wsq(9, 9);
    let block = whole.windows(2).position(|w| w == [0xff, 0xa3]).expect("there");
    assert_eq!(code("image/wsq", &join(&[&whole[..block], &[0xff, 0xa1]])), Some(Code::ImageInvalid));
    let whole = png(9, 9);
    let data = whole.windows(4).position(|w| w == b"IDAT").expect("there") - 4;
    assert_eq!(code("image/png", &join(&[&whole[..data], &chunk(b"IEND", b"")])), Some(Code::ImageInvalid));
}

#[test]
fn a_codestream_ends_where_it_says_and_metadata_may_follow() {
    let head = j2c_head(9, 9);
    let open = join(&[&head, &open_part(), &[0xff, 0xd9]]);
    assert_eq!(code("image/j2c", &open), None);
    assert_eq!(code("image/j2c", &open[..open.len() - 2]), Some(Code::ImageCut));
    let large = boxed(b"xml ", &vec![b' '; 2 * MAX_BEHIND]);
    assert_eq!(code("image/jp2", &join(&[&jp2(9, 9), &large])), None);
    // the last box may be open-ended
    let mut bytes = jp2(9, 9);
    let at = bytes.windows(4).position(|w| w == b"jp2c").expect("there") - 4;
    bytes[at..at + 4].fill(0);
    assert_eq!(code("image/jp2", &bytes), None);
    assert_eq!(code("image/jp2", &bytes[..bytes.len() - 1]), Some(Code::ImageCut));
}

#[test]
fn a_pdf_for_the_web_that_is_cut_behind_its_first_page_is_a_cut() {
    let whole = pdf();
    let first = whole.windows(5).position(|w| w == b"%%EOF").expect("there") + 5;
    assert_eq!(code("application/pdf", &whole[..first]), Some(Code::ImageCut));
    assert_eq!(code("application/pdf", b"%PDF-1.4\n%%EOF"), Some(Code::ImageCut), "no table");
    assert_eq!(code("application/pdf", b"%PDF-1.4\nstartxref\n4000\n%%EOF"), Some(Code::ImageCut), "a table behind the end");
}
