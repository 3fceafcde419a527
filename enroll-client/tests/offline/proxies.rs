//! A proxy of the environment gets nothing that is meant for this machine itself: manifests and token would go to it in clear.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use super::{centre::Centre, unit::Unit};

/// Answers every call with 502 and hands on its first line.
fn listener() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, lines) = channel();
    // ends with the process of the tests
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut some = [0; 4096];
            let n = stream.read(&mut some).unwrap_or(0);
            let line = String::from_utf8_lossy(&some[..n]).lines().next().unwrap_or_default().to_owned();
            let _ = sender.send(line);
            let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, lines)
}

/// A unit of a centre at this address.
fn unit(server: &str) -> Unit {
    let unit = Unit::empty();
    let key = Centre::new().roster_key();
    unit.run(&["init", "--server", server, "--unit", "van-017", "--argon2-mib", "1", "--roster-key", &key]).done();
    unit
}

fn sync_through(unit: &Unit, proxy: &str) {
    let mut command = unit.command(&["sync", "--tries", "1", "--max-minutes", "1"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, format!("http://{proxy}"));
    }
    let ended = command.output().unwrap();
    assert!(!ended.status.success(), "nobody there is a centre");
}

#[test]
fn what_is_for_this_machine_goes_through_no_proxy() {
    for host in ["127.0.0.1", "localhost"] {
        let ((proxy, seen), (centre, asked)) = (listener(), listener());
        let port = centre.rsplit_once(':').unwrap().1;
        sync_through(&unit(&format!("http://{host}:{port}")), &proxy);
        let first = asked.recv_timeout(Duration::from_secs(30)).expect("asked itself");
        assert!(first.starts_with("GET /v1/roster"), "{first}");
        assert!(seen.try_recv().is_err(), "{host}: the proxy was asked");
    }
}

/// The same settings are used for a centre elsewhere; without this the test above could not fail.
#[test]
fn what_is_for_another_machine_goes_through_the_proxy() {
    let (proxy, seen) = listener();
    sync_through(&unit("https://192.0.2.1:8443"), &proxy);
    let first = seen.recv_timeout(Duration::from_secs(30)).expect("the proxy is asked");
    assert!(first.starts_with("CONNECT 192.0.2.1:8443"), "{first}");
}
