//! Public vectors against what stands on them here: consistency proofs, signatures, frames.
//!
//! They lie in `ENROL_TEST_DATA`, or `../shared/data` beside the workspace; without that folder the tests say so.
#![cfg(feature = "seal")]
#![allow(clippy::disallowed_methods, reason = "reads vectors that are not in the project")]

#[path = "../../tests/src/skipped.rs"]
mod skipped;

use std::{fs, io::Read as _, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use shared::{
    keys::{Signer, VerifierKey},
    log::{Consistency, Hash, Head, checkpoint},
    problem::Code,
    roster::RecipientKind,
    seal::{self, Expected, Identity, Limits},
    time::Second,
};

fn data(path: &str) -> Option<Vec<u8>> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let path = std::env::var_os("ENROL_TEST_DATA").map_or_else(beside, PathBuf::from).join("vectors").join(path);
    let bytes = fs::read(&path).ok();
    if bytes.is_none() {
        skipped::skip(format_args!("{} is not there", path.display()));
    }
    bytes
}

fn hash(value: &Value) -> Option<Hash> {
    let bytes = BASE64_STANDARD.decode(value.as_str()?).ok()?;
    Some(Hash(bytes.try_into().ok()?))
}

/// Whether our check of a consistency proof takes this vector; none when it cannot even be written down.
fn taken(vector: &Value, log: &Signer) -> Option<bool> {
    let (old, new) = (vector["size1"].as_u64()?, vector["size2"].as_u64()?);
    let hashes = vector["proof"].as_array().map_or(Some(vec![]), |p| p.iter().map(hash).collect())?;
    let signed = checkpoint(Head { size: new, root: hash(&vector["root2"])? }, log);
    let proof = Consistency { old, hashes, checkpoint: signed.as_bytes().to_vec() };
    let proof = Consistency::parse(&proof.to_bytes()).ok()?;
    Some(proof.check(Head { size: old, root: hash(&vector["root1"])? }, log.public()).is_ok())
}

#[test]
fn merkle_consistency_proofs_are_judged_as_their_authors_say() {
    let Some(bytes) = data("merkle-proofs.zip") else { return };
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    let log = Signer::from_seed("registry.example/log".parse().expect("a name"), &[2; 32]);
    let (mut good, mut bad) = (0, 0);
    for n in 0..zip.len() {
        let mut file = zip.by_index(n).expect("an entry");
        let (name, mut text) = (file.name().expect("a name").into_owned(), String::new());
        if !name.starts_with("consistency/") {
            continue;
        }
        file.read_to_string(&mut text).expect("UTF-8");
        let vector: Value = serde_json::from_str(&text).expect("JSON");
        let wanted = !vector["wantErr"].as_bool().expect("a verdict");
        // what no checkpoint or proof text can say at all is refused as well
        assert_eq!(taken(&vector, &log).unwrap_or(false), wanted, "{name}");
        *if wanted { &mut good } else { &mut bad } += 1;
    }
    println!("{good} taken, {bad} refused");
    assert!(good >= 3 && bad > 20);
}

#[test]
fn ed25519_signatures_are_judged_as_their_authors_say() {
    let Some(bytes) = data("wycheproof/ed25519_test.json") else { return };
    let suite: Value = serde_json::from_slice(&bytes).expect("JSON");
    let hex = |v: &Value| -> Vec<u8> {
        let text = v.as_str().expect("hex");
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect()
    };
    let mut judged = 0;
    for group in suite["testGroups"].as_array().expect("groups") {
        let public = hex(&group["publicKey"]["pk"]);
        let typed = [&[1][..], &public].concat();
        let text = format!("x+{:08x}+{}", signed_note::key_id("x", &typed), BASE64_STANDARD.encode(&typed));
        let key: Option<VerifierKey> = text.parse().ok();
        for test in group["tests"].as_array().expect("tests") {
            let taken = key.as_ref().is_some_and(|k| k.verify(&hex(&test["msg"]), &hex(&test["sig"])));
            assert_eq!(taken, test["result"] == "valid", "{}", test["tcId"]);
            judged += 1;
        }
    }
    assert!(judged > 100, "{judged}");
}

#[test]
fn frames_that_no_decoder_should_take_are_refused() {
    let recipients = [1, 2].map(|seed| Identity::from_seed(RecipientKind::X25519, &[seed; 32]).recipient());
    for name in ["off0.bin.zst", "truncated_huff_state.zst", "zeroSeq_extraneous.zst"] {
        let Some(frame) = data(&format!("zstd/golden-decompression-errors/{name}")) else { return };
        let sealed = seal::age_to(&recipients, &frame).expect("encrypts");
        let expected = Expected {
            sealed_size: sealed.len() as u64,
            plain: 1 << 20,
            pad: 0,
            record_id: "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed".parse().expect("an id"),
            unit: "van-1".parse().expect("a name"),
            agent: "agent-1".parse().expect("a name"),
            transaction: shared::id::Transaction::New,
            form: "national-id/1".parse().expect("a form"),
            finished: Second::from_unix(1_790_000_000).minute(),
        };
        let identity = [Identity::from_seed(RecipientKind::X25519, &[1; 32])];
        let refused = seal::open(sealed.as_slice(), &expected, &identity, &Limits::default()).map_err(|p| p.code).err();
        assert_eq!(refused, Some(Code::ZstdInvalid), "{name}");
    }
}
