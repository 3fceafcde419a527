//! The link between a unit and the centre: a proxy that can be unplugged, or cut after so many bytes, once.
//!
//! It stays at its port while the server comes and goes, as a name in the DNS would.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use super::Sure;

/// A link; gone when dropped.
pub struct Link {
    address: SocketAddr,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    centre: Mutex<Option<SocketAddr>>,
    /// Bytes to the centre after which it breaks, once; 0: never.
    cut: AtomicU64,
    carried: AtomicU64,
    cuts: AtomicU64,
    over: AtomicBool,
}

impl Link {
    /// An unplugged link.
    pub fn new() -> Sure<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, line) = (listener.local_addr()?, Arc::<Line>::default());
        let of_thread = line.clone();
        thread::spawn(move || accept(&listener, &of_thread));
        Ok(Self { address, line })
    }

    /// Where the unit finds the centre.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The centre is at this address now.
    pub fn plug(&self, centre: SocketAddr) {
        *self.line.centre.lock().unwrap_or_else(PoisonError::into_inner) = Some(centre);
    }

    /// Nothing is at the other end.
    pub fn unplug(&self) {
        *self.line.centre.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Breaks, once, after so many bytes to the centre from now on.
    pub fn cut_after(&self, bytes: u64) {
        self.line.carried.store(0, Ordering::SeqCst);
        self.line.cut.store(bytes, Ordering::SeqCst);
    }

    /// How often it broke.
    pub fn cuts(&self) -> u64 {
        self.line.cuts.load(Ordering::SeqCst)
    }

    /// Bytes to the centre since `cut_after`, or since the beginning.
    pub fn carried(&self) -> u64 {
        self.line.carried.load(Ordering::SeqCst)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.line.over.store(true, Ordering::SeqCst);
        // wakes the accepting thread, which then ends
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn accept(listener: &TcpListener, line: &Arc<Line>) {
    for unit in listener.incoming() {
        if line.over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(unit) = unit else { continue };
        let centre = *line.centre.lock().unwrap_or_else(PoisonError::into_inner);
        // unplugged: the connection closes at once
        let Some(Ok(centre)) = centre.map(TcpStream::connect) else { continue };
        let (Ok(from_centre), Ok(to_unit)) = (centre.try_clone(), unit.try_clone()) else { continue };
        let line = line.clone();
        thread::spawn(move || carry(unit, centre, Some(&line)));
        thread::spawn(move || carry(from_centre, to_unit, None));
    }
}

/// Carries bytes one way until either side ends; `line` counts them and may break.
fn carry(mut from: TcpStream, mut to: TcpStream, line: Option<&Line>) {
    let mut buffer = [0; 16 << 10];
    loop {
        let n = match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n) => n,
        };
        if line.is_some_and(|l| l.breaks(n as u64)) || write(&mut to, &buffer[..n]).is_err() {
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(if line.is_some() { Shutdown::Both } else { Shutdown::Write });
}

fn write(to: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)
}

impl Line {
    fn breaks(&self, bytes: u64) -> bool {
        let carried = self.carried.fetch_add(bytes, Ordering::SeqCst) + bytes;
        let cut = self.cut.load(Ordering::SeqCst);
        let now = cut > 0 && carried > cut && self.cut.compare_exchange(cut, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if now {
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        now
    }
}
