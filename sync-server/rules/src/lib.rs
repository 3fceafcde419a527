//! Rules 2: whose word counts, and what it does. The registry is a function of the log; here is the function.
//!
//! ```text
//!            entry of the log
//!                   │
//!   fold ───────────┼──▶ batch      force? ─▶ claims ─▶ people      (a line: in force, its id and number, whom it is about)
//!                   ├──▶ roster     cuts                            (what ended keys had signed is taken out)
//!                   ├──▶ decision   decisions                       (what a person says, or two)
//!                   ├──▶ opened     the lines that were held unopened
//!                   └──▶ erase      the record goes
//! ```
//!
//! | file | answers |
//! |---|---|
//! | `engine` | the small questions that a store answers inside its transaction |
//! | `force` | is this line in force here? is this batch linked to a head? |
//! | `claims` | record ids and numbers: the first in force holds them |
//! | `people` | whom a record founds, joins or changes |
//! | `residents` | what a resident consists of, and what is left when a record goes |
//! | `cuts` | what the end of a key takes out |
//! | `persons` | how many persons a decision needs |
//! | `decisions` | what a person decided, and what it does |
//! | `judge` | what becomes of one line at its place |
//! | `late` | what comes in force after its own entry |
//! | `fold` | one entry after the other, in the log's order |
//!
//! **Trust:** deliveries were opened and compared with their signed lines; the log's entries are this centre's own. **Invariants:**
//! no SQL; only what is in force acts on anything else; nothing that comes later takes anything away, but a cut, a decision or an
//! erasure, at its own entry; each line asks a bounded number of indexed questions.

pub mod engine;
pub mod force;
mod claims;
mod people;
mod residents;
mod judge;
mod late;
mod cuts;
mod persons;
pub mod decisions;
pub mod fold;

pub use self::{
    engine::{Batch, Delivered, Engine, Event, Found, Holder, Kind, Line, Mode, Record, Standing, Withdrawal},
    fold::{Advanced, advance, advance_to},
};
