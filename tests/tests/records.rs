//! Records with one defect each: every one gets its own code, and a good one opens, with either identity.

use shared::{
    form::Form,
    id::{RosterVersion, SealedDigest},
    problem::{Code, Problem},
    roster::RecipientKind,
    sample::forms,
    seal::{self, Expected, Identity, Limits, Recipients},
    time::Second,
};
use tests::defects::{Forged, Workshop, vector_identities};

fn workshop() -> (Workshop, Form) {
    let [working, recovery] = vector_identities();
    let recipients = Recipients::new(working.recipient(), recovery.recipient()).expect("one kind");
    let ([_, _, certificate], [_, _, same]) = (forms(), forms());
    let name = |text: &str| text.parse().expect("a name");
    let finished = Second::from_unix(1_790_000_000);
    (Workshop::new(name("van-1"), name("agent-1"), recipients, certificate, RosterVersion(1), finished, 7), same)
}

/// What the opener does with one record, over the same functions.
fn open(forged: &Forged, form: &Form, identity: &Identity) -> Result<(), Problem> {
    let facts = &forged.facts;
    if SealedDigest::of(&forged.sealed) != facts.digest {
        return Err(Code::RecordDigest.into());
    }
    let first = &forged.sealed[..forged.sealed.len().min(seal::header::MAX_HEADER)];
    seal::check_header(first, RecipientKind::X25519)?;
    if facts.form != *form.name() {
        return Err(Code::FormUnknown.into());
    }
    let expected = Expected {
        sealed_size: facts.size,
        plain: facts.plain,
        pad: form.pad(),
        record_id: facts.record,
        unit: "van-1".parse().expect("a name"),
        agent: facts.agent.clone(),
        transaction: facts.transaction,
        form: facts.form.clone(),
        finished: facts.finished,
    };
    let opened = seal::open(forged.sealed.as_slice(), &expected, std::slice::from_ref(identity), &Limits::default())?;
    let parts: Vec<&[u8]> = opened.parts().map(|(_, bytes)| bytes).collect();
    form.check(opened.content(), &parts)
}

#[test]
fn every_defect_has_its_own_code() {
    let (mut workshop, form) = workshop();
    let mut wrong = Vec::new();
    for forged in workshop.all() {
        for identity in &vector_identities() {
            let code = open(&forged, &form, identity).err().map(|p| p.code);
            if code != forged.code {
                wrong.push(format!("{}: {code:?}, not {:?}", forged.name, forged.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
