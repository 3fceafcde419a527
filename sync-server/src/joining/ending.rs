//! Ending keys: whose, which of them, and from which entry on.
//!
//! **Invariants:** a cut moves to earlier or not at all; a name that has had several keys is never cut by guessing.

use shared::{
    id::{LogIndex, Member},
    keys::{KeyId, KeyRef},
    problem::{Code, Problem},
    roster::{Facts, Revocation, Role},
};

/// Which keys of a name are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Nobody said: the only one that it ever had.
    Only,
    /// This one.
    Key(KeyId),
    /// All that are not cut before.
    All,
}

/// The keys that are meant; `roles` are those that the command is about.
pub fn keys(facts: &Facts, name: &Member, roles: &[Role], which: Which) -> Result<Vec<KeyRef>, Problem> {
    let all: Vec<KeyRef> = facts.keys_of(name).filter(|m| roles.contains(&m.role)).map(|m| KeyRef::from(m.key)).collect();
    match (which, &all[..]) {
        (_, []) => {
            let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            Err(Problem::new(Code::NotFound, format!("the roster has no {} of the name {name}", words.join(" or "))))
        }
        (Which::Only, [one]) => Ok(vec![one.clone()]),
        (Which::Only, several) => {
            let ids: Vec<String> = several.iter().map(|key| told(facts, key)).collect();
            Err(Problem::new(Code::KeyChoice, format!("{name} has had the keys {}", ids.join(", "))))
        }
        (Which::Key(id), several) => {
            let one = several.iter().find(|key| key.id == id).cloned();
            one.map(|key| vec![key]).ok_or_else(|| Problem::new(Code::NotFound, format!("{name} has no key {id}")))
        }
        (Which::All, several) => Ok(several.to_vec()),
    }
}

fn told(facts: &Facts, key: &KeyRef) -> String {
    match facts.revocation(key) {
        Some(cut) => format!("{} (cut at entry {})", key.id, cut.cut),
        None => key.id.to_string(),
    }
}

/// Ends keys from `cut` on; gives those for which that is new.
pub fn cut(facts: &mut Facts, keys: &[KeyRef], cut: LogIndex, reason: &str) -> Result<Vec<KeyRef>, Problem> {
    let mut ended = Vec::new();
    for key in keys {
        match facts.revoked.iter_mut().find(|r| r.key == *key) {
            Some(before) if before.cut <= cut => continue,
            // moved to earlier
            Some(before) => (before.cut, before.reason) = (cut, reason.to_owned()),
            None => facts.revoked.push(Revocation { key: key.clone(), cut, reason: reason.to_owned() }),
        }
        ended.push(key.clone());
    }
    if ended.is_empty() {
        let before: Vec<String> = keys.iter().map(|key| told(facts, key)).collect();
        return Err(Problem::new(Code::NothingToDo, format!("ended before: {}; a cut never moves to later", before.join(", "))));
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{member, roster_facts, signer};

    fn code<T>(result: Result<T, Problem>) -> Option<Code> {
        result.err().map(|p| p.code)
    }

    #[test]
    fn a_cut_moves_to_earlier_or_not_at_all() {
        let mut facts = roster_facts(1);
        let key = KeyRef::from(signer("agent-1").public());
        let mut end = |at: u64| cut(&mut facts, std::slice::from_ref(&key), LogIndex(at), "stolen").map(|ended| ended.len());
        assert_eq!(end(9), Ok(1));
        assert_eq!(code(end(9)), Some(Code::NothingToDo));
        assert_eq!(code(end(12)), Some(Code::NothingToDo));
        assert_eq!(end(4), Ok(1));
        assert_eq!(facts.revocation(&key).map(|r| r.cut), Some(LogIndex(4)));
        assert_eq!(facts.revoked.len(), 1);
    }

    #[test]
    fn who_is_meant_is_never_guessed() {
        let mut facts = roster_facts(1);
        let second = shared::keys::Signer::from_seed("agent-1".parse().expect("name"), &[9; 32]);
        let first = KeyRef::from(signer("agent-1").public());
        assert_eq!(keys(&facts, &member("agent-1"), &[Role::Agent], Which::Only), Ok(vec![first.clone()]));
        facts.agents.push(shared::roster::AgentEntry { name: member("agent-1"), key: second.public().clone(), unit: None });
        let of = |which| keys(&facts, &member("agent-1"), &[Role::Agent, Role::Supervisor], which);
        let refused = of(Which::Only).expect_err("two keys");
        assert!(refused.code == Code::KeyChoice && refused.detail.contains(&first.id.to_string()), "{refused}");
        assert_eq!(of(Which::Key(first.id)), Ok(vec![first]));
        assert_eq!(of(Which::All).map(|keys| keys.len()), Ok(2));
        assert_eq!(code(of(Which::Key(KeyId(7)))), Some(Code::NotFound));
        assert_eq!(code(keys(&facts, &member("agent-1"), &[Role::Unit], Which::All)), Some(Code::NotFound));
    }
}
