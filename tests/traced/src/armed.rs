//! A fault that waits for its act.

use super::{
    events::Act,
    faults::{Fault, Trigger},
};

/// A trigger and how far it has been pulled.
#[derive(Debug)]
pub struct Armed {
    trigger: Trigger,
    fault: Fault,
    counting: bool,
    durable: u64,
    writes: u64,
    gone_off: bool,
}

impl Armed {
    /// Before the first act.
    pub fn new(trigger: Trigger, fault: Fault) -> Self {
        let counting = trigger.from.is_none();
        Self { trigger, fault, counting, durable: 0, writes: 0, gone_off: false }
    }

    /// Counts an act that is about to happen; the fault if it is the one.
    pub fn meets(&mut self, act: &Act) -> Option<Fault> {
        let begins = |prefix: &Option<String>| prefix.as_ref().is_none_or(|p| act.paths().any(|path| path.starts_with(p.as_str())));
        self.counting |= begins(&self.trigger.from);
        if self.gone_off || !self.counting || !begins(&self.trigger.within) {
            return None;
        }
        let hit = if act.is_durable() {
            self.durable += 1;
            self.durable == self.trigger.after + 1
        } else {
            let counted = act.is_write() && self.durable == self.trigger.after;
            self.writes += u64::from(counted);
            counted && self.trigger.write.is_some_and(|w| self.writes == w + 1)
        };
        self.gone_off = hit;
        hit.then_some(self.fault)
    }
}
