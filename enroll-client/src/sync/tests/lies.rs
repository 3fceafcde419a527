//! A centre that shows forged, foreign or private things: none of it is written, and the exit code is 7.

use shared::{id::RosterVersion, log::Body, problem::Code, roster::Roster, time::Second};

use super::{
    Source, Unit,
    centre::{Centre, Log, place, reply, signer, take, truth},
    code, exit, idle, joined, publish, roster,
};
use crate::{cli::Exit, sync::evidence};

#[test]
fn an_answer_of_another_key_or_to_another_hello_is_worth_nothing() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    let before = unit.seen();
    centre.lie(move |world, request| {
        request.is("POST /v1/hello").then(|| {
            let own = std::mem::replace(&mut world.keys[0], signer("registry.example", 9));
            let answer = truth(world, request);
            world.keys[0] = own;
            answer
        })
    });
    assert_eq!(code(unit.sync()), (Code::SignatureInvalid, Source::Forged, Exit::Integrity));
    let mut recorded: Option<Vec<u8>> = None;
    centre.lie(move |world, request| request.is("POST /v1/hello").then(|| recorded.get_or_insert_with(|| truth(world, request)).clone()));
    unit.sync().expect("the first one is right");
    assert_eq!(code(unit.sync()), (Code::SignatureInvalid, Source::Forged, Exit::Integrity));
    assert!(unit.seen().size >= before.size);
}

#[test]
fn a_log_that_forgot_is_named_and_stops_everything() {
    let (centre, unit) = joined();
    let older = centre.world().log.clone();
    idle(&mut centre.world().log, 3);
    unit.sync().expect("follows");
    let seen = unit.seen();
    unit.close(&[10]);
    centre.world().requests.clear();
    centre.lie(move |world, request| {
        request.is("POST /v1/hello").then(|| {
            let whole = String::from_utf8(truth(world, request)).expect("text");
            let mut json: serde_json::Value = serde_json::from_str(whole.split_once("\r\n\r\n").expect("a body").1).expect("json");
            let (_, checkpoint) = json["consistency"].as_str().expect("text").split_once("\n\n").expect("a checkpoint");
            assert!(checkpoint.contains(&format!("\n{}\n", seen.size)));
            let backwards = older.consistency(0, &world.keys[1]).replacen("old 0", &format!("old {}", seen.size), 1);
            json["consistency"] = backwards.into();
            reply("200 OK", "", json.to_string().as_bytes())
        })
    });
    assert_eq!(code(unit.sync()), (Code::LogInconsistent, Source::Forged, Exit::Integrity));
    assert_eq!((unit.seen(), centre.asked("POST /v1/batches")), (seen, 0), "nothing is written, nothing is sent");
}

#[test]
fn a_forked_log_is_kept_as_evidence_and_nothing_is_believed() {
    let (centre, unit) = joined();
    unit.sync().expect("follows");
    let seen = unit.seen();
    unit.close(&[10]);
    centre.world().requests.clear();
    centre.lie(move |world, request| {
        request.is("POST /v1/hello").then(|| {
            let mut fork = Log::default();
            idle(&mut fork, 9);
            let own = std::mem::replace(&mut world.log, fork);
            let answer = truth(world, request);
            world.log = own;
            answer
        })
    });
    assert_eq!(code(unit.sync()), (Code::LogInconsistent, Source::Forged, Exit::Integrity));
    assert_eq!((unit.seen(), centre.asked("POST /v1/batches")), (seen, 0));
    let (_, kept) = evidence(unit.vault.places(), Second::from_unix(0)).expect("a folder").expect("evidence");
    assert_eq!(kept.len(), 1);
    let file = std::fs::read_to_string(&kept[0]).expect("a file");
    assert!(file.contains(&format!("seen {seen}")) && file.matches("registry.example/log\n").count() >= 3, "both heads, signed");
    centre.honest();
    assert_eq!(unit.sync().map(|r| r.receipts), Ok(1), "the honest log goes on from where it was");
}

#[test]
fn an_offset_beyond_the_end_is_not_believed() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    centre.lie(|_, request| request.is("PATCH").then(|| reply("204 No Content", "Upload-Offset: 99\r\n", b"")));
    let ended = unit.sync();
    assert_eq!(ended.map(|r| (r.sent_batches, r.receipts)), Ok((0, 0)));
    assert_eq!(unit.vault.batch_at(place(1)).expect("read").expect("there").sent, 0);
}

#[test]
fn the_receipt_of_another_batch_is_not_stored() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    unit.close(&[20]);
    centre.lie(|world, request| {
        let [first, second] = [0, 1].map(|n| world.uploads.get(n).and_then(|u| Some((u.manifest.id().to_string(), u.index?))));
        let ((first, _), (_, other)) = (first?, second?);
        (request.is("GET") && request.line.contains(&format!("{first}/receipt"))).then(|| {
            let proof = world.log.prove(other, world.log.head().size, &world.keys[1]);
            reply("200 OK", "", proof.as_bytes())
        })
    });
    let ended = unit.sync();
    assert_eq!(exit(&ended), Exit::Integrity);
    assert_eq!(unit.papers(), (1, 1), "the other batch has its own");
    assert!(unit.vault.batch_at(place(1)).expect("read").expect("there").receipt.is_none());
    centre.honest();
    assert_eq!(unit.sync().map(|r| r.receipts), Ok(1));
}

#[test]
fn a_receipt_from_a_history_of_its_own_is_not_stored() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    centre.lie(|world, request| {
        (request.is("GET") && request.line.contains("/receipt")).then(|| {
            // the same batch in a log that nobody else sees
            let own = world.log.clone();
            world.log = Log::default();
            idle(&mut world.log, 7);
            let n = world.uploads.len() - 1;
            let true_entry = (world.uploads[n].index, world.uploads[n].outcome.clone());
            take(world, n);
            let proof = world.log.prove(world.uploads[n].index.expect("logged"), 0, &world.keys[1]);
            (world.uploads[n].index, world.uploads[n].outcome) = true_entry;
            world.log = own;
            reply("200 OK", "", proof.as_bytes())
        })
    });
    let ended = unit.sync();
    assert_ne!(exit(&ended), Exit::Done);
    assert_eq!(unit.papers().0, 0);
    centre.honest();
    assert_eq!(unit.sync().map(|r| r.receipts), Ok(1));
}

#[test]
fn an_outcome_that_the_log_does_not_name_is_not_stored() {
    let (centre, unit) = joined();
    unit.close(&[10, 20]);
    centre.lie(|world, request| {
        let own = world.uploads.first().and_then(|u| Some((u.outcome.clone()?, u.index?)));
        let ((note, _), batch) = own?;
        (request.is("GET") && request.line.contains("/outcome")).then(|| {
            let proof = world.log.prove(batch, world.log.head().size, &world.keys[1]);
            reply("200 OK", "", serde_json::json!({ "outcome": note, "proof": proof }).to_string().as_bytes())
        })
    });
    assert_eq!(exit(&unit.sync()), Exit::Integrity);
    assert_eq!(unit.papers(), (1, 0));
    assert!(unit.vault.state().expect("state").settled < unit.seen().size, "it is asked for again");
    centre.honest();
    assert_eq!(unit.sync().map(|r| r.outcomes), Ok(1));
}

#[test]
fn a_private_roster_is_not_taken() {
    let (centre, unit) = joined();
    let key = unit.vault.state().expect("state").key;
    publish(&mut centre.world(), roster(2, Some(&key)));
    centre.lie(|world, request| {
        request.is("GET /v1/roster").then(|| {
            let own = world.log.clone();
            let mut fork = Log::default();
            idle(&mut fork, 5);
            let text = world.rosters[1].0.clone();
            let blob = Roster::parse(text.as_bytes()).expect("a roster").note().blob();
            let index = fork.add(Body::Roster { version: RosterVersion(2), blob });
            let proof = fork.prove(index, 0, &world.keys[1]);
            world.log = own;
            reply("200 OK", "", serde_json::json!([{ "roster": text, "proof": proof }]).to_string().as_bytes())
        })
    });
    let _ = unit.sync();
    assert_eq!(unit.vault.demand_roster().map(|r| r.version()), Ok(RosterVersion(1)));
    centre.honest();
    assert_eq!(unit.sync().map(|r| r.rosters), Ok(1));
}

#[test]
fn a_form_that_is_not_the_one_named_is_not_taken() {
    let centre = Centre::start();
    let unit = Unit::new(&centre.address);
    let key = unit.vault.state().expect("state").key;
    publish(&mut centre.world(), roster(1, Some(&key)));
    centre.lie(|_, request| request.is("GET /v1/forms").then(|| reply("200 OK", "", b"{ }")));
    assert_eq!(code(unit.sync()), (Code::FormMismatch, Source::Forged, Exit::Integrity));
    assert_eq!(unit.vault.roster().map(|r| r.is_none()), Ok(true));
}
