//! The fold as properties: any order, any closure, one fate a record.

use proptest::prelude::*;

use super::*;

/// Few units, ids, numbers, minutes and people, so that everything collides with everything.
fn any_record() -> impl Strategy<Value = RecordFact> {
    let any_line = (1..6_u64, 0..4_i64, 0..8_u8, 0..8_u8, any::<bool>()).prop_map(|(number, minute, force, opened, flagged)| LineFact {
        force: if force == 0 { Force::Not(Code::Revoked) } else { Force::InForce },
        opened: if opened == 0 { Opened::Refused(Code::LineMismatch) } else { Opened::AsSigned },
        flag: if flagged { Flag::Clock } else { Flag::Plausible },
        ..line(number, minute)
    });
    let essence = (0..4_u8, 1..3_u8, 1..5_u8, 0..3_u8, proptest::option::of(0..3_u8));
    (1..3_u8, 1..5_u8, 0..2_u8, proptest::collection::vec(any_line, 1..3), essence).prop_map(
        |(unit, record, digest, lines, (kind, tu, tr, person, phone))| {
            let phone = phone.map(|p| p.to_string());
            let mut fact = match kind {
                0 | 1 => new(key(unit, record, digest), 1, 1, &person.to_string()),
                2 => correction(
                    key(unit, record, digest),
                    1,
                    1,
                    Target::NationalNumber { national_number: person.to_string() },
                    phone.as_deref(),
                ),
                _ => correction(
                    key(unit, record, digest),
                    1,
                    1,
                    Target::Record { unit: format!("van-{tu}").parse().expect("name"), record: RecordId::from_random([tr; 16]) },
                    phone.as_deref(),
                ),
            };
            fact.lines = lines;
            if fact.honest().next().is_none() {
                fact.essence = None;
            }
            fact
        },
    )
}

/// A set: one fact a key.
fn any_registry() -> impl Strategy<Value = Vec<RecordFact>> {
    proptest::collection::vec(any_record(), 0..14).prop_map(|records| {
        let unique: BTreeMap<RecordKey, RecordFact> = records.into_iter().map(|r| (r.key.clone(), r)).collect();
        unique.into_values().collect()
    })
}

/// Everything that can be reached from `start` over links.
fn closure(records: &[RecordFact], start: usize) -> Vec<RecordFact> {
    let (mut links, mut inside) = (records[start].links(), BTreeSet::from([start]));
    loop {
        let found: Vec<usize> = (0..records.len()).filter(|i| !inside.contains(i) && !records[*i].links().is_disjoint(&links)).collect();
        if found.is_empty() {
            return inside.into_iter().map(|i| records[i].clone()).collect();
        }
        for i in found {
            links.extend(records[i].links());
            inside.insert(i);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_records_and_lines_gives_the_same_registry(mut records in any_registry(), turn in 0..14_usize) {
        let once = registry_digest(&fold(&records, &Withdrawn::new()));
        let len = records.len().max(1);
        records.rotate_left(turn % len);
        for record in &mut records {
            record.lines.reverse();
        }
        prop_assert_eq!(registry_digest(&fold(&records, &Withdrawn::new())), once);
    }

    #[test]
    fn every_record_has_one_fate_and_every_source_one_resident(records in any_registry()) {
        let folded = fold(&records, &Withdrawn::new());
        prop_assert_eq!(folded.fates.len(), records.len());
        let sources: Vec<_> = folded.residents.values().flat_map(|r| &r.sources).collect();
        let unique: BTreeSet<_> = sources.iter().collect();
        prop_assert_eq!(unique.len(), sources.len());
        for (reference, resident) in &folded.residents {
            for source in &resident.sources {
                prop_assert_eq!(&folded.fates[source], &Fate::Merged(reference.clone()));
            }
        }
    }

    #[test]
    fn a_closure_folds_as_the_whole_registry_does(records in any_registry(), number in 1..6_u64) {
        let withdrawn = Withdrawn::from([("van-1".parse().expect("name"), Number::new(1, number).expect("number"))]);
        let whole = fold(&records, &withdrawn);
        for start in 0..records.len() {
            let part = fold(&closure(&records, start), &withdrawn);
            for (key, fate) in &part.fates {
                prop_assert_eq!(fate, &whole.fates[key]);
            }
            for (reference, resident) in &part.residents {
                prop_assert_eq!(resident, &whole.residents[reference]);
            }
        }
    }
}
