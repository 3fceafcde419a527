//! Power cuts: a run is recorded, the disk is made again as a cut at any point could have left it, and what stands there is
//! recovered, checked and put to work.
//!
//! ```text
//! recording ─▶ operations ─▶ Disk after each ─▶ State by State ─▶ folder in memory ─▶ Recovery ─▶ Figures
//! ```
//! | file | does |
//! |---|---|
//! | `operation` | what a program does to a disk, and what it acknowledged in between |
//! | `recording` | reads that from a run of the real programs |
//! | `disk` | which of it is durable: the model of the disk is written there |
//! | `cut` | the states that a cut may leave |
//! | `explore` | visits them, side by side, and counts |
//! | `unit`, `centre` | recovery and oracle |
//!
//! **What is real:** the run is one of the real programs. Recovery runs their code, the libraries of both, in this process:
//! a process a state would allow a tenth of the states. Of every 200 states one is also given to the real programs.
//!
//! **Trust:** the model is harsher than the file systems that we know: they make a new name durable together with the file.
//! It knows nothing of disks that lose what they said was durable; no program can.

mod operation;
mod recording;
mod disk;
mod cut;
mod explore;
mod unit;
mod centre;

pub use self::{
    centre::CentreRecovery,
    cut::{Dice, State},
    disk::Disk,
    explore::{Campaign, Figures, Reach, Recovery},
    operation::Operation,
    recording::Recorder,
    unit::UnitRecovery,
};
