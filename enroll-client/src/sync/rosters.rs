//! Rosters: the first one, by the key given at `init`; newer ones, by the signers of the one before; each
//! proven to be in the log that this unit follows, with its forms, in one transaction.
//!
//! **Trust:** the first roster begins the unit's memory of the log: nobody can show it another one later.

use serde_json::json;
use shared::{
    id::RosterVersion,
    keys::VerifierKey,
    log::{CheckedHead, Head, TlogProof},
    problem::{Code, Problem},
    roster::{Roster, TrustedRoster},
};

use super::{
    Joining, Run, Which,
    link::{RosterReply, Source, Trouble, blame},
};
use crate::{
    clock,
    joining::{self, Bundle},
};

/// How often they are asked for again when the log has moved on meanwhile.
const MOVES: u32 = 3;

impl Run<'_> {
    /// Before the first hello: a roster is needed that names this unit's key.
    pub(super) async fn join(&mut self) -> Result<(), Trouble> {
        if self.vault.roster()?.is_none() {
            self.take_rosters(None).await?;
        }
        let not_admitted = || Trouble::new(Source::Centre, Code::UnitNotAdmitted);
        if self.vault.state()?.epoch.is_some() {
            return Ok(());
        }
        // admitted by a roster newer than the one here?
        let present = self.roster()?;
        match self.take_rosters(Some(&present)).await {
            Err(trouble) if trouble.problem.code == Code::NothingToDo => return Err(not_admitted()),
            other => other?,
        }
        if self.vault.state()?.epoch.is_some() { Ok(()) } else { Err(not_admitted()) }
    }

    /// After the answer: what is newer there.
    pub(super) async fn take_newer_rosters(&mut self) -> Result<(), Trouble> {
        let present = self.roster()?;
        let offered = self.answer.as_ref().and_then(|a| a.roster);
        if offered.is_none_or(|version| version <= present.version()) {
            return Ok(());
        }
        self.look_for_newer_rosters().await
    }

    /// The same where no answer said what is there.
    pub(super) async fn look_for_newer_rosters(&mut self) -> Result<(), Trouble> {
        let present = self.roster()?;
        match self.take_rosters(Some(&present)).await {
            Err(trouble) if trouble.problem.code == Code::NothingToDo => Ok(()),
            Err(trouble) => self.note(trouble),
            Ok(()) => Ok(()),
        }
    }

    async fn take_rosters(&mut self, present: Option<&TrustedRoster>) -> Result<(), Trouble> {
        let after = present.map(TrustedRoster::version);
        for _ in 0..MOVES {
            let seen = self.vault.state()?.seen;
            let replies = self.patiently(u32::MAX, async |link| link.rosters(after, seen.size).await).await?;
            let chain = self.chain(&replies, present).map_err(blame)?;
            let Some(last) = chain.last() else { return Err(Trouble::new(Source::Here, Code::NothingToDo)) };
            if self.is_linked(&replies, seen, &last.facts().log)? {
                return self.store_rosters(replies, last, present).await;
            }
            self.link_by_hello(last).await?;
        }
        Err(Trouble::new(Source::Centre, Problem::new(Code::Pending, "its log moves on faster than it proves")))
    }

    /// The rosters, each trusted by the one before.
    fn chain(&self, replies: &[RosterReply], present: Option<&TrustedRoster>) -> Result<Vec<TrustedRoster>, Problem> {
        let mut chain: Vec<TrustedRoster> = Vec::new();
        for reply in replies {
            let roster = Roster::parse(reply.roster.as_bytes())?;
            let before = chain.last().or(present);
            if before.is_some_and(|b| roster.facts().version <= b.version()) {
                continue; // here already
            }
            chain.push(self.vault.trust(roster, before)?);
        }
        Ok(chain)
    }

    /// Every proof stands under the head that this unit has verified; at first, all under one head.
    fn is_linked(&self, replies: &[RosterReply], seen: Head, log: &VerifierKey) -> Result<bool, Trouble> {
        let mut known = seen;
        for reply in replies {
            let checkpoint = TlogProof::parse(reply.proof.as_bytes()).map(|p| p.checkpoint);
            let head = checkpoint.and_then(|c| CheckedHead::open(&c, log)).map_err(Trouble::forged)?.head();
            if known == Head::EMPTY {
                known = head;
            }
            if head.size == known.size && head != known {
                self.keep_evidence(known, &[reply.proof.as_bytes()])?;
                return Err(Trouble::forged(Problem::new(Code::LogInconsistent, "another root at the size seen")));
            }
            if head != known {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Only a hello proves how the log goes on. A key that no roster here names yet says it in the epoch that the offered one
    /// gives it, and believes that one nothing more until it is linked. A key that waits to follow the present one goes
    /// first: the centre may not hear the old one any more.
    async fn link_by_hello(&mut self, offered: &TrustedRoster) -> Result<(), Trouble> {
        let state = self.vault.state()?;
        let listed = |key: &VerifierKey| offered.facts().units.iter().find(|u| u.name == state.unit && u.key == *key).map(|u| u.epoch);
        let next = state.next.as_ref().and_then(listed).map(|epoch| Joining { epoch, key: Which::Next });
        if let Some(next) = next {
            self.joining = Some(next);
        } else if state.epoch.is_none() {
            let epoch = listed(&state.key).ok_or_else(|| Trouble::new(Source::Centre, Code::UnitNotAdmitted))?;
            self.joining = Some(Joining { epoch, key: Which::Present });
        }
        if self.vault.roster()?.is_some() { self.greet().await } else { Ok(()) }
    }

    async fn store_rosters(
        &mut self,
        replies: Vec<RosterReply>,
        last: &TrustedRoster,
        present: Option<&TrustedRoster>,
    ) -> Result<(), Trouble> {
        let mut forms = Vec::new();
        for form in self.vault.missing_forms(last)? {
            let bytes = self.patiently(u32::MAX, async |link| link.form(&form.blob, form.size).await).await?;
            if bytes.len() as u64 != form.size || shared::id::Blob::of(&bytes) != form.blob {
                return Err(Trouble::forged(Problem::new(Code::FormMismatch, form.name.to_string())));
            }
            forms.push(bytes);
        }
        let (rosters, proofs) = replies.into_iter().map(|r| (r.roster.into_bytes(), r.proof.into_bytes())).unzip();
        let bundle = Bundle { rosters, proofs, consistency: Vec::new(), forms };
        // one transaction; a crash before it leaves the roster in force, after it the new one
        let taken = joining::import(self.vault, &bundle, clock::now()).map_err(blame)?;
        self.report.rosters += taken.count as u64;
        let changes = if present.is_some() { taken.changes } else { Vec::new() };
        let fields = json!({ "version": taken.version.0, "rosters": taken.count, "changes": changes });
        let RosterVersion(version) = taken.version;
        self.voice.done("roster", fields, &format!("roster {version} is in force"));
        for change in changes {
            self.voice.done("change", json!({ "change": change }), &format!("note: {change}"));
        }
        Ok(())
    }
}
