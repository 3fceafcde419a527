//! Admitting keys: whose request it is, what the command expects, and what becomes of older keys of the same name.
//!
//! A name may have had many keys, and one public key bears one name. An older key of a unit is any of its epochs; an older key of an
//! agent or a supervisor is one that counts at the same unit: one name may have a key on each of two laptops.
//!
//! **Trust:** a request is signed by its own key; that it comes from whom it names is compared by phone (the fingerprint).
//! **Invariants:** nothing is replaced without a word about the older keys; a key that was cut never comes back.

use shared::{
    id::Member,
    keys::{KeyRef, VerifierKey},
    problem::{Code, Problem},
    roster::{
        AgentEntry, Crew, Facts, Kept, Listed, Revocation, Role, StaffEntry, SupervisorEntry, UnitEntry,
        request::{AgentRequest, UnitRequest},
    },
    time::Second,
};

use super::Moment;

/// Why the older keys of a name end when a new one takes over.
const REPLACED: &str = "replaced";
/// A region that nobody has named.
const NO_REGION: &str = "00";

/// A request to be admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A laptop asks.
    Unit(UnitRequest),
    /// A person asks.
    Person(AgentRequest),
}

impl Request {
    /// Reads and checks a request of either kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.starts_with(b"enroll-unit-request/") {
            UnitRequest::parse(bytes).map(Self::Unit)
        } else {
            AgentRequest::parse(bytes).map(Self::Person)
        }
    }
    /// Who asks.
    pub fn name(&self) -> &Member {
        match self {
            Self::Unit(request) => &request.unit,
            Self::Person(request) => &request.name,
        }
    }
    /// The key that is to be admitted.
    pub fn key(&self) -> &VerifierKey {
        match self {
            Self::Unit(request) => &request.key,
            Self::Person(request) => &request.key,
        }
    }
    /// What it is to do.
    pub fn role(&self) -> Role {
        match self {
            Self::Unit(_) => Role::Unit,
            Self::Person(request) => request.role,
        }
    }
    /// The unit on whose laptop the key lies, if it is bound to one.
    pub fn unit(&self) -> Option<&Member> {
        match self {
            Self::Unit(_) => None,
            Self::Person(request) => request.unit.as_ref(),
        }
    }
}

/// What becomes of the keys that a name has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// Nobody said: a name with another key is refused.
    Unsaid,
    /// They end at the roster's own entry.
    Cut,
    /// They go on for as long as the roster's grace: work under them is still on its way.
    Keep,
}

/// What an administrator says about a unit; what is left out stays as it was in the epoch before.
#[derive(Debug, Clone, Default)]
pub struct UnitTraits {
    /// Region code.
    pub region: Option<String>,
    /// One person or several.
    pub crew: Option<Crew>,
}

/// What was admitted, and what became of older keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The epoch that a unit's key opened.
    pub epoch: Option<u32>,
    /// Older keys that end now.
    pub cut: Vec<KeyRef>,
    /// Older keys that go on until a log time.
    pub kept: Vec<(KeyRef, Second)>,
}

/// Adds the key of a request; `expected` is what the command admits.
pub fn admit(
    facts: &mut Facts,
    request: &Request,
    expected: Role,
    older: Older,
    traits: &UnitTraits,
    moment: Moment,
) -> Result<Admitted, Problem> {
    if request.role() != expected {
        let asks = format!("{} asks to be {}; this command admits {expected} keys", request.name(), request.role());
        return Err(Problem::new(Code::RoleWrong, asks));
    }
    one_name_a_key(facts, request)?;
    let same: Vec<KeyRef> = of_the_same_binding(facts, request).iter().map(|listed| KeyRef::from(listed.key)).collect();
    let (cut, kept) = end_older(facts, &same, older, moment)?;
    let epoch = match request {
        Request::Unit(request) => Some(add_unit(facts, request, traits)),
        Request::Person(request) => {
            add_person(facts, request)?;
            None
        }
    };
    Ok(Admitted { epoch, cut, kept })
}

/// The key is new, nobody else's, and its name has no other role.
fn one_name_a_key(facts: &Facts, request: &Request) -> Result<(), Problem> {
    let (name, key) = (request.name(), request.key());
    let own = [&facts.log, &facts.centre_key].into_iter().chain(&facts.signers.keys).chain(&facts.witnesses.keys);
    if own.into_iter().any(|known| known.public_bytes() == key.public_bytes()) {
        return Err(Problem::new(Code::KeyWrong, "this public key is one of the centre's own: make a new one"));
    }
    for listed in facts.members() {
        if listed.key == key {
            let this = KeyRef::from(key);
            return Err(match facts.revocation(&this) {
                Some(cut) => {
                    Problem::new(Code::Revoked, format!("{this} was cut at entry {} and cannot come back: make a new key", cut.cut))
                }
                None => Problem::new(Code::NothingToDo, format!("{this} is admitted already")),
            });
        }
        if listed.key.public_bytes() == key.public_bytes() {
            let other = format!("this public key bears the name {} already, and one key bears one name: make a new one", listed.name);
            return Err(Problem::new(Code::KeyWrong, other));
        }
        if listed.name == name && listed.role != request.role() {
            return Err(Problem::new(Code::RoleWrong, format!("{name} is {} in the roster, and a name has one role", listed.role)));
        }
    }
    Ok(())
}

/// Older keys that the new one would stand beside.
fn of_the_same_binding<'a>(facts: &'a Facts, request: &'a Request) -> Vec<Listed<'a>> {
    let meet = |old: Option<&Member>| old.is_none() || request.unit().is_none() || old == request.unit();
    facts.keys_of(request.name()).filter(|listed| meet(listed.unit)).collect()
}

type Ended = (Vec<KeyRef>, Vec<(KeyRef, Second)>);

fn end_older(facts: &mut Facts, same: &[KeyRef], older: Older, moment: Moment) -> Result<Ended, Problem> {
    let (mut cut, mut kept) = (Vec::new(), Vec::new());
    if same.is_empty() {
        return Ok((cut, kept));
    }
    if older == Older::Unsaid {
        let ids: Vec<String> = same.iter().map(|key| key.id.to_string()).collect();
        return Err(Problem::new(Code::KeyChoice, format!("{} has the key {}", same[0].name, ids.join(", "))));
    }
    for key in same.iter().filter(|key| facts.revocation(key).is_none()).cloned().collect::<Vec<_>>() {
        if older == Older::Cut {
            facts.revoked.push(Revocation { key: key.clone(), cut: moment.next, reason: REPLACED.to_owned() });
            cut.push(key);
            continue;
        }
        // a time that was given once is never made longer
        let grace = i64::try_from(facts.grace).unwrap_or(i64::MAX);
        let until = facts.kept_until(&key).unwrap_or(Second::from_unix(moment.now.unix().saturating_add(grace)));
        if facts.kept_until(&key).is_none() {
            facts.kept.push(Kept { key: key.clone(), until });
        }
        kept.push((key, until));
    }
    Ok((cut, kept))
}

fn add_unit(facts: &mut Facts, request: &UnitRequest, traits: &UnitTraits) -> u32 {
    let before = facts.newest_epoch(&request.unit).cloned();
    let epoch = before.as_ref().map_or(1, |before| before.epoch + 1);
    let region = traits.region.clone().or_else(|| before.as_ref().map(|b| b.region.clone())).unwrap_or_else(|| NO_REGION.to_owned());
    let crew = traits.crew.or_else(|| before.map(|b| b.crew)).unwrap_or(Crew::Several);
    facts.units.push(UnitEntry { name: request.unit.clone(), epoch, key: request.key.clone(), region, crew });
    epoch
}

fn add_person(facts: &mut Facts, request: &AgentRequest) -> Result<(), Problem> {
    let AgentRequest { role, name, unit, key, recipient } = request.clone();
    match role {
        Role::Agent => facts.agents.push(AgentEntry { name, key, unit }),
        Role::Supervisor => {
            let recipient = recipient.ok_or(Code::TextMalformed)?;
            facts.supervisors.push(SupervisorEntry { name, key, unit, recipient });
        }
        Role::Carrier => facts.carriers.push(StaffEntry { name, key }),
        Role::Adjudicator => facts.adjudicators.push(StaffEntry { name, key }),
        Role::Administrator => facts.administrators.push(StaffEntry { name, key }),
        Role::Unit => return Err(Code::RoleWrong.into()),
    }
    Ok(())
}

/// Changes region or crew of a unit's newest epoch.
pub fn change_unit(facts: &mut Facts, name: &Member, traits: &UnitTraits) -> Result<(), Problem> {
    let newest = facts.newest_epoch(name).map(|unit| unit.epoch);
    let unit = facts.units.iter_mut().find(|unit| unit.name == *name && Some(unit.epoch) == newest);
    let unit = unit.ok_or_else(|| Problem::new(Code::NotFound, format!("{name} is not a unit of the roster")))?;
    let (region, crew) = (traits.region.clone().unwrap_or_else(|| unit.region.clone()), traits.crew.unwrap_or(unit.crew));
    if (&region, crew) == (&unit.region, unit.crew) {
        return Err(Problem::new(Code::NothingToDo, format!("{name} is there already")));
    }
    (unit.region, unit.crew) = (region, crew);
    Ok(())
}

#[cfg(test)]
mod tests;
