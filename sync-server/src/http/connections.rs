//! Connections: how many, how long, over TLS or, on this machine only, plainly.
//!
//! **Invariants:** at most as many connections as the limits say, each with a deadline for its handshake and every
//! header; one more is told to come back (over TLS: closed, a handshake would cost what is short). When the server stops, nothing new is accepted and open requests end or are
//! cut off with what arrived durable.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use shared::problem::{Code, Lang, Problem};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{
    limits::Limits,
    problem::{details, status},
};

/// Pause after accepting failed (no file descriptors left): others must be able to close theirs.
const BREATH: Duration = Duration::from_millis(100);

/// What lies between the socket and HTTP.
#[derive(Clone)]
pub enum Line {
    /// TLS.
    Tls(TlsAcceptor),
    /// Nothing.
    Plain,
}

/// Serves until `stop` turns true, then until all connections have ended, or had their time to.
pub async fn serve(listener: TcpListener, line: Line, router: Router, limits: Limits, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted.inspect_err(|e| tracing::warn!("accepting: {e}")) else {
            sleep(BREATH).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            turn_away(&stream, &line);
            continue;
        };
        let (line, router, stop) = (line.clone(), router.clone(), stop.clone());
        tokio::spawn(async move {
            let _place = place;
            connection(stream, peer, line, router, limits, stop).await;
        });
    }
    drop(listener);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if timeout(Duration::from_secs(limits.stop_seconds) * 2, places.acquire_many(all)).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}

/// One connection too many: told so if that takes no more than a write to an empty socket.
fn turn_away(stream: &TcpStream, line: &Line) {
    if matches!(line, Line::Plain) {
        let problem = Problem::new(Code::Busy, "connections");
        let body = details(&problem, Lang::En);
        let head = format!(
            "HTTP/1.1 {}\r\nretry-after: 10\r\ncontent-type: application/problem+json\r\nenroll-problem: busy\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            status(problem.code),
            body.len()
        );
        let _ = stream.try_write(&[head.as_bytes(), &body].concat());
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, line: Line, router: Router, limits: Limits, stop: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    // The kernel gives up a connection whose other side takes nothing (RFC 5482): nobody holds a place by not reading.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, limits.answer_seconds.saturating_mul(1000));
    let ended = match line {
        Line::Plain => requests(stream, router, limits, stop).await,
        Line::Tls(acceptor) => match timeout(Duration::from_secs(limits.header_seconds), acceptor.accept(stream)).await {
            Ok(Ok(stream)) => requests(stream, router, limits, stop).await,
            Ok(Err(e)) => Err(e.to_string()),
            Err(_) => Err("handshake too slow".to_owned()),
        },
    };
    if let Err(e) = ended {
        tracing::debug!("connection from {peer}: {e}");
    }
}

async fn requests<I>(stream: I, router: Router, limits: Limits, mut stop: watch::Receiver<bool>) -> Result<(), String>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.header_seconds))
        .max_buf_size(limits.header_bytes.max(8 << 10))
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended.map_err(|e| e.to_string()),
        _ = stop.wait_for(|stop| *stop) => {}
    }
    // Idle connections close now, others after the answer that they are waiting for.
    connection.as_mut().graceful_shutdown();
    match timeout(Duration::from_secs(limits.stop_seconds), connection).await {
        Ok(ended) => ended.map_err(|e| e.to_string()),
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).to_string()),
    }
}
