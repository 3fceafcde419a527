//! The sender of both sides: the unit's own link, from the announcement to the receipt.

use enroll_client::sync::link::Link;
use shared::{batch::Manifest, id::BatchId};
use tokio::sync::mpsc;

use crate::world::{Broken, Sure};

/// Bytes of a piece, as a unit without a rate sends them.
const PIECE: usize = 256 << 10;

/// A batch that is ready to be sent.
pub struct Parcel {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its payload.
    pub payload: Vec<u8>,
}

impl Parcel {
    /// Its id.
    pub fn id(&self) -> BatchId {
        self.manifest.id()
    }
}

/// Announces, sends, waits for the receipt.
pub async fn deliver(link: &Link, parcel: &Parcel) -> Sure<()> {
    let broken = |step: &'static str| move |t: enroll_client::sync::link::Trouble| Broken(format!("{step}: {}", t.problem));
    link.announce(parcel.manifest.note().as_bytes()).await.map_err(broken("announce"))?;
    let (id, size) = (parcel.id(), parcel.payload.len() as u64);
    let (sender, pieces) = mpsc::channel(4);
    let feed = async {
        for piece in parcel.payload.chunks(PIECE) {
            if sender.send(piece.to_vec()).await.is_err() {
                break;
            }
        }
        drop(sender);
    };
    let (sent, ()) = tokio::join!(link.upload(&id, 0, size, pieces), feed);
    if sent.map_err(broken("upload"))? != size {
        return Err(Broken("not all of it arrived".into()));
    }
    link.receipt(&id, 0).await.map_err(broken("receipt")).map(drop)
}
