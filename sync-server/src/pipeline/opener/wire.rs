//! What this process and the child that opens one record say to each other.
//!
//! ```text
//! child's standard input    ask · form · sealed record · identity …   each: length (4 bytes, big endian), bytes; then the end
//! child's standard output   answer, then the end
//!
//! ask     {"hybrid":true,"plain":4096,"record":"…","unit":"van-1","agent":"agent-1","transaction":"new",
//!          "form":"residence-certificate/1","finished":"2026-09-21T14:13Z","day":["2026-09-20T08:00:00Z","2026-09-22T08:00:00Z"],
//!          "file":{"blob":"…","size":1234},"lacks":null}
//!         file is null, and the form empty, when the roster has no form of this name; lacks is the code of what the centre lacks
//! answer  {"signed":{"transaction":"new","form":…,"identity":[…],"target":null,"fields":{…},"parts":{…}}} · {"refused":"form-invalid"} ·
//!         {"failed":"io-failed"}
//! ```
//! **Trust:** the child believes its parent, which is the same program. The parent believes of an answer what it would have
//! believed of its own opening. **Invariants:** what is secret or readable is zeroized on both sides.

use std::{io::Read, sync::Arc};

use serde::{Deserialize, Serialize};
use shared::{
    form::Form,
    id::{Blob, FormName, Member, RecordId, Transaction},
    merge::Essence,
    problem::{Code, Problem},
    roster::{FormRef, RecipientKind},
    seal::{Expected, Identity},
    time::{Minute, Second},
};
use zeroize::Zeroizing;

use super::record::{Job, Stop};

/// Longest message either way, in bytes: a sealed record has at most half of it.
pub(super) const LONGEST: u32 = 32 << 20;

#[derive(Serialize, Deserialize)]
struct Ask {
    hybrid: bool,
    plain: u64,
    record: RecordId,
    unit: Member,
    agent: Member,
    transaction: Transaction,
    form: FormName,
    finished: Minute,
    day: [Second; 2],
    file: Option<File>,
    lacks: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    blob: Blob,
    size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Signed(Box<Essence>),
    Refused(String),
    Failed(String),
}

/// A record with all that a child needs to open it.
pub(super) struct Parcel {
    pub(super) sealed: Zeroizing<Vec<u8>>,
    pub(super) job: Job,
    pub(super) identities: Vec<Identity>,
}

/// The messages of a child's standard input, without their lengths.
pub(super) fn ask(sealed: Zeroizing<Vec<u8>>, job: &Job, file: Vec<u8>, identities: &[Identity]) -> Vec<Zeroizing<Vec<u8>>> {
    let Expected { plain, record_id, unit, agent, transaction, form, finished, .. } = job.expected.clone();
    let ask = Ask {
        hybrid: job.kind == RecipientKind::Hybrid,
        plain,
        record: record_id,
        unit,
        agent,
        transaction,
        form,
        finished,
        day: job.day,
        file: job.form.as_ref().ok().and_then(Option::as_ref).map(|form| File { blob: form.blob(), size: form.size() }),
        lacks: job.form.as_ref().err().map(|problem| problem.code.to_string()),
    };
    let ask = Zeroizing::new(serde_json::to_vec(&ask).expect("texts and numbers"));
    let secrets = identities.iter().map(|identity| Zeroizing::new(identity.to_secret().as_bytes().to_vec()));
    [ask, Zeroizing::new(file), sealed].into_iter().chain(secrets).collect()
}

/// One message; none at the end of all.
fn message(input: &mut impl Read) -> Option<Zeroizing<Vec<u8>>> {
    let mut length = [0; 4];
    input.read_exact(&mut length).ok()?;
    let length = u32::from_be_bytes(length);
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(length).ok().filter(|_| length <= LONGEST)?]);
    input.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// The child's side of [`ask`]; none when it is not what a parent of the same version says.
pub(super) fn asked(input: &mut impl Read) -> Option<Parcel> {
    let ask: Ask = serde_json::from_slice(&message(input)?).ok()?;
    let (file, sealed) = (message(input)?, message(input)?);
    let mut identities = Vec::new();
    while let Some(secret) = message(input) {
        identities.push(std::str::from_utf8(&secret).ok()?.parse().ok()?);
    }
    let form = match (ask.lacks, ask.file) {
        (Some(code), _) => Err(Problem::from(code.parse::<Code>().ok()?)),
        (None, None) => Ok(None),
        (None, Some(File { blob, size })) => {
            let wanted = FormRef { name: ask.form.clone(), size, blob };
            Ok(Some(Arc::new(Form::named(&wanted, &file).ok()?)))
        }
    };
    let expected = Expected {
        sealed_size: sealed.len() as u64,
        plain: ask.plain,
        pad: 0, // the form has it
        record_id: ask.record,
        unit: ask.unit,
        agent: ask.agent,
        transaction: ask.transaction,
        form: ask.form,
        finished: ask.finished,
    };
    let kind = if ask.hybrid { RecipientKind::Hybrid } else { RecipientKind::X25519 };
    Some(Parcel { sealed, job: Job { kind, expected, form, day: ask.day }, identities })
}

/// What the child says of what it found.
pub(super) fn answer(found: Result<Essence, Stop>) -> Zeroizing<Vec<u8>> {
    let answer = match found {
        Ok(essence) => Answer::Signed(Box::new(essence)),
        Err(Stop::Refused(code)) => Answer::Refused(code.to_string()),
        Err(Stop::Failed(problem)) => Answer::Failed(problem.code.to_string()),
    };
    Zeroizing::new(serde_json::to_vec(&answer).expect("texts"))
}

/// The parent's side of [`answer`]; none when it is no answer.
pub(super) fn answered(bytes: &[u8]) -> Option<Result<Essence, Stop>> {
    Some(match serde_json::from_slice(bytes).ok()? {
        Answer::Signed(essence) => Ok(*essence),
        Answer::Refused(code) => Err(Stop::Refused(code.parse().ok()?)),
        Answer::Failed(code) => Err(Stop::Failed(Problem::from(code.parse::<Code>().ok()?))),
    })
}
