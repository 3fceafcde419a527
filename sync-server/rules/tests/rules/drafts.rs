//! Keys by name, records and batches before they are sent.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use rules::Found;
use shared::{
    decision::RecordKey,
    id::{BatchId, Digest, Member, RecordId, ResidentRef, RosterVersion, SealedDigest, Transaction},
    keys::{KeyRef, Signer},
    merge::Essence,
    record::Target,
};

/// The pair of a name's nth key.
pub fn signer(name: &str, nth: u8) -> Rc<Signer> {
    thread_local!(static KEYS: RefCell<BTreeMap<(String, u8), Rc<Signer>>> = RefCell::default());
    let made = || Rc::new(Signer::from_seed(name.parse().expect("a name"), &[nth; 32]));
    KEYS.with_borrow_mut(|keys| keys.entry((name.to_owned(), nth)).or_insert_with(made).clone())
}

pub fn key(name: &str, nth: u8) -> KeyRef {
    KeyRef::from(signer(name, nth).public())
}

pub fn member(name: &str) -> Member {
    name.parse().expect("a name")
}

pub fn record_id(n: u8) -> RecordId {
    RecordId::from_random([n; 16])
}

/// A record line that is to be sent, with what it says.
#[derive(Clone)]
pub struct Draft {
    pub unit: Member,
    pub record: RecordId,
    /// Other bytes under the same id.
    pub version: u8,
    pub number: u64,
    pub agent: KeyRef,
    pub says: Essence,
    pub found: Found,
    pub broken: bool,
}

/// Record `n` of a unit, of agent 1: a new resident of this national number.
pub fn draft(unit: &str, n: u8, national: &str) -> Draft {
    let says = Essence {
        transaction: Transaction::New,
        form: "national-id/1".parse().expect("a form"),
        identity: BTreeSet::new(),
        target: None,
        fields: fields(&[("national_number", national), ("given_latin", "Itto"), ("family_latin", "Haddad")]),
        parts: BTreeMap::from([("face".to_owned(), Digest::of(&[n]).hex())]),
        captures: BTreeSet::new(),
    };
    Draft {
        unit: member(unit),
        record: record_id(n),
        version: 0,
        number: u64::from(n),
        agent: key("agent-1", 1),
        says,
        found: Found::Signed,
        broken: false,
    }
}

pub fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
    let value = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    pairs.iter().map(|(name, v)| ((*name).to_owned(), value(v))).collect()
}

impl Draft {
    pub fn key(&self) -> RecordKey {
        RecordKey {
            unit: self.unit.clone(),
            record: self.record,
            digest: SealedDigest::of(format!("{} {}", self.record, self.version).as_bytes()),
        }
    }
    pub fn reference(&self) -> ResidentRef {
        ResidentRef::founded_by(&self.unit, self.record)
    }
    pub fn with_id(mut self, record: RecordId) -> Self {
        self.record = record;
        self
    }
    pub fn by(mut self, agent: KeyRef) -> Self {
        self.agent = agent;
        self
    }
    pub fn number(mut self, number: u64) -> Self {
        self.number = number;
        self
    }
    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }
    pub fn broken(mut self) -> Self {
        self.broken = true;
        self
    }
    /// Applies to somebody.
    pub fn to(mut self, transaction: Transaction, target: Target) -> Self {
        self.says.transaction = transaction;
        self.says.target = Some(target);
        self
    }
    pub fn sets(mut self, pairs: &[(&str, &str)]) -> Self {
        self.says.fields.extend(fields(pairs));
        self
    }
    pub fn only(mut self, pairs: &[(&str, &str)]) -> Self {
        self.says.fields = fields(pairs);
        self
    }
    pub fn form(mut self, form: &str) -> Self {
        self.says.form = form.parse().expect("a form");
        self
    }
    /// With a capture of this number at a position: equal numbers are equal bytes.
    pub fn shows(mut self, position: &str, capture: u8) -> Self {
        self.says.parts.insert(position.to_owned(), Digest::of(&[0xc0, capture]).hex());
        self.says.captures.insert(position.to_owned());
        self
    }
    fn target_of(&self) -> Target {
        Target::Record { unit: self.unit.clone(), record: self.record }
    }
    /// A correction of this record's resident.
    pub fn correction(&self, n: u8, pairs: &[(&str, &str)]) -> Self {
        draft(self.unit.as_str(), n, "").only(pairs).to(Transaction::Correction, self.target_of())
    }
    pub fn renewal(&self, n: u8) -> Self {
        draft(self.unit.as_str(), n, "").only(&[]).to(Transaction::Renewal, self.target_of())
    }
}

pub fn number_target(national: &str) -> Target {
    Target::NationalNumber { national_number: national.to_owned() }
}

/// A batch that is to be sent.
#[derive(Clone)]
pub struct Sending {
    pub unit: Member,
    pub epoch: u32,
    pub sequence: u64,
    pub previous: Option<BatchId>,
    pub approver: Option<KeyRef>,
    pub roster: Option<RosterVersion>,
    pub records: Vec<Draft>,
    pub withdrawn: Vec<(u64, KeyRef)>,
    pub fork: bool,
}

/// A batch of these records in an epoch's next place, approved by supervisor 1.
pub fn batch(records: Vec<Draft>) -> Sending {
    let unit = records.first().map_or_else(|| member("van-1"), |first| first.unit.clone());
    Sending {
        unit,
        epoch: 1,
        sequence: 0,
        previous: None,
        approver: Some(key("supervisor-1", 1)),
        roster: None,
        records,
        withdrawn: Vec::new(),
        fork: false,
    }
}

impl Sending {
    pub fn approver(mut self, approver: Option<KeyRef>) -> Self {
        self.approver = approver;
        self
    }
    pub fn withdraws(mut self, number: u64, by: KeyRef) -> Self {
        self.withdrawn.push((number, by));
        self
    }
    pub fn under(mut self, roster: RosterVersion) -> Self {
        self.roster = Some(roster);
        self
    }
    pub fn forked(mut self) -> Self {
        self.fork = true;
        self
    }
    pub fn at(mut self, sequence: u64, previous: Option<BatchId>) -> Self {
        (self.sequence, self.previous) = (sequence, previous);
        self
    }
    /// What its manifest would be known by.
    pub fn id(&self) -> BatchId {
        let records: Vec<_> = self.records.iter().map(|record| (record.key(), record.number, &record.agent)).collect();
        let place = (&self.unit, self.epoch, self.sequence, self.previous);
        BatchId::of(format!("{place:?} {:?} {:?} {records:?}", self.approver, self.withdrawn).as_bytes())
    }
}
