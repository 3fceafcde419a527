//! Single values as text: one spelling each, whatever stands there. One value a line.

use std::{fmt::Display, str::FromStr};

use shared::{
    batch::WithdrawReason,
    form::date::PartialDate,
    hello::State,
    id::{
        BatchId, Blob, CaseRef, Centre, Digest, FormName, KeyName, Member, NoteId, Number, PartName, Place, RecordId, ResidentRef,
        RosterVersion, SealedDigest, Transaction,
    },
    keys::{KeyId, KeyRef, VerifierKey},
    log::{BatchState, Head},
    outcome::Fate,
    problem::Code,
    roster::{AgeRecipient, SoftwareVersion},
    seal::{Identity, Recipient},
    slip::SlipCode,
    time::{Minute, Second},
};

use super::Verdict;

fn lines(bytes: &[u8]) -> impl Iterator<Item = &str> {
    std::str::from_utf8(bytes).unwrap_or("").split('\n')
}

/// Is it one of these? Then it is written as it was.
fn same<T: FromStr + Display>(text: &str) -> bool {
    let value = text.parse::<T>().ok();
    value.is_some_and(|value| {
        assert_eq!(value.to_string(), text);
        true
    })
}

/// Ids, names and digests.
pub fn ids(bytes: &[u8]) -> Verdict {
    let mut taken = false;
    for line in lines(bytes) {
        taken |= same::<Member>(line);
        taken |= same::<Centre>(line);
        taken |= same::<KeyName>(line);
        taken |= same::<FormName>(line);
        taken |= same::<PartName>(line);
        taken |= same::<RecordId>(line);
        taken |= same::<ResidentRef>(line);
        taken |= same::<CaseRef>(line);
        taken |= same::<Place>(line);
        taken |= same::<Number>(line);
        taken |= same::<RosterVersion>(line);
        taken |= same::<Digest>(line);
        taken |= same::<BatchId>(line);
        taken |= same::<NoteId>(line);
        taken |= same::<Blob>(line);
        taken |= same::<SealedDigest>(line);
        assert!(line.parse::<PartName>().is_err() || !line.contains(['/', '\\']), "a name is no path");
    }
    Verdict::when(taken)
}

/// Seconds, minutes, and dates that may be partial.
pub fn times(bytes: &[u8]) -> Verdict {
    let mut taken = false;
    for line in lines(bytes) {
        taken |= same::<Second>(line);
        taken |= same::<Minute>(line);
        if let Ok(second) = line.parse::<Second>() {
            assert_eq!(Second::from_unix(second.unix()), second);
            assert!(second.minute().start() <= second);
        }
        if let Some(date) = PartialDate::parse(line) {
            taken = true;
            for now in [Second::from_unix(0), Second::from_unix(1_790_000_000), Second::from_unix(i64::MAX)] {
                assert!(!(date.is_future(now) && date.is_past(now)), "{line}");
                assert!(!date.is_future(now) || date.is_under(0, now), "{line}");
            }
        }
    }
    Verdict::when(taken)
}

/// Keys, recipients and identities.
pub fn keys(bytes: &[u8]) -> Verdict {
    let mut taken = false;
    for line in lines(bytes) {
        taken |= same::<KeyId>(line);
        taken |= same::<KeyRef>(line);
        taken |= same::<VerifierKey>(line);
        taken |= same::<AgeRecipient>(line);
        taken |= same::<Recipient>(line);
        if let Ok(identity) = line.parse::<Identity>() {
            taken = true;
            assert!(*identity.to_secret() == *line, "a second spelling of a secret");
            let recipient = identity.recipient().to_string();
            assert!(recipient.parse::<AgeRecipient>().is_ok() && recipient.parse() == Ok(identity.recipient()));
        }
    }
    Verdict::when(taken)
}

/// The closed lists, and what is made of them.
pub fn words(bytes: &[u8]) -> Verdict {
    let mut taken = false;
    for line in lines(bytes) {
        taken |= same::<Transaction>(line);
        taken |= same::<State>(line);
        taken |= same::<WithdrawReason>(line);
        taken |= same::<Code>(line);
        taken |= same::<BatchState>(line);
        taken |= same::<Fate>(line);
        taken |= same::<Head>(line);
        taken |= same::<SoftwareVersion>(line);
    }
    Verdict::when(taken)
}

/// A slip code as a person types it: any spelling, one code.
pub fn slip(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Verdict::Refused };
    let Ok(code) = SlipCode::from_typed(text) else { return Verdict::Refused };
    let shown = code.shown();
    assert_eq!(shown.len(), 26);
    let again = SlipCode::from_typed(&shown).expect("what is shown can be typed");
    assert_eq!(again.digest(), code.digest());
    assert_eq!(*again.shown(), *shown);
    Verdict::Taken
}
