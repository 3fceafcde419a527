//! A socket in the data folder through which a running session is told to lock. Nothing is ever read from it.

use std::{
    io::ErrorKind,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use shared::problem::{Code, Problem};

use crate::durable;

/// How long a session may take to let its keys go.
const PATIENCE: Duration = Duration::from_secs(20);

fn socket(data: &Path) -> PathBuf {
    data.join("session.sock")
}

/// Listens until dropped.
pub struct Knocks(PathBuf);

impl Knocks {
    /// Calls `then` whenever somebody who may enter the data folder knocks. The caller holds the session's
    /// lock, so a socket that is there already was left by a session that died.
    pub fn listen(data: &Path, then: impl Fn() + Send + 'static) -> Result<Self, Problem> {
        let path = socket(data);
        durable::remove(&path)?;
        let listener = UnixListener::bind(&path).map_err(|e| durable::failed(&path, &e))?;
        // the answer is that the connection closes after the keys are gone
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                then();
                drop(stream);
            }
        });
        Ok(Self(path))
    }
}

impl Drop for Knocks {
    fn drop(&mut self) {
        let _ = durable::remove(&self.0);
    }
}

/// Tells the running session to lock; false when there is none.
pub fn knock(data: &Path) -> Result<bool, Problem> {
    let path = socket(data);
    match UnixStream::connect(&path) {
        Ok(mut stream) => {
            // wait for the end of the stream: then the keys are gone; a session that is stopped never says so
            stream.set_read_timeout(Some(PATIENCE)).map_err(|e| durable::failed(&path, &e))?;
            match std::io::copy(&mut stream, &mut std::io::sink()) {
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    Err(Problem::new(Code::LockedElsewhere, "the session does not answer: end its process"))
                }
                _ => Ok(true),
            }
        }
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(false),
        Err(e) => Err(durable::failed(&path, &e)),
    }
}
