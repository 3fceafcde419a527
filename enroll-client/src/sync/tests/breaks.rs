//! A centre that is slow, busy, cut off or refuses: what is temporary is tried again, what is refused is set
//! aside, nothing is lost.

use std::time::Duration;

use shared::{hello::State, problem::Code, time::Second};

use super::{
    Options, Source,
    centre::{Request, place, problem, reply, truth},
    code, exit, joined,
};
use crate::{cli::Exit, sync::evidence, vault::state::Standing};

#[test]
fn a_hello_is_never_sent_twice() {
    let (centre, unit) = joined();
    let mut left = 3;
    centre.lie(move |world, request| {
        left -= i32::from(request.is("POST /v1/hello"));
        let whole = (left >= 0 && request.is("POST /v1/hello")).then(|| truth(world, request))?;
        Some(whole[..whole.len() / 2].to_vec())
    });
    unit.sync().expect("the fourth comes through");
    let hellos = centre.world().hellos.clone();
    let mut different = hellos.clone();
    different.sort();
    different.dedup();
    assert_eq!((hellos.len(), different.len()), (5, 5));
}

#[test]
fn a_centre_out_of_reach_is_temporary() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    centre.lie(|_, _| Some(Vec::new()));
    assert_eq!(code(unit.sync()), (Code::ServerUnreachable, Source::Way, Exit::Later));
    centre.lie(|_, _| Some(problem("503 Service Unavailable", "Retry-After: 0\r\n", "busy")));
    assert_eq!(code(unit.sync()), (Code::Busy, Source::Centre, Exit::Later));
    centre.lie(|_, _| Some(reply("302 Found", "Location: http://login.example/\r\n", b"")));
    assert_eq!(code(unit.sync()), (Code::ServerUnreachable, Source::Way, Exit::Later), "a network that wants a login");
    centre.lie(|_, _| Some(reply("200 OK", "", b"<html>")));
    assert_eq!(code(unit.sync()), (Code::ServerUnreachable, Source::Way, Exit::Later));
    assert_eq!(unit.vault.waiting().map(|w| w.len()), Ok(1), "nothing is lost");
}

#[test]
fn a_retry_after_beyond_the_run_ends_it() {
    let (centre, unit) = joined();
    centre.lie(|_, _| Some(problem("503 Service Unavailable", "Retry-After: 3000\r\n", "busy")));
    assert_eq!(code(unit.sync()), (Code::Busy, Source::Centre, Exit::Later));
    assert_eq!(centre.asked("POST /v1/hello"), 1);
}

#[test]
fn an_upload_goes_on_from_what_is_durable_there() {
    let (centre, unit) = joined();
    unit.close(&[200_000, 150_000]);
    let mut cuts = vec![100_000, 40_000, 0];
    centre.lie(move |world, request| {
        let cut = request.is("PATCH").then(|| cuts.pop()).flatten()?;
        // so much became durable; the answer got lost
        let kept = Request { body: request.body[..cut].to_vec(), ..request.clone() };
        truth(world, &kept);
        Some(Vec::new())
    });
    let report = unit.sync().expect("done");
    assert_eq!((report.sent_batches, report.sent_bytes, report.receipts), (1, 350_000, 1));
    let offsets: Vec<u64> = centre.world().requests.iter().filter(|r| r.is("PATCH")).map(|r| r.offset).collect();
    assert_eq!(offsets, [0, 0, 40_000, 140_000]);
}

#[test]
fn stock_refusals_of_an_upload_are_asked_about_and_tried_again() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    let mut told = vec![
        problem("503 Service Unavailable", "Retry-After: 0\r\n", "busy"),
        problem("423 Locked", "", "upload-locked"),
        problem("409 Conflict", "", "offset-wrong"),
    ];
    centre.lie(move |_, request| request.is("PATCH").then(|| told.pop()).flatten());
    assert_eq!(unit.sync().map(|r| (r.sent_bytes, r.receipts)), Ok((10, 1)));
}

#[test]
fn a_payload_damaged_on_the_way_starts_again() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    let mut once = true;
    centre.lie(move |world, request| {
        (request.is("PATCH") && std::mem::take(&mut once)).then(|| {
            let damaged = Request { body: vec![0; 10], ..request.clone() };
            truth(world, &damaged)
        })
    });
    assert_eq!(unit.sync().map(|r| (r.sent_batches, r.receipts)), Ok((1, 1)));
}

#[test]
fn a_refused_batch_is_set_aside_and_the_next_one_goes() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    unit.close(&[20]);
    centre.lie(|_, request| {
        let first = request.is("POST /v1/batches") && String::from_utf8_lossy(&request.body).contains("sequence 1\n");
        first.then(|| problem("413 Content Too Large", "", "batch-too-large"))
    });
    let ended = unit.sync();
    assert_eq!(exit(&ended), Exit::Partly);
    assert_eq!(ended.map(|r| (r.sent_batches, r.refused, r.waiting)), Ok((1, 1, 1)));
    let row = unit.vault.batch_at(place(1)).expect("read").expect("there");
    assert_eq!(row.problem.map(|p| p.code), Some(Code::BatchTooLarge));
    centre.world().requests.clear();
    let ended = unit.sync();
    assert_eq!((exit(&ended), centre.asked("POST /v1/batches")), (Exit::Refused, 0), "not offered again");
    centre.honest();
    let again = Options { again: true, ..Options::default() };
    assert_eq!(unit.sync_with(&again).map(|r| r.receipts), Ok(1));
}

/// Whoever stands between says no; nothing is set aside, and the same goes by itself when the way is good again.
#[test]
fn only_the_centres_word_is_a_verdict() {
    let html = b"<html>404 Not Found</html>";
    let answers: [(&str, &str, &[u8]); 9] = [
        ("404 Not Found", "Content-Type: text/html\r\n", html),
        ("404 Not Found", "", b""),
        ("413 Request Entity Too Large", "Content-Type: text/html\r\n", html),
        ("400 Bad Request", "", b""),
        ("403 Forbidden", "Content-Type: text/html\r\n", html),
        ("502 Bad Gateway", "Content-Type: text/html\r\n", html),
        ("200 OK", "Content-Type: text/html\r\n", html),
        ("422 Unprocessable Content", "Content-Type: application/json\r\n", br#"{"code":"fork","detail":""}"#),
        ("422 Unprocessable Content", "Content-Type: application/problem+json\r\n", br#"{"code":"from-the-future"}"#),
    ];
    for (status, headers, body) in answers {
        for what in ["POST /v1/batches", "HEAD", "PATCH"] {
            let (centre, unit) = joined();
            unit.close(&[10]);
            centre.lie(move |_, request| request.is(what).then(|| reply(status, headers, body)));
            let _ = unit.sync();
            let row = unit.vault.batch_at(place(1)).expect("read").expect("there");
            assert_eq!(row.problem, None, "{what}: {status}");
            centre.honest();
            unit.sync().expect("through");
            assert_eq!(unit.vault.waiting().map(|waiting| waiting.len()), Ok(0), "{what}: {status}");
        }
    }
    // the centre itself says no to bytes that are good here: the way has changed them
    for code in ["manifest-invalid", "signature-invalid", "note-malformed", "payload-corrupt"] {
        let (centre, unit) = joined();
        unit.close(&[10]);
        centre.lie(move |_, request| request.is("POST /v1/batches").then(|| problem("422 Unprocessable Content", "", code)));
        assert_eq!(exit(&unit.sync()), Exit::Later, "{code}");
        assert_eq!(unit.vault.batch_at(place(1)).expect("read").expect("there").problem, None, "{code}");
        centre.honest();
        assert_eq!(unit.sync().map(|r| r.receipts), Ok(1), "{code}");
    }
}

#[test]
fn a_stuck_batch_does_not_hold_up_the_next() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    unit.close(&[20]);
    centre.lie(|world, request| {
        let first = world.uploads.first().map(|u| u.manifest.id().to_string()).unwrap_or_default();
        (request.is("PATCH") && request.line.contains(&first)).then(Vec::new)
    });
    let ended = unit.sync();
    assert_eq!(exit(&ended), Exit::Partly);
    assert_eq!(ended.map(|r| (r.sent_batches, r.receipts, r.waiting)), Ok((1, 1, 1)));
}

#[test]
fn a_token_that_has_run_out_is_renewed_by_a_hello() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    let mut once = true;
    centre.lie(move |_, request| {
        (request.is("POST /v1/batches") && std::mem::take(&mut once)).then(|| problem("401 Unauthorized", "", "token-invalid"))
    });
    assert_eq!(unit.sync().map(|r| r.receipts), Ok(1));
}

#[test]
fn a_rewound_vault_learns_it_and_sends_nothing() {
    let (centre, unit) = joined();
    unit.close(&[10]);
    centre.world().state = State::VaultRewound;
    let ended = unit.sync();
    assert_eq!(exit(&ended), Exit::Refused);
    assert_eq!(unit.vault.state().expect("state").standing, Standing::Rewound);
    assert_eq!(centre.asked("POST /v1/batches"), 0);
    assert_eq!(unit.vault.waiting().map(|w| w.len()), Ok(1));
}

#[test]
fn an_old_counter_is_raised_above_what_the_centre_has() {
    let (centre, unit) = joined();
    centre.world().counter = 500;
    centre.world().state = State::Late;
    centre.lie(|world, request| {
        (request.is("POST /v1/hello") && world.hellos.len() > 1).then(|| {
            world.state = State::Ok;
            truth(world, request)
        })
    });
    unit.sync().expect("well after all");
    assert!(unit.vault.state().expect("state").hello > 500);
}

#[test]
fn a_run_whose_time_is_over_stops_and_the_next_one_goes_on() {
    let (centre, unit) = joined();
    unit.close(&[300_000]);
    // as slow as never to end, so the run's own end cuts it off
    let short = Options { rate: Some(1000), lasting: Duration::from_millis(400), ..unit.options() };
    let ended = unit.sync_with(&short);
    // what arrived before the end is told, and counts as a part
    let arrived = ended.as_ref().is_ok_and(|report| report.sent_bytes > 0);
    assert_eq!(exit(&ended), if arrived { Exit::Partly } else { Exit::Later });
    assert_eq!(ended.map(|r| (r.sent_batches, r.waiting)), Ok((0, 1)));
    assert_eq!(unit.sync().map(|r| r.receipts), Ok(1));
    assert!(centre.asked("PATCH") >= 1);
}

#[test]
fn a_smaller_log_that_the_centre_admits_to_leaves_evidence() {
    let (centre, unit) = joined();
    unit.sync().expect("follows");
    centre.lie(|_, request| request.is("POST /v1/hello").then(|| problem("409 Conflict", "", "log-inconsistent")));
    assert_eq!(code(unit.sync()), (Code::LogInconsistent, Source::Centre, Exit::Integrity));
    assert_eq!(evidence(unit.vault.places(), Second::from_unix(0)).map(|found| found.map(|(_, files)| files.len())), Ok(Some(1)));
}
