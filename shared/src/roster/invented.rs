//! An invented roster that every test and tool may start from: one unit, one agent, one supervisor.

use super::{
    AMEND, AgentEntry, Approval, Crew, Facts, FormRef, Limits, Persons, Quorum, Recipients, Renewals, SoftwareVersion, SupervisorEntry,
    UnitEntry, UnknownTargets,
};
use crate::{
    id::{Blob, RosterVersion},
    keys::VerifierKey,
    time::Second,
};

fn named<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("well-formed")
}

/// What it says; `key` gives the public key of a name.
pub fn facts(key: impl Fn(&str) -> VerifierKey) -> Facts {
    // bech32 in form only: nothing can be sealed to them
    let age = |letter: &str| named(&format!("age1{}", letter.repeat(58)));
    Facts {
        centre: named("registry.example"),
        version: RosterVersion(1),
        published: Second::from_unix(1_790_000_000),
        expires: Second::from_unix(1_800_000_000),
        grace: 86_400,
        retention: 3600,
        software: SoftwareVersion(0, 1, 0),
        recipients: Recipients { working: age("q"), recovery: age("p"), auditors: vec![age("z")] },
        log: key("registry.example/log"),
        centre_key: key("registry.example"),
        signers: Quorum { needed: 1, keys: vec![key("registry.example/roster-1")] },
        witnesses: Quorum { needed: 0, keys: vec![] },
        forms: vec![FormRef { name: named("national-id/1"), size: 3, blob: Blob::of(b"{}\n") }],
        limits: Limits::MOST,
        approval: Approval::Required,
        renewals: Renewals::Hold,
        unknown_targets: UnknownTargets::Hold,
        amend: AMEND,
        persons: Persons::ByEffect,
        units: vec![UnitEntry { name: named("van-1"), epoch: 1, key: key("van-1"), region: "04".into(), crew: Crew::Several }],
        agents: vec![AgentEntry { name: named("agent-1"), key: key("agent-1"), unit: None }],
        supervisors: vec![SupervisorEntry { name: named("supervisor-1"), key: key("supervisor-1"), unit: None, recipient: age("y") }],
        carriers: vec![],
        adjudicators: vec![],
        administrators: vec![],
        kept: vec![],
        revoked: vec![],
    }
}
