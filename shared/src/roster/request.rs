//! Requests to be admitted: what a new unit, agent, supervisor, carrier, adjudicator or administrator hands to the centre, signed by
//! its own new key.
//!
//! ```text
//! enroll-unit-request/v1            enroll-agent-request/v1
//! unit van-017                      role supervisor
//! key van-017+6e1d…+AQ…             name supervisor-003
//!                                   unit van-017              (a key that lies on a laptop)
//!                                   key supervisor-003+…
//!                                   recipient age1…           (supervisors only)
//! ```
//!
//! **Trust:** the signature proves possession of the key, nothing else; an administrator decides.

use super::{AgeRecipient, Role};
use crate::{
    id::{KeyName, Member},
    keys::{Signer, VerifierKey},
    note::Note,
    problem::{Code, Problem},
    text::{Lines, TextError},
};

/// A unit that asks to be admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRequest {
    /// Name of the unit.
    pub unit: Member,
    /// Its new key.
    pub key: VerifierKey,
}

/// A person who asks to be admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRequest {
    /// What they are to do: anything but [`Role::Unit`].
    pub role: Role,
    /// Name of the person's role on the road, never the person's own.
    pub name: Member,
    /// The unit on whose laptop the key lies.
    pub unit: Option<Member>,
    /// The new key.
    pub key: VerifierKey,
    /// Where review cards go: only supervisors have one.
    pub recipient: Option<AgeRecipient>,
}

impl UnitRequest {
    /// Signs a request with the key that it is about.
    pub fn sign(unit: &Member, signer: &Signer) -> Note {
        let request = Self { unit: unit.clone(), key: signer.public().clone() };
        Note::sign(&request.print(), &[signer])
    }
    fn print(&self) -> String {
        format!("enroll-unit-request/v1\nunit {}\nkey {}\n", self.unit, self.key)
    }
    /// Reads and checks a request.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let note = Note::parse(bytes)?;
        let request = Self::read(note.text())?;
        one_spelling(&request.print(), &note)?;
        possession(&note, &request.unit, &request.key)?;
        Ok(request)
    }
    fn read(text: &str) -> Result<Self, TextError> {
        let mut lines = Lines::new(text)?;
        lines.header("enroll-unit-request")?;
        let unit = lines.field("unit")?;
        let unit = lines.parse(unit)?;
        let key = lines.field("key")?;
        let key = lines.parse(key)?;
        lines.end()?;
        Ok(Self { unit, key })
    }
}

impl AgentRequest {
    /// Signs a request with the key that it is about.
    pub fn sign(&self, signer: &Signer) -> Note {
        Note::sign(&self.print(), &[signer])
    }
    fn print(&self) -> String {
        let Self { role, name, unit, key, recipient } = self;
        let unit = unit.as_ref().map(|u| format!("unit {u}\n")).unwrap_or_default();
        let recipient = recipient.as_ref().map(|r| format!("recipient {r}\n")).unwrap_or_default();
        format!("enroll-agent-request/v1\nrole {role}\nname {name}\n{unit}key {key}\n{recipient}")
    }
    /// Reads and checks a request.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let note = Note::parse(bytes)?;
        let request = Self::read(note.text())?;
        one_spelling(&request.print(), &note)?;
        possession(&note, &request.name, &request.key)?;
        Ok(request)
    }
    fn read(text: &str) -> Result<Self, TextError> {
        let mut lines = Lines::new(text)?;
        lines.header("enroll-agent-request")?;
        let role = lines.field("role")?;
        let role = lines.parse(role)?;
        if role == Role::Unit {
            return Err(lines.bad());
        }
        let name = lines.field("name")?;
        let name = lines.parse(name)?;
        let unit = lines.optional("unit")?.map(|unit| lines.parse(unit)).transpose()?;
        if unit.is_some() && !matches!(role, Role::Agent | Role::Supervisor) {
            return Err(lines.bad());
        }
        let key = lines.field("key")?;
        let key = lines.parse(key)?;
        let recipient = if role == Role::Supervisor {
            let value = lines.field("recipient")?;
            Some(lines.parse(value)?)
        } else {
            None
        };
        lines.end()?;
        Ok(Self { role, name, unit, key, recipient })
    }
}

fn one_spelling(printed: &str, note: &Note) -> Result<(), Problem> {
    if printed == note.text() { Ok(()) } else { Err(Code::TextMalformed.into()) }
}

fn possession(note: &Note, name: &Member, key: &VerifierKey) -> Result<(), Problem> {
    if *key.name() != KeyName::from(name) {
        return Err(Problem::new(Code::KeyWrong, "the key bears another name"));
    }
    Ok(note.verify(&[key])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::tests::signer;

    #[test]
    fn a_request_proves_possession() {
        let (van, other) = (signer("van-1", 1), signer("van-1", 2));
        let unit: Member = "van-1".parse().expect("name");
        let note = UnitRequest::sign(&unit, &van);
        assert_eq!(UnitRequest::parse(note.as_bytes()).map(|r| r.key), Ok(van.public().clone()));
        let forged = Note::sign(note.text(), &[&other]);
        assert_eq!(UnitRequest::parse(forged.as_bytes()).map_err(|p| p.code), Err(Code::KeyWrong));
        let renamed = UnitRequest::sign(&"van-2".parse().expect("name"), &van);
        assert_eq!(UnitRequest::parse(renamed.as_bytes()).map_err(|p| p.code), Err(Code::KeyWrong));
    }

    #[test]
    fn each_role_reads_as_it_is_printed() {
        let age: AgeRecipient = format!("age1{}", "q".repeat(58)).parse().expect("age");
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Unit) {
            let key = signer("s-1", 1);
            let recipient = (role == Role::Supervisor).then(|| age.clone());
            let laptop = matches!(role, Role::Agent | Role::Supervisor).then(|| "van-1".parse().expect("name"));
            for unit in [None, laptop] {
                let request = AgentRequest {
                    role,
                    name: "s-1".parse().expect("name"),
                    unit,
                    key: key.public().clone(),
                    recipient: recipient.clone(),
                };
                assert_eq!(AgentRequest::parse(request.sign(&key).as_bytes()), Ok(request));
            }
        }
        let key = signer("s-1", 1);
        let refused = |text: String| AgentRequest::parse(Note::sign(&text, &[&key]).as_bytes()).map_err(|p| p.code);
        let public = key.public();
        assert_eq!(refused(format!("enroll-agent-request/v1\nrole unit\nname s-1\nkey {public}\n")), Err(Code::TextMalformed));
        let staff = format!("enroll-agent-request/v1\nrole adjudicator\nname s-1\nunit van-1\nkey {public}\n");
        assert_eq!(refused(staff), Err(Code::TextMalformed), "staff have no laptop");
    }
}
