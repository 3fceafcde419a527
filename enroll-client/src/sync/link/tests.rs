//! What is let through to the wire, and what its failures mean.

use super::*;

#[test]
fn plain_http_stays_on_this_machine() {
    for good in ["http://127.0.0.1:8080", "http://[::1]:80", "http://localhost", "http://127.8.8.8/x", "https://localhost", "https://[::1]"]
    {
        assert!(is_loopback(good), "{good}");
    }
    for bad in [
        "http://registry.example",
        "http://127.0.0.1@registry.example",
        "http://localhost.evil.example",
        "https://registry.example",
        "https://127.0.0.1@registry.example",
        "http://10.0.0.1",
    ] {
        assert!(!is_loopback(bad), "{bad}");
        assert_eq!(Link::new(bad, None).is_err(), bad.starts_with("http://"), "{bad}");
    }
}

#[test]
fn a_full_disk_is_no_forgery() {
    for here in [Code::DiskFull, Code::IoFailed, Code::DatabaseFailed, Code::LockedElsewhere] {
        assert_eq!(blame(here.into()).source, Source::Here, "{here}");
    }
    for forged in [Code::SignatureInvalid, Code::ProofInvalid, Code::RosterRefused] {
        assert_eq!(blame(forged.into()).source, Source::Forged, "{forged}");
    }
}

#[test]
fn the_centres_words_are_made_harmless() {
    let status = StatusCode::BAD_REQUEST;
    let told = refusal(status, Some(Code::Fork), br#"{"code":"fork","detail":"1.4\u001b[31m"}"#);
    assert_eq!((told.source, told.problem.code, told.problem.detail.as_str()), (Source::Centre, Code::Fork, "1.4[31m"));
    // to HEAD there is no body
    assert_eq!(refusal(StatusCode::NOT_FOUND, Some(Code::NotFound), b""), Trouble::new(Source::Centre, Code::NotFound));
}

#[test]
fn what_is_not_the_centres_word_is_no_verdict() {
    let newer = refusal(StatusCode::BAD_REQUEST, None, br#"{"code":"from-the-future","detail":"x"}"#);
    assert!(newer.source == Source::Way && newer.is_temporary() && newer.problem.detail.contains("from-the-future x"), "{newer:?}");
    for status in [302, 400, 401, 403, 404, 408, 410, 413, 414, 429, 431, 500, 502, 503, 504] {
        let status = StatusCode::from_u16(status).expect("a status");
        for body in [&b"<html>Not Found</html>"[..], b"", b"{}", br#"{"error":"x"}"#] {
            let told = refusal(status, None, body);
            assert_eq!((told.source, told.problem.code, told.is_temporary()), (Source::Way, Code::ServerUnreachable, true), "{status}");
        }
    }
}

#[test]
fn what_is_wrong_inside_the_centre_is_no_verdict() {
    for code in ["database-failed", "io-failed", "disk-full", "archive-damaged"] {
        let told = refusal(StatusCode::INTERNAL_SERVER_ERROR, code.parse().ok(), format!(r#"{{"code":"{code}"}}"#).as_bytes());
        assert!(told.source == Source::Centre && told.is_temporary(), "{code}");
        assert!(told.problem.detail.starts_with(code), "{code} is still shown");
    }
}

/// A server with a certificate of these names and days; answers one request with 404.
fn tls_server(name: &str, from: i32, to: i32) -> (String, String) {
    use std::io::{Read as _, Write as _};
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut asked = rcgen::CertificateParams::new([name.to_owned()]).expect("a name");
    (asked.not_before, asked.not_after) = (rcgen::date_time_ymd(from, 1, 1), rcgen::date_time_ymd(to, 1, 1));
    let certificate = asked.self_signed(&key).expect("signed");
    let pem = certificate.pem();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let secret = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], secret);
    let config = std::sync::Arc::new(config.expect("a certificate"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(config.clone()).expect("a connection");
            let mut line = rustls::StreamOwned::new(connection, stream);
            let mut some = [0; 1024];
            if line.read(&mut some).is_ok() {
                let _ = line.write_all(
                    b"HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nEnroll-Problem: not-found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                );
            }
        }
    });
    (url, pem)
}

#[test]
fn a_certificate_is_believed_by_the_ca_given_its_name_and_its_days() {
    let (url, pem) = tls_server("localhost", 2020, 2090);
    let (_, other) = tls_server("localhost", 2020, 2090);
    let ask = |url: &str, ca: &str| {
        let link = Link::new(url, Some(ca.as_bytes())).expect("prepared");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(link.hello(b"x")).map(|_| ()).map_err(|t| t.problem.code)
    };
    assert_eq!(ask(&url, &pem), Err(Code::NotFound), "through, and answered");
    assert_eq!(ask(&url, &other), Err(Code::ServerUntrusted));
    let (elsewhere, pem) = tls_server("registry.example", 2020, 2090);
    assert_eq!(ask(&elsewhere, &pem), Err(Code::ServerUntrusted), "another name");
    let (past, pem) = tls_server("localhost", 1990, 2000);
    assert_eq!(ask(&past, &pem), Err(Code::ClockWrong));
    let (future, pem) = tls_server("localhost", 2080, 2090);
    assert_eq!(ask(&future, &pem), Err(Code::ClockWrong), "the laptop's clock is behind, most likely");
}
