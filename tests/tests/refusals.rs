//! Bad input from a unit with real keys: each kind gets its own code, and everything else goes on.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use shared::{
    batch::Manifest,
    hello::State,
    id::{BatchId, Digest, Place},
    note::Note,
    problem::Code,
};
use tests::{
    defects::Forged,
    world::{Broken, Plan, Rogue, Sure, World, sabotage_is_missing},
};

/// One centre for as many tests as run side by side; the last one takes it down.
static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());

fn world() -> Sure<Arc<World>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(world) = shared.upgrade() {
        return Ok(world);
    }
    let mut world = World::new(&Plan::default())?;
    world.centre.serve()?;
    let world = Arc::new(world);
    *shared = Arc::downgrade(&world);
    Ok(world)
}

/// A unit of its own for each test.
fn rogue(world: &World, name: &str) -> Sure<Rogue> {
    let _one_at_a_time = ADMISSION.lock().unwrap_or_else(PoisonError::into_inner);
    Rogue::admitted(world, name)
}
static ADMISSION: Mutex<()> = Mutex::new(());

/// The centre verifies from nothing; facts that stay open (gaps, forks) are none of its faults.
fn sound(world: &World) -> Sure<()> {
    world.centre.fsck().map_err(|e| Broken(format!("{e}\n{:?}", world.centre.run(&["fsck"]).map(|r| r.lines))))?;
    Ok(())
}

/// Good work still goes through.
fn goes_on(rogue: &mut Rogue) -> Sure<()> {
    rogue.counter += 1;
    let good = rogue.workshop.good();
    let (manifest, payload) = rogue.close(&[good], |_| ())?;
    rogue.deliver(&manifest, &payload)?;
    assert_eq!(rogue.fates(&manifest)?, ["merged"]);
    Ok(())
}

/// Promise 5: one bad record never stops another.
#[test]
fn promise_05_each_bad_record_is_refused_by_its_code_while_the_good_ones_merge() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-records")?;
    let mut records = rogue.workshop.all();
    records.push(rogue.workshop.good());
    let (manifest, payload) = rogue.close(&records, |_| ())?;
    rogue.deliver(&manifest, &payload)?;
    let fates = rogue.fates(&manifest)?;
    for (record, fate) in records.iter().zip(&fates) {
        let expected = match record.code {
            None => "merged".to_owned(),
            // newer software will read it
            Some(Code::UpgradeNeeded) => "held upgrade-needed".to_owned(),
            Some(code) => format!("refused {code}"),
        };
        assert_eq!(*fate, expected, "{}", record.name);
    }
    assert_eq!(fates.iter().filter(|f| *f == "merged").count(), 2, "the first and the last");
    goes_on(&mut rogue)
}

/// The same of what only fingers can have wrong.
#[test]
fn promise_05_a_record_with_a_repeated_or_mistaken_finger_is_refused() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-fingers")?;
    let [card, _, _] = shared::sample::forms();
    rogue.workshop.form = card;
    let records = rogue.workshop.fingers();
    let (manifest, payload) = rogue.close(&records, |_| ())?;
    rogue.deliver(&manifest, &payload)?;
    assert_eq!(rogue.fates(&manifest)?, ["refused part-repeated", "refused position-mismatch"]);
    goes_on(&mut rogue)
}

fn good(rogue: &mut Rogue) -> Forged {
    rogue.workshop.good()
}

fn signed_by(text: &str, signers: &[&shared::keys::Signer]) -> Vec<u8> {
    Note::sign(text, signers).as_bytes().to_vec()
}

#[test]
fn altered_manifest() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-altered")?;
    let record = good(&mut rogue);
    let (manifest, _) = rogue.close(&[record], |_| ())?;
    let mut bytes = manifest.note().as_bytes().to_vec();
    // another day of closing, in a text that is as good as the true one but for its signature
    let at = bytes.windows(8).position(|w| w == b"\nclosed ").unwrap_or_default() + 8;
    bytes[at + 3] = if bytes[at + 3] == b'0' { b'1' } else { b'0' };
    rogue.post("batches", bytes)?.refused("signature-invalid");
    rogue.head = None;
    goes_on(&mut rogue)
}

#[test]
fn wrong_key() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-wrong-key")?;
    let record = good(&mut rogue);
    let (manifest, _) = rogue.close(&[record], |_| ())?;
    let another = shared::keys::Signer::from_seed(rogue.unit.public().name().clone(), &[9; 32]);
    rogue.post("batches", signed_by(manifest.note().text(), &[&another, &rogue.supervisor]))?.refused("key-wrong");
    rogue.head = None;
    goes_on(&mut rogue)
}

#[test]
fn key_never_admitted() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-known")?;
    let record = good(&mut rogue);
    let nobody: shared::id::Member = "van-nobody".parse().map_err(|_| Broken("a name".into()))?;
    let (manifest, _) = rogue.close(&[record], |facts| facts.unit = nobody)?;
    rogue.announce(&manifest)?.refused("key-unknown");
    rogue.head = None;
    goes_on(&mut rogue)
}

#[test]
fn line_signed_by_a_key_never_admitted() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-line-key")?;
    let record = good(&mut rogue);
    let stranger = shared::keys::Signer::from_seed(rogue.agent.public().name().clone(), &[8; 32]);
    let line = record.line(1, &rogue.name, &stranger);
    let manifest = rogue.close_lines(vec![line], &record.sealed, |_| ())?;
    rogue.announce(&manifest)?.refused("record-signature");
    goes_on(&mut rogue)
}

#[test]
fn missing_cosignature_is_not_final() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-cosign")?;
    let record = good(&mut rogue);
    let (manifest, payload) = rogue.close(&[record], |_| ())?;
    rogue.post("batches", signed_by(manifest.note().text(), &[&rogue.unit]))?.refused("cosignature-missing");
    rogue.deliver(&manifest, &payload)?;
    assert_eq!(rogue.fates(&manifest)?, ["merged"], "once the supervisor has signed");
    Ok(())
}

#[test]
fn missing_approval_is_quarantined() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-unapproved")?;
    let record = good(&mut rogue);
    let (manifest, payload) = rogue.close(&[record], |facts| facts.approved = None)?;
    let receipt = rogue.deliver(&manifest, &payload)?;
    assert_eq!(receipt.state().to_string(), "quarantined unapproved", "archived, logged and receipted like any other");
    assert_eq!(rogue.fates(&manifest)?, ["held unapproved"]);
    goes_on(&mut rogue)
}

#[test]
fn payload_damaged_on_the_way() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-damaged")?;
    let record = good(&mut rogue);
    let (manifest, payload) = rogue.close(&[record], |_| ())?;
    rogue.announce(&manifest)?.done();
    let mut damaged = payload.clone();
    damaged[100] ^= 1;
    rogue.patch(manifest.id(), 0, &damaged)?.refused("payload-corrupt");
    assert_eq!(rogue.offset(manifest.id())?, Some(0), "from the beginning, and still wanted");
    rogue.patch(manifest.id(), 0, &payload)?.done();
    assert_eq!(rogue.fates(&manifest)?, ["merged"]);
    Ok(())
}

#[test]
fn truncated_payload_waits_for_the_rest() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-truncated")?;
    let record = good(&mut rogue);
    let (manifest, payload) = rogue.close(&[record], |_| ())?;
    let half = payload.len() / 2;
    rogue.announce(&manifest)?.done();
    rogue.patch(manifest.id(), 0, &payload[..half])?.done();
    assert_eq!(rogue.offset(manifest.id())?, Some(half as u64));
    let wanted = rogue.hello()?.want;
    assert_eq!(wanted.len(), 1, "the centre says what it wants, and from where: {wanted:?}");
    rogue.patch(manifest.id(), half as u64, &payload[half..])?.done();
    assert_eq!(rogue.fates(&manifest)?, ["merged"]);
    Ok(())
}

/// Promise 8: what is missing is named, and stops nobody.
#[test]
fn promise_08_a_gap_is_accepted_named_and_closed_by_the_late_batch() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-gap")?;
    let (one, two) = (good(&mut rogue), good(&mut rogue));
    let first = rogue.close(&[one], |_| ())?;
    let second = rogue.close(&[two], |_| ())?;
    assert_eq!(rogue.deliver(&second.0, &second.1)?.state().to_string(), "accepted");
    assert_eq!(rogue.fates(&second.0)?, ["merged"]);
    let named = || -> Sure<bool> {
        let ran = world.centre.run(&["fsck"])?;
        Ok(ran.of("open").any(|l| l["kind"] == "batches-missing" && l["about"].as_str().is_some_and(|d| d.contains("van-gap"))))
    };
    assert!(named()?, "the missing batch is named: {:?}", world.centre.run(&["fsck"])?.lines);
    rogue.deliver(&first.0, &first.1)?;
    assert_eq!(rogue.fates(&first.0)?, ["merged"]);
    assert!(!named()?, "and not any more");
    Ok(())
}

/// Promise 4: however often it is delivered, it takes effect once.
#[test]
fn promise_04_a_repeat_takes_effect_once() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-repeat")?;
    let record = good(&mut rogue);
    let (manifest, payload) = rogue.close(std::slice::from_ref(&record), |_| ())?;
    rogue.deliver(&manifest, &payload)?;
    let first = rogue.outcome(&manifest)?;
    let again = rogue.announce(&manifest)?;
    assert_eq!(again.status, 200, "known: {again:?}");
    // the same record in another batch: the same number, the same bytes
    let line = record.line(1, &rogue.name, &rogue.agent);
    let twice = rogue.close_lines(vec![line], &record.sealed, |_| ())?;
    rogue.deliver(&twice, &record.sealed)?;
    let second = rogue.outcome(&twice)?;
    assert_eq!(first[0].fate, second[0].fate, "one effect, told twice");
    let id = record.facts.record.to_string();
    let trace = world.centre.run(&["record", "trace", &id])?.ok()?;
    assert_eq!(trace.of("delivery").count(), 2, "both deliveries are on record");
    Ok(())
}

/// Nobody takes a record's place by using its id for other bytes: the first stands, the other is held.
#[test]
fn promise_04_nobody_takes_a_records_place_by_using_its_id() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-reuse")?;
    let [one, two] = rogue.workshop.sealed_twice();
    let (first, payload) = rogue.close(&[one], |_| ())?;
    rogue.deliver(&first, &payload)?;
    assert_eq!(rogue.fates(&first)?, ["merged"]);
    let (second, payload) = rogue.close(&[two], |_| ())?;
    rogue.deliver(&second, &payload)?;
    assert_eq!(rogue.fates(&second)?, ["held record-reused"]);
    assert_eq!(rogue.fates(&first)?, ["merged"], "what came first stands");
    rogue.advance(&second, 1);
    goes_on(&mut rogue)
}

#[test]
fn a_number_used_twice_holds_who_comes_second() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-number")?;
    let (one, two) = (good(&mut rogue), good(&mut rogue));
    let (first, payload) = rogue.close(std::slice::from_ref(&one), |_| ())?;
    rogue.deliver(&first, &payload)?;
    rogue.fates(&first)?;
    let line = two.line(1, &rogue.name, &rogue.agent);
    let second = rogue.close_lines(vec![line], &two.sealed, |_| ())?;
    rogue.deliver(&second, &two.sealed)?;
    assert_eq!(rogue.fates(&second)?, ["held number-reused"]);
    assert_eq!(rogue.fates(&first)?, ["merged"], "what came first stands");
    rogue.advance(&second, 1);
    goes_on(&mut rogue)
}

/// Of a fork both branches are kept, the unit's later work is put aside, nobody else is harmed.
#[test]
fn promise_08_a_fork_is_kept_and_later_work_quarantined() -> Sure<()> {
    let world = world()?;
    assert_eq!(undetected_fork(&mut rogue(&world, "van-fork")?)?, [""; 0]);
    Ok(())
}

/// A unit closes two batches at one place, then goes on after the first: what the centre does not see in that.
fn undetected_fork(rogue: &mut Rogue) -> Sure<Vec<String>> {
    let records: Vec<Forged> = (0..3).map(|_| good(rogue)).collect();
    let one = rogue.close(&records[..1], |_| ())?;
    rogue.deliver(&one.0, &one.1)?;
    assert_eq!(rogue.fates(&one.0)?, ["merged"]);
    // another batch at the same place
    let after = rogue.head.take();
    let fork = rogue.close(&records[1..2], |_| ())?;
    let mut undetected = Vec::from_iter(not_put_aside(rogue, "the other branch", &fork)?);
    rogue.head = after;
    let later = rogue.close(&records[2..], |_| ())?;
    undetected.extend(not_put_aside(rogue, "later work", &later)?);
    assert_eq!(rogue.fates(&one.0)?, ["merged"], "what came first stands");
    Ok(undetected)
}

fn not_put_aside(rogue: &Rogue, what: &str, (manifest, payload): &(Manifest, Vec<u8>)) -> Sure<Option<String>> {
    let state = match rogue.deliver(manifest, payload) {
        Ok(receipt) => receipt.state().to_string(),
        Err(why) => return Ok(Some(format!("{what} was taken and is not kept: {why}"))),
    };
    let fates = rogue.fates(manifest)?;
    let aside = state == "quarantined fork" && fates == ["held fork"];
    Ok((!aside).then(|| format!("{what} is {state}, its records {fates:?}")))
}

#[test]
fn sabotage_dedup_by_sequence_is_found_out() -> Sure<()> {
    if sabotage_is_missing() {
        return Ok(());
    }
    let mut world = World::new(&Plan::default())?;
    world.centre.sabotage(&["dedup-by-sequence"])?;
    world.centre.serve()?;
    let undetected = undetected_fork(&mut Rogue::admitted(&world, "van-fork")?)?;
    assert_eq!(undetected.len(), 2, "both the other branch and what follows: {undetected:?}");
    Ok(())
}

#[test]
fn a_late_hello_gets_no_token() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-late")?;
    rogue.say(7, None)?;
    assert!(rogue.has_token());
    let late = rogue.say(5, None)?;
    assert_eq!((late.state, late.counter, rogue.has_token()), (State::Late, 7, false));
    rogue.say(8, None)?;
    rogue.counter = 8;
    goes_on(&mut rogue)
}

#[test]
fn a_contradiction_freezes_the_unit() -> Sure<()> {
    let world = world()?;
    let (carrier, mut rogue) = (rogue(&world, "van-carrier")?, rogue(&world, "van-frozen")?);
    let record = good(&mut rogue);
    let (manifest, payload) = rogue.close(&[record], |_| ())?;
    rogue.deliver(&manifest, &payload)?;
    let lie = Place::new(1, 1).ok().map(|place| (place, BatchId::from_bytes(*Digest::of(b"another").as_bytes())));
    let answer = rogue.say(50, lie)?;
    assert_eq!((answer.state, rogue.has_token()), (State::Frozen, false));
    let again = rogue.say(51, rogue.head)?;
    assert_eq!(again.state, State::Frozen, "until somebody decides");
    // what a colleague's session brings of it is kept, and put aside
    let record = good(&mut rogue);
    let (later, payload) = rogue.close(&[record], |_| ())?;
    assert_eq!(carrier.deliver(&later, &payload)?.state().to_string(), "quarantined frozen");
    assert_eq!(carrier.fates(&later)?, ["held frozen"]);
    assert_eq!(carrier.fates(&manifest)?, ["merged"], "what came before stands");
    sound(&world)
}

#[test]
fn a_revoked_units_later_work_is_quarantined() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-revoked")?;
    let (one, two) = (good(&mut rogue), good(&mut rogue));
    let (first, payload) = rogue.close(&[one], |_| ())?;
    rogue.deliver(&first, &payload)?;
    assert_eq!(rogue.fates(&first)?, ["merged"]);
    let (second, payload) = rogue.close(&[two], |_| ())?;
    {
        let _one_at_a_time = ADMISSION.lock().unwrap_or_else(PoisonError::into_inner);
        world.centre.run(&["unit", "revoke", "van-revoked", "--reason", "stolen", "--since", "now", "--yes"])?.ok()?;
    }
    // it is heard: what it has is taken in, logged and receipted, and put aside
    rogue.hello()?;
    assert_eq!(rogue.deliver(&second, &payload)?.state().to_string(), "quarantined revoked");
    assert_eq!(rogue.fates(&second)?, ["held revoked"]);
    assert_eq!(rogue.fates(&first)?, ["merged"], "work from before the cut stays");
    Ok(())
}

/// Promise 12: whatever comes in gets a code, never a crash, and harms nothing.
#[test]
fn promise_12_hostile_input_gets_a_code_and_harms_nothing() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-hostile")?;
    let bodies: [Vec<u8>; 7] = [
        Vec::new(),
        b"nonsense".to_vec(),
        vec![0xFF; 70_000],
        vec![b'{'; 60_000],
        vec![b'x'; 1_000_001],
        "— van-hostile AAAA\n".repeat(2000).into_bytes(),
        format!("enroll-batch/v1\nunit {}\n\n— x {}\n", "a".repeat(5000), "A".repeat(9000)).into_bytes(),
    ];
    for body in bodies {
        for path in ["hello", "batches"] {
            let size = body.len();
            let reply = rogue.post(path, body.clone())?;
            assert!(reply.code().is_some(), "{path}, {size} bytes: {}", reply.status);
        }
    }
    for path in ["batches/sha256:../../etc/passwd/receipt", "forms/sha256:zz", "roster?after=-1", "batches/%00/payload"] {
        let reply = rogue.get(path)?;
        assert!(reply.status.is_client_error(), "{path}: {reply:?}");
    }
    goes_on(&mut rogue)?;
    sound(&world)
}

#[test]
fn a_call_without_a_session_is_refused() -> Sure<()> {
    let world = world()?;
    let mut rogue = rogue(&world, "van-session")?;
    rogue.say(2, None)?;
    rogue.say(1, None)?;
    let record = good(&mut rogue);
    let manifest = rogue.close_lines(vec![record.line(1, &rogue.name, &rogue.agent)], &record.sealed, |_| ())?;
    rogue.announce(&manifest)?.refused("token-invalid");
    Ok(())
}
