//! Requests to be admitted: what a new unit, agent or supervisor hands to the centre, signed by its own new key.
//!
//! ```text
//! enroll-unit-request/v1            enroll-agent-request/v1
//! unit van-017                      role supervisor
//! key van-017+6e1d…+AQ…             name supervisor-003
//!                                   key supervisor-003+…
//!                                   recipient age1…           (supervisors only)
//! ```
//!
//! **Trust:** the signature proves possession of the key, nothing else; an administrator decides.

use super::AgeRecipient;
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

/// An agent or supervisor who asks to be admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRequest {
    /// Name of the person's role on the road, never the person's own.
    pub name: Member,
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
    /// Signs a request with the key that it is about; a supervisor gives a recipient.
    pub fn sign(name: &Member, recipient: Option<&AgeRecipient>, signer: &Signer) -> Note {
        let request = Self { name: name.clone(), key: signer.public().clone(), recipient: recipient.cloned() };
        Note::sign(&request.print(), &[signer])
    }
    fn print(&self) -> String {
        let role = if self.recipient.is_some() { "supervisor" } else { "agent" };
        let last = self.recipient.as_ref().map(|r| format!("recipient {r}\n")).unwrap_or_default();
        format!("enroll-agent-request/v1\nrole {role}\nname {}\nkey {}\n{last}", self.name, self.key)
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
        let supervisor = match lines.field("role")? {
            "agent" => false,
            "supervisor" => true,
            _ => return Err(lines.bad()),
        };
        let name = lines.field("name")?;
        let name = lines.parse(name)?;
        let key = lines.field("key")?;
        let key = lines.parse(key)?;
        let recipient = if supervisor {
            let value = lines.field("recipient")?;
            Some(lines.parse(value)?)
        } else {
            None
        };
        lines.end()?;
        Ok(Self { name, key, recipient })
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
    fn supervisors_bring_a_recipient_and_agents_do_not() {
        let key = signer("s-1", 1);
        let name: Member = "s-1".parse().expect("name");
        let age = format!("age1{}", "q".repeat(58)).parse().expect("age");
        let note = AgentRequest::sign(&name, Some(&age), &key);
        assert_eq!(AgentRequest::parse(note.as_bytes()).map(|r| r.recipient), Ok(Some(age)));
        let note = AgentRequest::sign(&name, None, &key);
        assert_eq!(AgentRequest::parse(note.as_bytes()).map(|r| r.recipient), Ok(None));
    }
}
