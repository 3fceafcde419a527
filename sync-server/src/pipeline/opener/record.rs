//! One sealed record → what it says: steps 3 to 6 of the opener, the same in this process and in a child.
//!
//! **Trust:** the bytes have the signed digest; whoever signed it may be hostile. **Invariants:** reads no file and asks
//! nobody, so whatever goes wrong here comes from the record, from this software or from the machine's memory.

use std::sync::Arc;

use shared::{
    form::Form,
    merge::Essence,
    problem::{Code, Problem},
    roster::RecipientKind,
    seal::{self, Expected, Identity, Limits, Opened},
    time::Second,
};

use crate::sabotage;

/// What opening a record needs besides its bytes and the identities.
pub(super) struct Job {
    /// Kind of recipients that the line's roster demands.
    pub(super) kind: RecipientKind,
    /// What the line states.
    pub(super) expected: Expected,
    /// The form that the line names, none when its roster has none of this name; or what this centre lacks.
    pub(super) form: Result<Option<Arc<Form>>, Problem>,
    /// Log times between which the record was made: those of the line's roster and of its batch. A claimed day is brought between.
    pub(super) day: [Second; 2],
}

/// Refused for good by what was signed, or not decided because of something here.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(Code),
    Failed(Problem),
}

/// Opens a record and holds it against line and form.
pub(super) fn open(sealed: &[u8], job: &Job, identities: &[Identity]) -> Result<Essence, Stop> {
    // 3. header: before the form, so that a code does not depend on what this centre knows
    let head = &sealed[..sealed.len().min(seal::header::MAX_HEADER)];
    seal::check_header(head, job.kind).map_err(|p| Stop::Refused(p.code))?;
    // 4. form
    let form = job.form.as_ref().map_err(|problem| Stop::Failed(problem.clone()))?;
    let form = form.as_ref().ok_or(Stop::Refused(Code::FormUnknown))?;
    // 5. open
    let expected = Expected { pad: form.pad(), ..job.expected.clone() };
    let opened = seal::open(sealed, &expected, identities, &Limits::default()).map_err(judged)?;
    poison(&opened);
    // 6. form
    let parts: Vec<&[u8]> = opened.parts().map(|(_, bytes)| bytes).collect();
    let [first, last] = job.day;
    let day = opened.content().finished.clamp(first, last.max(first));
    form.check_on(opened.content(), &parts, day).map_err(judged)?;
    Ok(Essence::of(opened.content(), form))
}

fn judged(problem: Problem) -> Stop {
    match problem.code {
        // nothing here reads a file: this can't be a verdict on the record
        Code::IoFailed => Stop::Failed(problem),
        code => Stop::Refused(code),
    }
}

/// In a test build, a record of somebody called `Poison` does to its opener what the switch says.
fn poison(opened: &Opened) {
    if !["poison-panic", "poison-abort", "poison-starve", "poison-spin"].into_iter().any(sabotage::on) {
        return;
    }
    let name = opened.content().person.get("given_latin").and_then(Option::as_deref);
    if name != Some("Poison") {
        return;
    }
    assert!(!sabotage::on("poison-panic"), "as a bug would");
    if sabotage::on("poison-abort") {
        std::process::abort();
    }
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    while sabotage::on("poison-starve") {
        eaten.push(std::hint::black_box(Vec::with_capacity(64 << 20)));
    }
    while sabotage::on("poison-spin") {
        std::hint::spin_loop();
    }
}
