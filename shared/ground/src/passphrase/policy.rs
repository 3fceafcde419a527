//! Which passphrases are taken, by what they protect.
//!
//! | what it protects | characters, at least | guesses, at least |
//! |---|---|---|
//! | agent, supervisor | 12 | 10^10 |
//! | recovery, auditor, roster key | 20 | 10^18 |
//!
//! A member's passphrase is guessed against Argon2id, and only by who has the laptop's machine secret as well. Who finds an
//! identity file has all the time in the world, and what it opens is everybody's. The number of guesses is the estimate of
//! zxcvbn (words, names, dates, keyboard rows, repetitions), which counts to 2^64. It knows no Arabic word lists: there only the
//! length counts.
//!
//! **Invariants:** the refusal says what was missing, never how far or of which text.

use shared::problem::{Code, Problem};
use zxcvbn::zxcvbn;

/// Whose passphrase it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An agent's keys on a laptop.
    Agent,
    /// A supervisor's keys on a laptop.
    Supervisor,
    /// The identity that opens every record.
    Recovery,
    /// The identity that reads who looked at whom.
    Auditor,
    /// The key that says who may sign.
    RosterKey,
}

/// What is asked of a passphrase.
struct Demand {
    /// Characters.
    length: usize,
    /// Guesses, as a power of ten.
    guesses: f64,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Agent, Self::Supervisor, Self::Recovery, Self::Auditor, Self::RosterKey];

    const fn demand(self) -> Demand {
        match self {
            Self::Agent | Self::Supervisor => Demand { length: 12, guesses: 10.0 },
            Self::Recovery | Self::Auditor | Self::RosterKey => Demand { length: 20, guesses: 18.0 },
        }
    }
}

/// Words that a guesser of our passphrases tries first.
const OURS: [&str; 10] =
    ["passphrase", "password", "enrol", "enroll", "enrolment", "registry", "recovery", "auditor", "supervisor", "agent"];

/// Takes a passphrase, or says what is missing.
pub(super) fn judge(text: &str, role: Role, about: &[&str]) -> Result<(), Problem> {
    let demand = role.demand();
    let weak = |why: String| Err(Problem::new(Code::PassphraseWeak, why));
    if text.chars().count() < demand.length {
        return weak(format!("too short: at least {} characters are needed", demand.length));
    }
    let known: Vec<&str> = OURS.iter().chain(about).copied().collect();
    if zxcvbn(text, &known).guesses_log10() < demand.guesses {
        return weak("too easy to guess, although it is long enough".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_measure() {
        let short = ["x", "7 letters", "eleven sign"];
        let easy = ["passwordpassword", "aaaaaaaaaaaaaaaaaaaaaaaa", "qwertyuiop123456789", "12345678901234567890", "registry registry"];
        let member = ["four words make one", "the people of van-1", "recovery auditor registry"];
        let safe = ["quarry lantern eleven oboe thistle", "the safe in the cellar, third shelf", "7fX!q0_pLz.9TnWv#4Rd2"];
        for role in Role::ALL {
            let strict = !matches!(role, Role::Agent | Role::Supervisor);
            for weak in short.iter().chain(&easy).chain(member.iter().filter(|_| strict)) {
                let refused = judge(weak, role, &[]).expect_err(weak);
                assert_eq!(refused.code, Code::PassphraseWeak, "{weak} {role:?}");
                assert!(!refused.to_string().contains(weak) || *weak == "x", "the refusal quotes nothing");
            }
            for good in safe.iter().chain(member.iter().filter(|_| !strict)) {
                assert_eq!(judge(good, role, &[]), Ok(()), "{good} {role:?}");
            }
        }
    }

    #[test]
    fn names_that_belong_to_it_are_guessed_first() {
        let name = "van-bouarfa-east-17";
        assert!(judge(name, Role::Agent, &[]).is_ok());
        assert_eq!(judge(name, Role::Agent, &[name]).map_err(|p| p.code), Err(Code::PassphraseWeak));
    }

    #[test]
    fn other_scripts_are_counted_in_characters() {
        assert!(judge("سبعة جمال على الجسر", Role::Agent, &[]).is_ok());
        assert!(judge("قنديل ومرساة وسنديان وقبرة وصوان", Role::Recovery, &[]).is_ok());
        assert!(judge("سبعة جمال", Role::Agent, &[]).is_err());
    }
}
