//! Where the committed seeds come from: the examples of `SPEC.md`, the vectors, the sample generator, and a few bytes by
//! hand. Invented people only.

use crate::defects::{Workshop, vector_identities};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use shared::{
    hello::{Facts, Hello, Path, Sender},
    id::{FormName, Transaction},
    keys::Signer,
    log::{self, Head},
    record::{Content, Record},
    roster::{
        RecipientKind, Role,
        request::{AgentRequest, UnitRequest},
    },
    sample::{Kind, Sample, Size, forms},
    seal::{Identity, Recipients, frame, seal_raw, tar},
    time::Second,
};

const SPEC: &str = include_str!("../../shared/SPEC.md");
/// When the vectors' records were finished, and the sample folder of the bodies made.
const THEN: i64 = 1_790_000_000;

/// Parser, name of the file, bytes.
pub type Seed = (&'static str, &'static str, Vec<u8>);

/// All of them.
pub fn all() -> Vec<Seed> {
    let mut all = examples();
    all.extend(hellos());
    all.extend(requests());
    all.extend(logged());
    all.extend(records());
    all.extend(captured());
    all.extend(images());
    all.extend(texts());
    all
}

/// An example of the specification.
fn example(name: &str) -> Vec<u8> {
    let start = format!("<!-- {name} -->\n```\n");
    let (_, rest) = SPEC.split_once(&start).unwrap_or_else(|| panic!("SPEC.md has no {name}"));
    rest.split_once("```\n").expect("an end").0.into()
}

fn trimmed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.trim_ascii_end().len());
    bytes
}

fn key(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name.parse().expect("a name"), &[seed; 32])
}

fn examples() -> Vec<Seed> {
    let vector = |bytes: &[u8]| bytes.to_vec();
    vec![
        ("note", "manifest", example("manifest")),
        ("note", "record-line", example("record line as a note")),
        ("note", "checkpoint", example("checkpoint")),
        ("manifest", "example", example("manifest")),
        ("manifest", "vector", vector(include_bytes!("../vectors/manifests/good/manifest"))),
        ("record_line", "example", trimmed(example("record line"))),
        ("record_line", "vector", trimmed(vector(include_bytes!("../vectors/records/good/line")))),
        ("hello", "unit", example("hello")),
        ("answer", "example", example("answer")),
        ("roster", "example", example("roster")),
        ("roster", "vector", vector(include_bytes!("../vectors/roster"))),
        ("outcome", "example", example("outcome")),
        ("decision", "example", example("decision")),
        ("decision", "confirmation", example("confirmation")),
        ("entry", "batch", example("log entry")),
        ("guard_line", "example", trimmed(example("guard"))),
        ("checkpoint", "example", example("checkpoint")),
        ("consistency", "example", example("consistency")),
        ("tlog_proof", "receipt", example("receipt")),
    ]
}

/// What the example of the specification does not show: a carrier, a unit without a roster.
fn hellos() -> Vec<Seed> {
    let unit = Hello::parse(&example("hello")).expect("the example").facts().clone();
    let carrier = Facts { sender: Sender::Carrier("office-04".parse().expect("a name")), ..unit.clone() };
    let Sender::Unit(mut stand) = unit.sender.clone() else { panic!("the example is a unit's") };
    (stand.head, stand.number, stand.seen, stand.settled, stand.waiting) = (None, None, Head::EMPTY, 0, [0; 3]);
    let first = Facts { sender: Sender::Unit(stand), counter: 1, by: Path::Stick, roster: None, ..unit };
    let signed = |facts, signer: &Signer| Hello::sign(facts, signer).expect("canonical").note().as_bytes().to_vec();
    vec![("hello", "carrier", signed(carrier, &key("office-04", 7))), ("hello", "first", signed(first, &key("van-017", 1)))]
}

fn requests() -> Vec<Seed> {
    let name = |text: &str| text.parse().expect("a name");
    let recipient = vector_identities()[0].recipient();
    let unit = UnitRequest::sign(&name("van-017"), &key("van-017", 1));
    let request = |role, named: &str, seed, unit: Option<&str>, recipient| {
        let signer = key(named, seed);
        AgentRequest { role, name: name(named), unit: unit.map(name), key: signer.public().clone(), recipient }.sign(&signer)
    };
    let agent = request(Role::Agent, "agent-007", 5, Some("van-017"), None);
    let supervisor = request(Role::Supervisor, "supervisor-003", 6, Some("van-017"), Some((&recipient).into()));
    vec![
        ("unit_request", "van", unit.as_bytes().to_vec()),
        ("agent_request", "agent", agent.as_bytes().to_vec()),
        ("agent_request", "supervisor", supervisor.as_bytes().to_vec()),
    ]
}

/// Entries of every kind, a segment of them, and a consistency proof from nothing.
fn logged() -> Vec<Seed> {
    let digest = |text: &str| shared::id::Blob::of(text.as_bytes());
    let of = |line: &str| format!("enroll-log/v1\nreceived 2026-11-20T21:30:02Z\n{line}\n").into_bytes();
    let (a, b) = (digest("a"), digest("b"));
    let entries = vec![
        of("time"),
        of(&format!("roster 13 {a}")),
        of(&format!("outcome {a} 2 {b}")),
        of(&format!("decision {a}")),
        of(&format!("access {b}")),
        of(&format!("head van-017+8b30ccf1 1.42 {a} number 1.1215 hello 391 {b}")),
        of(&format!("head van-017+8b30ccf1 none number none hello 1 {b}")),
        of(&format!("freeze van-017+8b30ccf1 {a} {b}")),
        of(&format!("opened {a}")),
        of(&format!("erase van-017 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed {a} decision {b}")),
    ];
    let names = ["time", "roster", "outcome", "decision", "access", "head", "head-none", "freeze", "opened", "erase"];
    let mut all: Vec<Seed> = names.into_iter().zip(&entries).map(|(name, bytes)| ("entry", name, bytes.clone())).collect();
    let quarantined = String::from_utf8(example("log entry")).expect("UTF-8").replace("state accepted", "state quarantined fork");
    all.push(("entry", "quarantined", quarantined.into_bytes()));
    // refused: a word too many, which a reader that stops early would not see
    all.push(("entry", "time-and-a-word", of("time x")));
    let head = |size: u64, of: &str| Head {
        size,
        root: format!("{size} {}", BASE64_STANDARD.encode(digest(of).as_bytes())).parse::<Head>().expect("a head").root,
    };
    let new = head(5 + entries.len() as u64, "new");
    let segment = log::Segment { old: head(5, "old"), new, entries };
    all.push(("segment", "kinds", segment.to_bytes()));
    let checkpoint = log::checkpoint(head(6, "new"), &key("registry.example/log", 2)).as_bytes().to_vec();
    all.push(("consistency", "from-nothing", [&b"old 0\n\n"[..], &checkpoint].concat()));
    all
}

/// The first record of the workshop is the one that the vector `good` was made of.
fn record() -> Record {
    let [working, recovery] = vector_identities();
    let recipients = Recipients::new(working.recipient(), recovery.recipient()).expect("one kind");
    let [_, _, certificate] = forms();
    let name = |text: &str| text.parse().expect("a name");
    let version = shared::id::RosterVersion(1);
    Workshop::new(name("van-1"), name("agent-1"), recipients, certificate, version, Second::from_unix(THEN), 7).record()
}

fn records() -> Vec<Seed> {
    let record = record();
    let json = record.content().to_json();
    let members = record.parts().map(|(part, bytes)| (part.name.as_str(), bytes));
    let mut archive = Vec::new();
    tar::write(std::iter::once((tar::RECORD_JSON, &json[..])).chain(members), &mut archive);
    let identities = [1, 2].map(|seed| Identity::from_seed(RecipientKind::Hybrid, &[seed; 32]).recipient());
    let [working, recovery] = identities;
    let hybrid = seal_raw(b"enough for a header", &Recipients::new(working, recovery).expect("one kind"), 0).expect("seals");
    let good = include_bytes!("../vectors/records/good/sealed.age");
    // after a whole frame, a skippable one that says something
    let mut message = frame::pack(b"short", 0).expect("packs").to_vec();
    message.extend_from_slice(b"\x50\x2a\x4d\x18\x04\0\0\0text");
    vec![
        ("record_json", "new", json.clone()),
        ("record_json", "correction", correction(&json)),
        ("tar", "good", archive.clone()),
        ("frame", "good", frame::pack(&archive, 0).expect("packs").to_vec()),
        ("frame", "padding-with-a-message", message),
        ("sealed", "good", good.to_vec()),
        ("sealed", "not-an-age-file", include_bytes!("../vectors/records/not-an-age-file/sealed.age").to_vec()),
        ("age_header", "x25519", good[..1024].to_vec()),
        ("age_header", "hybrid", hybrid),
    ]
}

/// A correction clears a field, excuses a finger and says whom it is about.
fn correction(json: &[u8]) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_slice(json).expect("our own JSON");
    value["transaction"] = "correction".into();
    value["applies_to"] = serde_json::json!({ "resident": "c9d07828cf75499190f55dbbdac768da" });
    value["person"] = serde_json::json!({ "phone": null, "family_latin": "Ait \u{201c}Example\u{201d}" });
    value["exceptions"] = serde_json::json!([{ "position": "finger-left-ring", "reason": "missing" }]);
    value["fix"] = serde_json::json!({ "lat": "31.63", "lon": "-8.00", "accuracy_m": "12" });
    let bytes = serde_json::to_vec(&value).expect("JSON");
    Content::parse(&bytes).unwrap_or_else(|problem| panic!("{problem}"));
    bytes
}

fn captured() -> Vec<Seed> {
    let [_, _, certificate] = forms();
    let folder = |form: &FormName| {
        let form = forms().into_iter().find(|f| f.name() == form).expect("one of ours");
        let sample = Sample::new(11, Second::from_unix(THEN), Size::Tiny);
        sample.take(1, 0, &form, Transaction::New, Kind::Complete).expect("the form has new").folder()
    };
    let whole = folder(certificate.name());
    let (two, cut) = residents_tar(&whole);
    let mut of_certificate = folder(certificate.name()).into_iter();
    let mut of_card = folder(forms()[0].name()).into_iter();
    let (_, certificate_json) = of_certificate.next().expect("resident.json");
    let (_, card_json) = of_card.next().expect("resident.json");
    let (_, portrait) = of_certificate.find(|(name, _)| name.starts_with("face")).expect("a portrait");
    let (_, print) = of_card.find(|(name, _)| name.starts_with("finger")).expect("a finger");
    vec![
        ("resident_json", "certificate", certificate_json),
        ("resident_json", "card", card_json),
        ("resident_folder", "one", laid_out("", &whole)),
        ("resident_folder", "two-and-a-tar", [laid_out("a/", &whole), laid_out("b/", &whole), entry("file", "c.tar", &two)].concat()),
        (
            "resident_folder",
            "what-file-managers-leave",
            [laid_out("", &whole), entry("file", ".DS_Store", b"x"), entry("folder", ".Trash", b"")].concat(),
        ),
        ("resident_folder", "a-name-of-a-person", [laid_out("", &whole), entry("file", "Example Person.jpg", b"x")].concat()),
        ("resident_folder", "a-name-of-our-words", [laid_out("", &whole), entry("file", "a file's name is not t", b"")].concat()),
        ("resident_folder", "a-folder-inside", [laid_out("a/", &whole), entry("file", "a/more/face.jpg", b"x")].concat()),
        ("resident_folder", "a-link", [entry("link", "face.jpg", b"/dev/zero"), laid_out("", &whole)].concat()),
        ("resident_folder", "a-pipe", [entry("pipe", "face.jpg", b""), laid_out("", &whole)].concat()),
        ("resident_folder", "a-pipe-for-a-tar", entry("pipe", "a.tar", b"")),
        ("resident_folder", "too-large", [laid_out("", &whole), b"holes large.jpg 17825792\n".to_vec()].concat()),
        (
            "resident_folder",
            "too-much",
            [laid_out("", &whole), (0..5).flat_map(|n| format!("holes l{n}.jpg 16777216\n").into_bytes()).collect()].concat(),
        ),
        (
            "resident_folder",
            "too-many",
            [laid_out("", &whole), (0..70).flat_map(|n| format!("file f{n}.jpg 0\n").into_bytes()).collect()].concat(),
        ),
        ("resident_tar", "cut-between-two.tar", two[..cut].to_vec()),
        ("resident_tar", "two.tar", two),
        ("form", "certificate", shared::form::FIRST[2].to_vec()),
        ("form", "card", shared::form::FIRST[0].to_vec()),
        ("image", "portrait.jpg", portrait),
        ("image", "finger.png", print),
        ("cbeff", "fingers-and-iris.xml", cbeff()),
    ]
}

/// An entry of a folder, as `parsers::resident_folder` lays it out.
fn entry(kind: &str, path: &str, bytes: &[u8]) -> Vec<u8> {
    [format!("{kind} {path} {}\n", bytes.len()).as_bytes(), bytes].concat()
}

fn laid_out(below: &str, folder: &[(String, Vec<u8>)]) -> Vec<u8> {
    folder.iter().flat_map(|(name, bytes)| entry("file", &format!("{below}{name}"), bytes)).collect()
}

/// The same folder twice in one tar, and where the second begins.
fn residents_tar(folder: &[(String, Vec<u8>)]) -> (Vec<u8>, usize) {
    let inside = |parent: &str| -> Vec<u8> {
        let named: Vec<(String, &[u8])> = folder.iter().map(|(name, bytes)| (format!("{parent}/{name}"), &bytes[..])).collect();
        let mut out = Vec::new();
        tar::write(named.iter().map(|(name, bytes)| (name.as_str(), *bytes)), &mut out);
        out
    };
    let (mut two, second) = (inside("a"), inside("b"));
    two.truncate(two.len() - 1024);
    let cut = two.len();
    two.extend_from_slice(&second);
    (two, cut)
}

fn cbeff() -> Vec<u8> {
    let leaf = |kind: &str, subtype: &str, block: String| {
        format!(
            "<BIR><Version><Major>1</Major><Minor>1</Minor></Version><BDBInfo><Format><Organization>Example</Organization><Type>7</Type>\
             </Format><Type>{kind}</Type><Subtype>{subtype}</Subtype><Quality><Algorithm><Organization>HMAC</Organization>\
             <Type>SHA-256</Type></Algorithm><Score>80</Score></Quality></BDBInfo><BDB>{block}</BDB></BIR>\n"
        )
    };
    let missing = "<BIR><BDBInfo><Type>Finger</Type><Subtype>Left Thumb</Subtype></BDBInfo><Others><Key>EXCEPTION</Key>\
                   <Value>true</Value></Others></BIR>";
    let text = [
        "<?xml version=\"1.0\"?>\n<BIR xmlns=\"http://standards.iso.org/iso-iec/19785/-3/ed-2/\">",
        &leaf("Finger", "Left IndexFinger", BASE64_STANDARD.encode(finger(0, 3, 5, &[9; 15]))),
        &leaf("Finger", "Thumb Right", format!("<![CDATA[{}]]>", BASE64_STANDARD.encode(finger(0, 3, 5, &[8; 15])))),
        &leaf("Iris", "Left", BASE64_STANDARD.encode(iris(2, 4, 4, &[9; 16]))),
        &leaf("Finger", "Left RingFinger", BASE64_STANDARD.encode(&finger(0, 3, 5, &[7; 15])[..50])),
        missing,
        "</BIR>\n",
    ];
    text.concat().into_bytes()
}

/// ISO/IEC 19794-4:2005 around an image.
fn finger(compression: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let own = u32::try_from(image.len() + 14).expect("small");
    let head = [0, 0, 0, 30, 1, 1, 1, 0xf4, 1, 0xf4, 1, 0xf4, 1, 0xf4, 8, compression, 0, 0];
    let finger = [&own.to_be_bytes()[..], &[7, 1, 1, 80, 0], &width.to_be_bytes(), &height.to_be_bytes(), &[0]].concat();
    [&b"FIR\x00010\0\0\0"[..], &(own + 32).to_be_bytes(), &head, &finger, image].concat()
}

/// ISO/IEC 19794-5:2005 around an image.
fn face(width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let body = [&[0; 16][..], &[1, 0], &width.to_be_bytes(), &height.to_be_bytes(), &[1, 2, 0, 0, 0, 0], image].concat();
    let own = u32::try_from(body.len() + 4).expect("small");
    [&b"FAC\x00010\0"[..], &(own + 14).to_be_bytes(), &[0, 1], &own.to_be_bytes(), &body].concat()
}

/// ISO/IEC 19794-6:2011 around an image.
fn iris(format: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let size = u32::try_from(image.len()).expect("small");
    let fields = [&[0; 14][..], &[1, 80, 0, 1, 0, 1], &[0, 1, 1, 3, format, 64], &width.to_be_bytes()].concat();
    let body = [&fields[..], &height.to_be_bytes(), &[8], &[0; 18], &size.to_be_bytes(), image].concat();
    let own = u32::try_from(body.len() + 4).expect("small");
    [&b"IIR\x00020\0"[..], &(own + 16).to_be_bytes(), &[0, 1, 0, 1], &own.to_be_bytes(), &body].concat()
}

/// Whole images: pixels that no decoder would take, in the right frames.
fn images() -> Vec<Seed> {
    let jfif = [&[0xff, 0xe0, 0, 16][..], b"JFIF\0\x01\x02", &[1, 1, 44, 1, 44, 0, 0]].concat();
    let scan = [0xff, 0xda, 0, 2, 1, 0xff, 0, 2, 0xff, 0xd0, 3];
    let jpeg = [&[0xff, 0xd8][..], &jfif, &[0xff, 0xc0, 0, 11, 8, 1, 64, 0, 240, 1, 1, 0x11, 0], &scan, &[0xff, 0xd9]].concat();
    let comment = b"NIST_COM 9\nPIX_WIDTH 1\nPPI 500\nLOSSY 1\n";
    let frame = [&[0xff, 0xa2, 0, 17, 0, 255, 1, 192, 1, 24][..], &[0; 9]].concat();
    let block = [0xff, 0xa3, 0, 3, 0, 1, 0xff, 0, 2, 0xff, 0xa1];
    let wsq = [&[0xff, 0xa0, 0xff, 0xa8, 0, 41][..], comment, &frame, &block].concat();
    let minutiae = [&[0, 7, 1, 0x18, 1, 0xc0, 0, 197, 0, 197, 1, 0, 7, 0x10, 88, 2][..], &[1; 12], &[0, 0]].concat();
    let template = [&b"FMR\0 20\0\0\0\0"[..], &[u8::try_from(minutiae.len() + 12).expect("small")], &minutiae].concat();
    let page = b"%PDF-1.4\n1 0 obj <<>> endobj\nxref\n0 0\ntrailer <<>>\nstartxref\n30\n%%EOF\n".to_vec();
    let (j2c, jp2) = (j2c(), jp2());
    vec![
        ("image", "finger.iso", finger(2, 280, 448, &wsq)),
        ("image", "face.iso", face(240, 320, &jpeg)),
        ("image", "iris.iso", iris(10, 240, 320, &jp2)),
        ("image", "template.iso", template),
        ("image", "whole.jpg", jpeg),
        ("image", "whole.jp2", jp2),
        ("image", "whole.j2c", j2c),
        ("image", "whole.wsq", wsq),
        ("image", "whole.pdf", page),
    ]
}

/// A codestream of one tile-part.
fn j2c() -> Vec<u8> {
    let size = [&[0, 0, 0, 0, 0, 245, 0, 0, 1, 71][..], &[0, 0, 0, 5, 0, 0, 0, 7], &[0; 16], &[0, 1, 7, 1, 1]].concat();
    let part = [0xff, 0x90, 0, 10, 0, 0, 0, 0, 0, 17, 0, 1, 0xff, 0x93, 1, 2, 3, 0xff, 0xd9];
    [&[0xff, 0x4f, 0xff, 0x51, 0, 41][..], &size, &[0xff, 0x52, 0, 3, 0], &part].concat()
}

fn jp2() -> Vec<u8> {
    let boxed = |name: &[u8], body: &[u8]| [&u32::try_from(body.len() + 8).expect("small").to_be_bytes()[..], name, body].concat();
    let ihdr = boxed(b"ihdr", &[0, 0, 1, 64, 0, 0, 0, 240, 0, 1, 7, 7, 0, 0]);
    let resc = boxed(b"res ", &boxed(b"resc", &[0x4c, 0xe5, 0, 1, 0x4c, 0xe5, 0, 1, 0, 0]));
    let header = boxed(b"jp2h", &[ihdr, resc].concat());
    [boxed(b"jP  ", b"\r\n\x87\n"), boxed(b"ftyp", b"jp2 \0\0\0\0jp2 "), header, boxed(b"jp2c", &j2c())].concat()
}

fn texts() -> Vec<Seed> {
    let ids = "van-017\nregistry.example\nregistry.example/log\nregistry.example/roster-1\nnational-id/1\nfinger-left-ring.png\n\
               1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed\nc9d07828cf75499190f55dbbdac768da\n1.42\n12\n\
               sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let times = "2026-11-20T16:02:44Z\n1970-01-01T00:00:00Z\n9998-12-31T23:59:59Z\n2026-11-20T16:02Z\n1980\n1980-05\n2000-02-29";
    let hybrid = Identity::from_seed(RecipientKind::Hybrid, &[1; 32]);
    let [plain, _] = vector_identities();
    let van = key("van-017", 1);
    let keys = [
        van.public().to_string(),
        shared::keys::KeyRef::from(van.public()).to_string(),
        van.public().id().to_string(),
        plain.recipient().to_string(),
        plain.to_secret().to_string(),
    ];
    let words = "new\nrenewal\nreplacement\ncorrection\nok\nvault-rewound\nfrozen\ncaptured-twice\nother\nfork\naccepted\n\
                 quarantined fork\nmerged c9d07828cf75499190f55dbbdac768da\nheld duplicate c9d07828cf75499190f55dbbdac768da\n\
                 refused line-mismatch\n5 NaVKRy91dmM4ahoQ6gpfdEOlq6RSEPGARRkNF2v1bBQ=\n0.1.0\nar";
    let slip = shared::slip::SlipCode::from_random([0xA5; 16]).shown().to_string();
    vec![
        ("ids", "one-of-each", ids.into()),
        ("times", "one-of-each", times.into()),
        ("keys", "plain", keys.join("\n").into()),
        ("keys", "hybrid", format!("{}\n{}", hybrid.recipient(), *hybrid.to_secret()).into()),
        ("words", "one-of-each", words.into()),
        ("slip", "typed", slip.to_lowercase().replace('-', " ").into()),
        ("slip", "shown", slip.into()),
    ]
}
