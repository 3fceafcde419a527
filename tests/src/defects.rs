//! A workshop for records with one defect each: for the committed vectors, and for a dishonest unit on a real road.
//!
//! Each [`Forged`] names its defect, the problem code that it must get, its bytes, and the facts of a line that agrees
//! with it in everything but the defect. One without a defect is among them as the control.

pub mod manifests;
mod tars;

use std::collections::BTreeMap;

use shared::{
    batch::{LineFacts, RecordLine},
    form::Form,
    id::{Digest, FormName, Member, Number, RecordId, RosterVersion, SealedDigest, Transaction},
    keys::Signer,
    problem::Code,
    record::{ClockReading, Consent, Record, Target},
    roster::RecipientKind,
    sample::{Kind, Sample, Size},
    seal::{Identity, Recipients, age_to, frame, padding, seal},
    slip::SlipCode,
    time::Second,
};

use tars::{Tar, archive, regular, typed};

/// A record with at most one defect.
#[derive(Clone)]
pub struct Forged {
    /// Name of the defect, or `good`.
    pub name: &'static str,
    /// The problem code that it must get; none for `good`.
    pub code: Option<Code>,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
    /// Facts of its line; the number is given when it is put into a batch.
    pub facts: LineFacts,
}

impl Forged {
    /// Its line under a number, signed by the agent that the facts name.
    pub fn line(&self, number: u64, unit: &Member, agent: &Signer) -> RecordLine {
        self.line_of(Number::new(1, number).expect("a number"), unit, agent)
    }

    /// The same under a number of any epoch.
    pub fn line_of(&self, number: Number, unit: &Member, agent: &Signer) -> RecordLine {
        RecordLine::sign(LineFacts { number, ..self.facts.clone() }, unit, agent)
    }
}

/// What a dishonest unit has at hand.
pub struct Workshop {
    /// Its name.
    pub unit: Member,
    /// The agent who signs lines.
    pub agent: Member,
    /// To whom records are sealed.
    pub recipients: Recipients,
    /// Form that all records are under.
    pub form: Form,
    /// Roster that lines name.
    pub roster: RosterVersion,
    /// When everything was finished.
    pub finished: Second,
    /// Source of residents.
    pub sample: Sample,
    next: u64,
}

impl Workshop {
    /// A workshop; `seed` gives its residents.
    pub fn new(
        unit: Member,
        agent: Member,
        recipients: Recipients,
        form: Form,
        roster: RosterVersion,
        finished: Second,
        seed: u64,
    ) -> Self {
        Self { unit, agent, recipients, form, roster, finished, sample: Sample::new(seed, finished, Size::Tiny), next: 0 }
    }

    /// A complete, valid record of the next resident.
    pub fn record(&mut self) -> Record {
        self.about(self.next + 1, Transaction::New, None, |_| ())
    }

    /// The next resident's record, enrolled by a colleague.
    pub fn record_by(&mut self, colleague: &Member) -> Record {
        let own = std::mem::replace(&mut self.agent, colleague.clone());
        let record = self.record();
        self.agent = own;
        record
    }

    /// A valid record about the `person`th resident: to whom it applies, and with the last word on the fields.
    pub fn about(
        &mut self,
        person: u64,
        transaction: Transaction,
        target: Option<Target>,
        change: impl FnOnce(&mut BTreeMap<String, Option<String>>),
    ) -> Record {
        self.next += 1;
        let mut resident = self.sample.take(person, self.next, &self.form, transaction, Kind::Complete).expect("the form has it");
        if let Some(target) = target {
            resident = resident.applying_to(target);
        }
        change(&mut resident.input.person);
        let (draft, parts) = resident.draft(&self.form).expect("a sample fits its form");
        let random = SealedDigest::of(format!("{} {}", self.unit, self.next).as_bytes()).as_bytes()[..16].try_into().expect("16 bytes");
        let facts = shared::draft::Facts {
            record_id: RecordId::from_random(random),
            unit: self.unit.clone(),
            agent: self.agent.clone(),
            finished: self.finished,
            clock: ClockReading { raw: self.finished, boot: "0b5e3f0e-7c39-4b43-9d0e-0f6d0a4c2a11".into(), boot_ms: self.next },
            slip: SlipCode::from_random(random).digest(),
            consent: Consent { text: self.form.newest_consent().to_owned(), at: self.finished },
            fix: None,
        };
        draft.finish(&self.form, facts, parts).expect("a sample is complete")
    }

    fn facts(&self, record: &Record, sealed: &[u8], plain: u64) -> LineFacts {
        let content = record.content();
        LineFacts {
            number: Number::new(1, 1).expect("a number"),
            record: content.record_id,
            size: sealed.len() as u64,
            digest: SealedDigest::of(sealed),
            plain,
            transaction: content.transaction,
            form: content.form.clone(),
            roster: self.roster,
            finished: content.finished.minute(),
            seen: 0,
            agent: content.agent.clone(),
        }
    }

    /// A record without a defect.
    pub fn good(&mut self) -> Forged {
        let record = self.record();
        self.sealed(&record)
    }

    /// A record and a line that agrees with it.
    pub fn sealed(&self, record: &Record) -> Forged {
        let sealed = seal(record, &self.recipients, self.form.pad()).expect("seals");
        let facts = self.facts(record, sealed.as_bytes(), sealed.plain());
        Forged { name: "good", code: None, sealed: sealed.into_bytes(), facts }
    }

    /// One record sealed twice: the same record id, other bytes, each with a line that agrees.
    pub fn sealed_twice(&mut self) -> [Forged; 2] {
        let record = self.record();
        [(); 2].map(|()| {
            let sealed = seal(&record, &self.recipients, self.form.pad()).expect("seals");
            let facts = self.facts(&record, sealed.as_bytes(), sealed.plain());
            Forged { name: "good", code: None, sealed: sealed.into_bytes(), facts }
        })
    }

    /// A record whose line tells something else than its inside.
    fn lying(&mut self, name: &'static str, code: Code, lie: impl FnOnce(&mut LineFacts)) -> Forged {
        let mut forged = Forged { name, code: Some(code), ..self.good() };
        lie(&mut forged.facts);
        forged
    }

    /// A record with these sealed bytes.
    fn bytes(&mut self, name: &'static str, code: Code, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Forged {
        let good = self.good();
        let sealed = change(good.sealed);
        let facts = LineFacts { size: sealed.len() as u64, digest: SealedDigest::of(&sealed), ..good.facts };
        Forged { name, code: Some(code), sealed, facts }
    }

    /// A record with these bytes under age.
    fn packed(&mut self, name: &'static str, code: Code, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Forged {
        let record = self.record();
        let tar = archive(&tars::members(&record));
        let packed = change(frame::pack(&tar, self.form.pad()).expect("packs").to_vec());
        let to = [self.recipients.working().clone(), self.recipients.recovery().clone()];
        let sealed = age_to(&to, &packed).expect("encrypts");
        let facts = self.facts(&record, &sealed, padding::plain(tar.len() as u64, self.form.pad()));
        Forged { name, code: Some(code), sealed, facts }
    }

    /// A record with this tar.
    fn tar(&mut self, name: &'static str, code: Code, change: impl FnOnce(&mut Tar)) -> Forged {
        let record = self.record();
        let mut members = tars::members(&record);
        change(&mut members);
        self.archived(name, code, &record, &archive(&members))
    }

    fn archived(&self, name: &'static str, code: Code, record: &Record, tar: &[u8]) -> Forged {
        let sealed = shared::seal::seal_raw(tar, &self.recipients, self.form.pad()).expect("seals");
        let facts = self.facts(record, &sealed, padding::plain(tar.len() as u64, self.form.pad()));
        Forged { name, code: Some(code), sealed, facts }
    }

    /// A record with this record.json.
    fn json(&mut self, name: &'static str, code: Code, change: impl FnOnce(String) -> Vec<u8>) -> Forged {
        self.tar(name, code, |members| {
            let json = String::from_utf8(std::mem::take(&mut members[0].1)).expect("UTF-8");
            members[0] = regular("record.json", &change(json));
        })
    }

    /// A record with one text replaced in record.json.
    fn replaced(&mut self, name: &'static str, code: Code, from: &'static str, to: &'static str) -> Forged {
        self.json(name, code, |json| {
            assert!(json.contains(from), "{name}: record.json holds no {from}");
            json.replacen(from, to, 1).into_bytes()
        })
    }

    /// Sealed to somebody else.
    fn sealed_to(&mut self, name: &'static str, code: Code, seeds: &[u8]) -> Forged {
        let kind = self.recipients.kind();
        let strangers: Vec<_> = seeds.iter().map(|&seed| Identity::from_seed(kind, &[seed; 32]).recipient()).collect();
        let mut forged = self.packed(name, code, |packed| packed);
        let plain = frame::pack(b"what is inside does not matter", 0).expect("packs");
        forged.sealed = age_to(&strangers, &plain).expect("encrypts");
        forged.facts = LineFacts { size: forged.sealed.len() as u64, digest: SealedDigest::of(&forged.sealed), ..forged.facts };
        forged
    }

    /// Every defect that a single record can have, with a good one first.
    pub fn all(&mut self) -> Vec<Forged> {
        let mut all = vec![self.good()];
        all.extend(self.lies());
        all.extend(self.seals());
        all.extend(self.frames());
        all.extend(self.tars());
        all.extend(self.jsons());
        all.extend(self.pictures());
        all
    }

    fn pictures(&mut self) -> Vec<Forged> {
        vec![
            self.part("image-without-its-end", Code::ImageCut, 0, |bytes| bytes[..bytes.len() / 2].to_vec()),
            self.part("image-with-a-tail-of-zeros", Code::ImageCut, 0, |mut bytes| {
                let half = bytes.len() / 2;
                bytes[half..].fill(0);
                bytes
            }),
            self.part("image-with-a-film-behind-it", Code::ImageInvalid, 0, |bytes| [bytes, vec![7; 100 << 10]].concat()),
        ]
    }

    /// A record of the next resident with another one's face, which is its first part.
    pub fn showing(&mut self, face: &[u8]) -> (Record, Forged) {
        let record = self.record();
        let mut members = tars::members(&record);
        replace(&mut members, 0, None, face);
        let forged = self.archived("face-of-another", Code::PartReused, &record, &archive(&members));
        (record, forged)
    }

    /// What only a record with fingers can have wrong: under the form of the national card.
    pub fn fingers(&mut self) -> Vec<Forged> {
        let mut other = Vec::new();
        let record = self.record();
        let of = |record: &Record, position: &str| record.content().parts.iter().position(|p| p.position == position).expect("is there");
        let (thumb, index) = (of(&record, "finger-right-thumb"), of(&record, "finger-right-index"));
        let head = [0, 0, 0, 30, 1, 1, 1, 0xf4, 1, 0xf4, 1, 0xf4, 1, 0xf4, 8, 0, 0, 0];
        let image = [&[0, 0, 0, 29, 9, 1, 1, 80, 0, 0, 3, 0, 5, 0][..], &[9; 15]].concat();
        let ring = [&b"FIR\x00010\0\0\0\0\0\0\x3d"[..], &head, &image].concat();
        let repeated = self.tar("finger-at-two-positions", Code::PartRepeated, |members| {
            let bytes = members[1 + thumb].1.clone();
            replace(members, index, None, &bytes);
        });
        other.push(repeated);
        other.push(self.tar("finger-of-another-name", Code::PositionMismatch, |members| {
            replace(members, thumb, Some("image/iso19794-4"), &ring);
        }));
        other
    }

    /// A record with other bytes of a part, of which everything else says the truth.
    fn part(&mut self, name: &'static str, code: Code, at: usize, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Forged {
        self.tar(name, code, |members| {
            let bytes = change(members[1 + at].1.clone());
            replace(members, at, None, &bytes);
        })
    }

    fn lies(&mut self) -> Vec<Forged> {
        vec![
            self.lying("line-contradicts-inside", Code::LineMismatch, |f| f.transaction = Transaction::Renewal),
            self.lying("line-with-another-record-id", Code::LineMismatch, |f| f.record = RecordId::from_random([0x5a; 16])),
            self.lying("line-with-another-minute", Code::LineMismatch, |f| {
                f.finished = Second::from_unix(f.finished.start().unix() - 60).minute();
            }),
            self.replaced("colleagues-record-signed-again", Code::RecordResigned, "\"agent\":\"", "\"agent\":\"colleague-of-"),
            self.lying("record-digest-wrong-in-right-payload", Code::RecordDigest, |f| f.digest = SealedDigest::of(b"other bytes")),
            self.lying("record-oversize", Code::RecordTooLarge, |f| f.plain = 65 << 20),
            self.lying("plain-size-wrong", Code::PlainSizeWrong, |f| f.plain += 512),
        ]
    }

    fn seals(&mut self) -> Vec<Forged> {
        let flip = |mut bytes: Vec<u8>| {
            *bytes.last_mut().expect("not empty") ^= 1;
            bytes
        };
        vec![
            self.bytes("not-an-age-file", Code::NotAge, |_| b"PK\x03\x04 something else".to_vec()),
            self.bytes("age-payload-damaged", Code::SealDamaged, flip),
            self.sealed_to("age-for-other-recipients", Code::RecipientUnknown, &[201, 202]),
            self.sealed_to("age-for-one-recipient", Code::RecipientsWrong, &[201]),
            self.sealed_to("age-for-three-recipients", Code::RecipientsWrong, &[201, 202, 203]),
        ]
    }

    fn frames(&mut self) -> Vec<Forged> {
        let bomb = |_| frame::pack(&vec![0; 80 << 20], 0).expect("packs").to_vec();
        // the same frame with a window of 16 MiB in its header
        let window = |mut packed: Vec<u8>| {
            packed[4] &= !0x20;
            packed.insert(5, 14 << 3);
            packed
        };
        let padded = |mut packed: Vec<u8>| {
            packed.extend_from_slice(&[0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
            packed
        };
        vec![
            self.packed("zstd-bomb", Code::PlainSizeExceeded, bomb),
            self.packed("zstd-window-too-large", Code::ZstdWindow, window),
            self.packed("zstd-not-a-frame", Code::ZstdInvalid, |_| b"no frame at all".to_vec()),
            self.packed("padding-with-a-message", Code::PaddingWrong, padded),
        ]
    }

    fn tars(&mut self) -> Vec<Forged> {
        vec![
            self.tar("tar-path-with-dot-dot", Code::TarPathParent, |m| m[1] = regular("../face.jpg", b"x")),
            self.tar("tar-path-absolute", Code::TarPathAbsolute, |m| m[1] = regular("/etc/passwd", b"x")),
            self.tar("tar-link", Code::TarLink, |m| m[1] = typed("face.jpg", b'2', b"")),
            self.tar("tar-device", Code::TarDevice, |m| m[1] = typed("face.jpg", b'3', b"")),
            self.tar("tar-sparse", Code::TarSparse, |m| m[1] = typed("face.jpg", b'S', b"")),
            self.tar("tar-pax-override", Code::TarPax, |m| m.insert(1, typed("PaxHeaders/face.jpg", b'x', b"18 path=/etc/cron\n"))),
            self.tar("tar-duplicate-member", Code::TarDuplicate, |m| m.push(m[1].clone())),
            self.tar("tar-header-in-another-spelling", Code::TarHeader, |m| m[1].0[500] = b'x'),
            self.cut_tar(),
            self.tar("part-missing", Code::PartMissing, |m| drop(m.pop())),
            self.tar("part-extra", Code::PartExtra, |m| m.push(regular("other.jpg", b"x"))),
            self.tar("part-with-other-bytes", Code::PartDigest, |m| m[1].1[100] ^= 1),
        ]
    }

    fn cut_tar(&mut self) -> Forged {
        let record = self.record();
        let tar = archive(&tars::members(&record));
        self.archived("tar-without-its-end", Code::TarEnd, &record, &tar[..tar.len() - 1024])
    }

    fn jsons(&mut self) -> Vec<Forged> {
        let unknown: FormName = "unheard-of/1".parse().expect("a form's name");
        let own = format!("\"form\":\"{}\"", self.form.name());
        let mut form_unknown =
            self.json("form-unknown", Code::FormUnknown, |json| json.replacen(&own, "\"form\":\"unheard-of/1\"", 1).into_bytes());
        form_unknown.facts.form = unknown;
        vec![
            form_unknown,
            self.person("field-invalid", Code::FieldInvalid, "sex", Some("x")),
            self.person("form-invalid", Code::FormInvalid, "sex", None),
            self.json("json-too-deep", Code::JsonTooDeep, |json| {
                json.replacen("\"fix\":null", &format!("\"fix\":{}{}", "[".repeat(20), "]".repeat(20)), 1).into_bytes()
            }),
            self.json("json-too-large", Code::JsonTooLarge, |json| format!("{json}{}", " ".repeat(64 << 10)).into_bytes()),
            self.replaced("json-duplicate-key", Code::JsonDuplicateKey, "\"fix\":null", "\"fix\":null,\"fix\":null"),
            self.json("json-not-utf8", Code::JsonNotUtf8, |json| {
                let mut bytes = json.into_bytes();
                *bytes.iter_mut().find(|b| **b >= 0x80).expect("an Arabic name") = 0xFF;
                bytes
            }),
            self.json("json-cut-off", Code::JsonMalformed, |json| json.as_bytes()[..json.len() - 1].to_vec()),
            self.replaced("json-with-an-unknown-key", Code::ContentInvalid, "\"fix\":null", "\"fix\":null,\"note\":1"),
            self.replaced("json-of-a-later-version", Code::UpgradeNeeded, "enroll-content/v1", "enroll-content/v2"),
            self.json("json-with-a-list-for-an-object", Code::ContentInvalid, |json| {
                let mut json: serde_json::Value = serde_json::from_str(&json).expect("our own JSON");
                json["consent"] = serde_json::json!([json["consent"]["text"], json["consent"]["at"]]);
                json.to_string().into_bytes()
            }),
        ]
    }

    /// A record with another value, or none, of a field of the person.
    fn person(&mut self, name: &'static str, code: Code, field: &str, value: Option<&str>) -> Forged {
        self.json(name, code, |json| {
            let mut json: serde_json::Value = serde_json::from_str(&json).expect("our own JSON");
            let person = json["person"].as_object_mut().expect("an object");
            match value {
                Some(value) => drop(person.insert(field.to_owned(), value.into())),
                None => drop(person.remove(field)),
            }
            json.to_string().into_bytes()
        })
    }
}

/// Replaces a part's bytes, and what record.json says of them.
fn replace(members: &mut Tar, at: usize, media_type: Option<&str>, bytes: &[u8]) {
    let mut json: serde_json::Value = serde_json::from_slice(&members[0].1).expect("our own JSON");
    let part = &mut json["parts"][at];
    part["size"] = bytes.len().into();
    part["sha256"] = Digest::of(bytes).hex().into();
    if let Some(media_type) = media_type {
        part["media_type"] = media_type.into();
    }
    members[1 + at] = regular(part["name"].as_str().expect("a name"), bytes);
    members[0] = regular("record.json", json.to_string().as_bytes());
}

/// The recipients and identities that vectors are made with.
pub fn vector_identities() -> [Identity; 2] {
    [1, 2].map(|seed| Identity::from_seed(RecipientKind::X25519, &[seed; 32]))
}
