//! The kill and error matrix: an act of the real programs, struck at each durable act and at a write between two of them.
//!
//! ```text
//! record      the act once, traced: its points are each fsync, fdatasync, rename, link and unlink, and one write between
//!             two of them, drawn by a seed
//! strike      for each point and fault: the same start from a saved copy, the act under the fault
//! go on       the programs again, without a fault, to the end of the road
//! judge       lost · double · undetected · false alarms, against what the screens had acknowledged
//! ```
//!
//! | file | what |
//! |---|---|
//! | `points` | from a recording to the list of runs, whole or spread evenly over a budget |
//! | `stage` | a world that is put back to where it was |
//! | `doubt` | bytes and names of which nobody knows whether they are on the disk, since it failed |
//! | `told` | what leaves a centre, and what each promise rests on |
//! | `rules` | what no run may do: tell of success on the strength of what is in doubt |
//! | `tally` | counts, printed and written as JSON Lines |
//! | `campaign` | the loop, side by side |
//!
//! `ENROLMENT_FAULTS=full` strikes every point with every fault; otherwise an act has [`BUDGET`] runs, or its own: first the kill at
//! each durable act, or, where there are more than two thirds of the budget, at so many of them, spread evenly; then what
//! remains of all three faults, spread evenly. `ENROLMENT_FAULTS_OUT` names a folder for the figures.

mod campaign;
mod doubt;
mod points;
mod rules;
#[cfg(test)]
mod script;
mod stage;
mod tally;
mod told;

pub use self::{
    campaign::{Act, BUDGET, campaign, struck},
    doubt::Doubtful,
    points::{Point, Strike, plan, points},
    rules::{broken_by_centre, broken_by_command},
    stage::Stage,
    tally::{Tally, Verdict},
    told::{Promise, promises},
};
