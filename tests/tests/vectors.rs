//! The committed vectors: one defect a folder, a test of its own name for each, each with its own problem code.
//!
//! Records are judged as the opener does, over the same functions, with either identity.

use std::{fs, path::PathBuf};

use shared::{
    batch::{Manifest, RecordLine},
    form::Form,
    id::SealedDigest,
    keys::Signer,
    problem::{Code, Problem},
    roster::{Limits as RosterLimits, RecipientKind, Roster},
    seal::{self, Expected, Identity, Limits},
    verify::CheckedManifest,
};
use tests::defects::{manifests::anchor, vector_identities};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn file(path: &str) -> Vec<u8> {
    fs::read(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn expected(folder: &str) -> Option<Code> {
    let code = String::from_utf8(file(&format!("{folder}/code"))).expect("UTF-8");
    let code = code.trim_end();
    (code != "good").then(|| code.parse().expect("a problem code"))
}

fn open(folder: &str, identity: &Identity) -> Result<(), Problem> {
    let form = Form::parse(&file("form.json")).expect("a form");
    let sealed = file(&format!("{folder}/sealed.age"));
    let line = String::from_utf8(file(&format!("{folder}/line"))).expect("UTF-8");
    let line = RecordLine::parse(line.trim_end()).expect("a record line");
    let unit = "van-1".parse().expect("a name");
    let agent = Signer::from_seed("agent-1".parse().expect("a name"), &[11; 32]);
    line.verify(&unit, agent.public()).expect("the agent stands for every vector");
    let facts = &line.facts;
    if facts.size > RosterLimits::MOST.record || facts.plain > RosterLimits::PLAIN {
        return Err(Code::RecordTooLarge.into());
    }
    if SealedDigest::of(&sealed) != facts.digest {
        return Err(Code::RecordDigest.into());
    }
    seal::check_header(&sealed[..sealed.len().min(seal::header::MAX_HEADER)], RecipientKind::X25519)?;
    if facts.form != *form.name() {
        return Err(Code::FormUnknown.into());
    }
    let expected = Expected {
        sealed_size: facts.size,
        plain: facts.plain,
        pad: form.pad(),
        record_id: facts.record,
        unit,
        agent: facts.agent.clone(),
        transaction: facts.transaction,
        form: facts.form.clone(),
        finished: facts.finished,
    };
    let opened = seal::open(sealed.as_slice(), &expected, std::slice::from_ref(identity), &Limits::default())?;
    let parts: Vec<&[u8]> = opened.parts().map(|(_, bytes)| bytes).collect();
    form.check(opened.content(), &parts)
}

fn record(name: &str) {
    let folder = format!("records/{name}");
    for identity in &vector_identities() {
        assert_eq!(open(&folder, identity).err().map(|p| p.code), expected(&folder), "{name}");
    }
}

fn manifest(name: &str) {
    let folder = format!("manifests/{name}");
    let roster = Roster::parse(&file("roster")).and_then(|r| r.trust_anchored(anchor().public())).expect("the vectors' roster");
    let checked = Manifest::parse(&file(&format!("{folder}/manifest"))).and_then(|m| CheckedManifest::check(m, &[roster][..]));
    assert_eq!(checked.err().map(|p| p.code), expected(&folder), "{name}");
}

#[test]
fn a_manifest_larger_than_a_note_may_be_is_not_even_read() {
    let mut bytes = file("manifests/good/manifest");
    bytes.resize(shared::note::MAX_NOTE + 1, b'x');
    assert_eq!(Manifest::parse(&bytes).map_err(|p| p.code), Err(Code::ManifestTooLarge));
}

macro_rules! vectors {
    ($check:ident in $folder:literal: $($test:ident $name:literal;)*) => {
        mod $check {
            $(#[test]
            fn $test() {
                super::$check($name);
            })*

            #[test]
            fn every_folder_has_its_test() {
                let mut named = vec![$($name),*];
                named.sort_unstable();
                let folder = super::root().join($folder);
                let mut there: Vec<String> =
                    std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
                there.sort_unstable();
                assert_eq!(there, named);
            }
        }
    };
}

vectors! { record in "records":
    age_for_one_recipient "age-for-one-recipient";
    age_for_other_recipients "age-for-other-recipients";
    age_for_three_recipients "age-for-three-recipients";
    age_payload_damaged "age-payload-damaged";
    colleagues_record_signed_again "colleagues-record-signed-again";
    field_invalid "field-invalid";
    form_invalid "form-invalid";
    form_unknown "form-unknown";
    good "good";
    image_with_a_film_behind_it "image-with-a-film-behind-it";
    image_with_a_tail_of_zeros "image-with-a-tail-of-zeros";
    image_without_its_end "image-without-its-end";
    json_cut_off "json-cut-off";
    json_duplicate_key "json-duplicate-key";
    json_not_utf8 "json-not-utf8";
    json_of_a_later_version "json-of-a-later-version";
    json_too_deep "json-too-deep";
    json_too_large "json-too-large";
    json_with_a_list_for_an_object "json-with-a-list-for-an-object";
    json_with_an_unknown_key "json-with-an-unknown-key";
    line_contradicts_inside "line-contradicts-inside";
    line_with_another_minute "line-with-another-minute";
    line_with_another_record_id "line-with-another-record-id";
    not_an_age_file "not-an-age-file";
    padding_with_a_message "padding-with-a-message";
    part_extra "part-extra";
    part_missing "part-missing";
    part_with_other_bytes "part-with-other-bytes";
    plain_size_wrong "plain-size-wrong";
    record_digest_wrong_in_right_payload "record-digest-wrong-in-right-payload";
    record_oversize "record-oversize";
    tar_device "tar-device";
    tar_duplicate_member "tar-duplicate-member";
    tar_header_in_another_spelling "tar-header-in-another-spelling";
    tar_link "tar-link";
    tar_path_absolute "tar-path-absolute";
    tar_path_with_dot_dot "tar-path-with-dot-dot";
    tar_pax_override "tar-pax-override";
    tar_sparse "tar-sparse";
    tar_without_its_end "tar-without-its-end";
    zstd_bomb "zstd-bomb";
    zstd_not_a_frame "zstd-not-a-frame";
    zstd_window_too_large "zstd-window-too-large";
}

vectors! { manifest in "manifests":
    a_later_batch_that_follows_none "a-later-batch-that-follows-none";
    a_line_repeated "a-line-repeated";
    a_line_unknown "a-line-unknown";
    agent_never_admitted "agent-never-admitted";
    another_format "another-format";
    approver_never_admitted "approver-never-admitted";
    carriage_returns "carriage-returns";
    colleagues_name_own_key "colleagues-name-own-key";
    cosignature_missing "cosignature-missing";
    cosigned_by_another_supervisor "cosigned-by-another-supervisor";
    digest_in_upper_case "digest-in-upper-case";
    epoch_unknown "epoch-unknown";
    good "good";
    line_of_another_unit "line-of-another-unit";
    lines_out_of_order "lines-out-of-order";
    manifest_altered "manifest-altered";
    manifest_with_a_record_line_altered "manifest-with-a-record-line-altered";
    more_lines_than_the_roster_admits "more-lines-than-the-roster-admits";
    no_lines "no-lines";
    not_a_note "not-a-note";
    number_with_leading_zero "number-with-leading-zero";
    of_a_later_version "of-a-later-version";
    one_signature_too_many "one-signature-too-many";
    payload_larger_than_the_roster_admits "payload-larger-than-the-roster-admits";
    roster_unknown "roster-unknown";
    signed_by_somebody_else "signed-by-somebody-else";
    signed_with_another_key "signed-with-another-key";
    sizes_do_not_add_up "sizes-do-not-add-up";
    the_first_batch_that_follows_another "the-first-batch-that-follows-another";
    unit_never_admitted "unit-never-admitted";
}
