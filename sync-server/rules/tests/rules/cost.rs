//! A line asks a bounded number of questions, whatever the size of the log; a cut touches what its key signed.

use rules::{Advanced, advance};

use crate::{
    drafts::{batch, draft, key, number_target},
    memory::Memory,
    world::World,
};
use shared::{
    id::{RecordId, Transaction},
    roster::Renewals,
};

/// Lines of a batch.
const LINES: u64 = 20;

/// A log of this many lines: new ones, twice the same number, renewals and corrections, by turns; agent 2 signed ten at the end.
fn world(lines: u64) -> World {
    let mut world = World::with(|facts| facts.renewals = Renewals::Apply);
    for first in (1..=lines).step_by(usize::try_from(LINES).expect("small")) {
        let records = (first..first + LINES).map(|n| {
            // each fifth meets one who stands already
            let person = if n % 5 == 1 { n } else { n - n % 5 + 1 };
            let mut record = draft("van-1", 1, &format!("N{person}")).number(n);
            let mut id = [7; 16];
            // behind the bits of a version
            id[9..13].copy_from_slice(&u32::try_from(n).expect("small").to_be_bytes());
            record.record = RecordId::from_random(id);
            match n % 5 {
                3 => record = record.only(&[("phone", "1")]).to(Transaction::Renewal, number_target(&format!("N{person}"))),
                4 => record = record.only(&[("phone", "2")]).to(Transaction::Correction, number_target(&format!("N{person}"))),
                _ => {}
            }
            if n + 10 > lines { record.by(key("agent-2", 1)) } else { record }
        });
        let records = records.collect();
        world.send(batch(records));
    }
    world
}

/// Most questions of one entry, for each of its lines; and those of the cut.
fn asked(lines: u64) -> (u64, u64) {
    let mut world = world(lines);
    let last = world.log.next();
    world.cut(&key("agent-2", 1), shared::id::LogIndex(last.0 - 1));
    let memory = Memory::of(world.log.clone());
    let mut most = 0;
    loop {
        let before = memory.asked.get();
        let advanced = advance(&memory, 1).expect("folded");
        let asked = memory.asked.get() - before;
        assert_ne!(advanced, Advanced::Done, "the cut is the last entry");
        if memory.position() > last.0 {
            return (most, asked);
        }
        most = most.max(asked.div_ceil(LINES));
    }
}

#[test]
fn questions_do_not_grow_with_the_log() {
    let (small, large) = (asked(1_000), asked(10_000));
    assert_eq!(small, large);
    assert!(small.0 < 60, "{small:?} questions for a line");
    assert!(small.1 < 10 * 60, "{small:?} questions for a cut of ten lines");
}
