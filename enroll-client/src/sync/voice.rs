//! What a person and a script see of a run: a bar on a terminal, plain lines elsewhere, JSON Lines with `--json`.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use shared::{id::Place, problem::Problem};

use super::link::Trouble;
use crate::say::Say;

/// The voice of a run.
pub struct Voice<'a> {
    say: &'a Say,
    bar: ProgressBar,
}

impl<'a> Voice<'a> {
    /// A bar only where somebody can watch it.
    pub fn new(say: &'a Say) -> Self {
        let bar = if say.terminal() && !say.quiet { ProgressBar::no_length() } else { ProgressBar::hidden() };
        // fits 40 columns: longer, it would wrap there and fill the screen
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent}% of {total_bytes}, {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { say, bar }
    }

    /// A payload is about to go.
    pub fn sending(&self, place: Place, from: u64, of: u64) {
        self.bar.reset();
        self.bar.set_length(of);
        self.bar.set_position(from);
        self.bar.set_message(format!("batch {place}"));
    }

    /// So much of it has left this laptop; what counts comes with the next offset.
    pub fn gone(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Something is done.
    pub fn done(&self, kind: &str, fields: Value, text: &str) {
        self.bar.suspend(|| {
            if self.say.json {
                self.say.line(kind, fields, text);
            } else {
                self.say.note(text);
            }
        });
    }

    /// A batch has gone a step further.
    pub fn batch(&self, place: Place, state: &str, sent: u64, of: u64) {
        let fields = json!({ "batch": place, "state": state, "sent": sent, "bytes": of });
        self.done("batch", fields, &format!("batch {place}: {state} ({sent} of {of} bytes)"));
    }

    /// A batch is set aside: why, and the way back.
    pub fn aside(&self, place: Place, problem: &Problem) {
        let fields = json!({ "batch": place, "code": problem.row().code, "detail": problem.detail });
        let next = problem.row().text(self.say.lang).next;
        let again = "when that is settled, offer it again: `enroll-client sync --again`";
        self.done("set-aside", fields, &format!("batch {place} is set aside: {problem}\n  → {next}\n  → {again}"));
    }

    /// Something went wrong, and the rest goes on.
    pub fn trouble(&self, trouble: &Trouble) {
        self.bar.suspend(|| self.say.warning(&trouble.problem));
    }

    /// For the curious.
    pub fn detail(&self, text: &str) {
        self.bar.suspend(|| self.say.detail(text));
    }
}

impl Drop for Voice<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
