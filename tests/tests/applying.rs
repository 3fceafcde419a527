//! Renewals, replacements and corrections by the real programs, from a second unit, too; waiting; two documents of one person.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::{
    id::{RecordId, ResidentRef, Transaction},
    record::Target,
    sample::{Kind, Sample, Size, forms},
    time::Second,
};
use tests::world::{Broken, Finished, Plan, Rogue, Source, Sure, World};

type Fields = BTreeMap<String, Option<String>>;

struct Road {
    world: World,
    sample: Sample,
    takes: u64,
}

/// What a resident brings: who, under which form, which transaction, with the last word on target and fields.
struct Visit<'a> {
    unit: usize,
    person: u64,
    form: usize,
    transaction: Transaction,
    target: Option<Target>,
    change: &'a dyn Fn(&mut Fields),
}

impl Road {
    fn new(units: usize) -> Sure<Self> {
        let world = World::with_units(&Plan::default(), units)?;
        Ok(Self { world, sample: Sample::new(61, Second::from_unix(1_790_000_000), Size::Tiny), takes: 0 })
    }

    /// Enrols, closes with approval and syncs; says what the unit was told.
    fn visit(&mut self, visit: &Visit<'_>) -> Sure<(Finished, String)> {
        self.takes += 1;
        let mut resident = self.sample.take(visit.person, self.takes, &forms()[visit.form], visit.transaction, Kind::Complete)?;
        if let Some(target) = &visit.target {
            resident = resident.applying_to(target.clone());
        }
        (visit.change)(&mut resident.input.person);
        let source = Source::of(&self.world.path().join(format!("visit-{}", self.takes)), visit.person, &resident)?;
        let finished = self.world.enrol(visit.unit, &[source])?.remove(0);
        let unit = &self.world.units[visit.unit];
        unit.close()?;
        let stand = unit.settle()?[&finished.number].clone();
        Ok((finished, if stand.state == "merged" { stand.state } else { format!("{}: {}", stand.state, stand.told) }))
    }

    fn by(&mut self, unit: usize, transaction: Transaction, change: &dyn Fn(&mut Fields)) -> Sure<(Finished, String)> {
        let number = self.number()?;
        let numbered = |person: &mut Fields| {
            if transaction == Transaction::New {
                person.insert("national_number".into(), Some(number.clone()));
            }
            change(person);
        };
        self.visit(&Visit { unit, person: 1, form: 0, transaction, target: None, change: &numbered })
    }

    /// The number by which a sample's renewal names its resident.
    fn number(&self) -> Sure<String> {
        match &self.sample.take(1, 0, &forms()[0], Transaction::Renewal, Kind::Complete)?.input.applies_to {
            Some(Target::NationalNumber { national_number }) => Ok(national_number.clone()),
            _ => Err(Broken("no number".into())),
        }
    }

    /// The fields of whoever bears a number, with the unit that each came from.
    fn shown(&self, finished: &Finished) -> Sure<BTreeMap<String, (Value, Value)>> {
        let founder: RecordId = finished.record.parse().map_err(|_| Broken("an id".into()))?;
        let unit = finished.unit.parse().map_err(|_| Broken("a name".into()))?;
        let reference = ResidentRef::founded_by(&unit, founder).to_string();
        let shown = self.world.centre.run(&["resident", "show", &reference, "--reason", "test"])?.ok()?;
        let field = |l: &Value| (l["name"].as_str().unwrap_or_default().to_owned(), (l["value"].clone(), l["from"]["unit"].clone()));
        Ok(shown.of("field").map(field).collect())
    }
}

/// By default a renewal waits until somebody has compared faces; where the roster says so, it applies.
#[test]
fn a_renewal_and_a_replacement_travel_from_a_second_unit() -> Sure<()> {
    let mut road = Road::new(2)?;
    let (founder, told) = road.by(0, Transaction::New, &|_| ())?;
    assert_eq!(told, "merged");
    let before = road.shown(&founder)?;
    let (_, told) = road.by(1, Transaction::Renewal, &|_| ())?;
    assert!(told.starts_with("held") && told.contains("renewal-held"), "{told}");
    road.world.centre.run(&["roster", "publish", "--renewals", "apply"])?.ok()?;
    for unit in [0, 1] {
        road.world.units[unit].sync()?.demand("the roster")?;
    }
    let (_, told) = road.by(1, Transaction::Renewal, &|person| {
        person.insert("address".into(), Some("12, rue du Puits".into()));
    })?;
    assert_eq!(told, "merged");
    let renewed = road.shown(&founder)?;
    assert_eq!(renewed["address"], (Value::from("12, rue du Puits"), Value::from("van-2")));
    assert_ne!(renewed["face"].0, before["face"].0, "the newer face");
    assert_eq!(renewed["face"].1, "van-2");
    let (_, told) = road.by(0, Transaction::Replacement, &|_| ())?;
    assert_eq!(told, "merged");
    let replaced = road.shown(&founder)?;
    assert_eq!((&replaced["face"].1, &replaced["finger-right-thumb"].1), (&Value::from("van-1"), &Value::from("van-2")));
    road.world.centre.fsck().map(drop)
}

/// A correction changes fields only. Identity is corrected by the unit that enrolled, under another's approval; by nobody else.
#[test]
fn a_correction_changes_fields_and_identity_only_where_it_was_enrolled() -> Sure<()> {
    let mut road = Road::new(2)?;
    let (founder, _) = road.by(0, Transaction::New, &|_| ())?;
    let before = road.shown(&founder)?;
    let (_, told) = road.by(1, Transaction::Correction, &|person| {
        person.clear();
        person.insert("phone".into(), Some("+212700000001".into()));
    })?;
    assert_eq!(told, "merged");
    let after = road.shown(&founder)?;
    assert_eq!(after["phone"], (Value::from("+212700000001"), Value::from("van-2")));
    assert_eq!(after["face"], before["face"], "its parts are evidence");
    let name: &dyn Fn(&mut Fields) = &|person| {
        person.clear();
        person.insert("given_latin".into(), Some("Zineb".into()));
    };
    let (_, told) = road.by(1, Transaction::Correction, name)?;
    assert!(told.starts_with("held") && told.contains("identity-change"), "{told}");
    let (_, told) = road.by(0, Transaction::Correction, name)?;
    assert_eq!(told, "merged");
    assert_eq!(road.shown(&founder)?["given_latin"], (Value::from("Zineb"), Value::from("van-1")));
    road.world.centre.fsck().map(drop)
}

/// An identity card and a residence certificate are one person, also when another unit brings the second.
#[test]
fn two_documents_of_one_person_are_one_resident() -> Sure<()> {
    let mut road = Road::new(2)?;
    let (founder, told) = road.by(0, Transaction::New, &|_| ())?;
    assert_eq!(told, "merged");
    let number = road.number()?;
    let numbered = |person: &mut Fields| drop(person.insert("national_number".into(), Some(number.clone())));
    let certificate = Visit { unit: 1, person: 1, form: 2, transaction: Transaction::New, target: None, change: &numbered };
    let (_, told) = road.visit(&certificate)?;
    assert_eq!(told, "merged");
    let shown = road.shown(&founder)?;
    assert_eq!(shown["reason"].1, "van-2", "what only the certificate asks for");
    assert_eq!((&shown["given_latin"].1, &shown["face"].1), (&Value::from("van-1"), &Value::from("van-1")), "nothing is replaced");
    let found = road.world.centre.run(&["resident", "find", "--number", &number, "--reason", "test"])?.ok()?;
    assert_eq!(found.of("resident").count(), 1);
    // a second certificate is no further document: it is held
    let (_, told) = road.visit(&certificate)?;
    assert!(told.starts_with("held") && told.contains("duplicate"), "{told}");
    road.world.centre.fsck().map(drop)
}

/// A correction may come before the record of its own unit that it names: it waits, and applies when that one has come.
#[test]
fn what_names_a_record_of_its_own_unit_waits_for_it() -> Sure<()> {
    let mut world = World::new(&Plan { approval: "none", ..Plan::DEFAULT })?;
    world.centre.serve()?;
    let mut rogue = Rogue::admitted(&world, "van-1")?;
    let founder = rogue.workshop.about(1, Transaction::New, None, |_| ());
    let target = Some(Target::Record { unit: rogue.name.clone(), record: founder.content().record_id });
    let correction = rogue.workshop.about(1, Transaction::Correction, target, |person| {
        person.clear();
        person.insert("phone".into(), Some("+212700000002".into()));
    });
    let founder = rogue.workshop.sealed(&founder);
    let (late, late_payload) = rogue.close(&[founder], |facts| facts.approved = None)?;
    let sealed = rogue.workshop.sealed(&correction);
    let (early, payload) = rogue.close(&[sealed], |facts| facts.approved = None)?;
    rogue.deliver(&early, &payload)?;
    assert_eq!(rogue.fates(&early)?, ["held waiting"]);
    rogue.deliver(&late, &late_payload)?;
    assert_eq!(rogue.fates(&late)?, ["merged"]);
    tests::world::until("what waited applies", || Ok((rogue.fates(&early)? == ["merged"]).then_some(())))?;
    world.centre.fsck().map(drop)
}

/// Cards that are older than the system: where the roster says so, a renewal by a number that nobody bears founds a resident.
#[test]
fn a_renewal_of_an_old_card_founds_where_the_roster_says_so() -> Sure<()> {
    let mut road = Road::new(1)?;
    let old: &dyn Fn(&mut Fields) = &|person| {
        person.entry("address".into()).or_insert_with(|| Some("Douar".into()));
    };
    let (_, told) = road.by(0, Transaction::Renewal, old)?;
    assert!(told.starts_with("held") && told.contains("target-unknown"), "{told}");
    road.world.centre.run(&["roster", "publish", "--unknown-targets", "found"])?.ok()?;
    road.world.units[0].sync()?.demand("the roster")?;
    let (_, told) = road.by(0, Transaction::Renewal, old)?;
    assert_eq!(told, "merged");
    let number = road.number()?;
    let found = road.world.centre.run(&["resident", "find", "--number", &number, "--reason", "test"])?.ok()?;
    assert_eq!(found.of("resident").count(), 1);
    road.world.centre.fsck().map(drop)
}
