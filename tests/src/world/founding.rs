//! What a centre is to be.

use shared::roster::RecipientKind;

/// What sets one centre apart from another.
#[derive(Debug, Clone)]
pub struct Plan {
    /// To what kind of recipients records are sealed.
    pub recipients: RecipientKind,
    /// `required` or `none`.
    pub approval: &'static str,
    /// Seconds of log time for which units keep merged records.
    pub retention: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Plan {
    /// What a centre is unless a test says otherwise.
    pub const DEFAULT: Self = Self { recipients: RecipientKind::Hybrid, approval: "required", retention: 14 * 86_400 };

    /// As the command line says it.
    pub(super) const fn kind(&self) -> &'static str {
        match self.recipients {
            RecipientKind::Hybrid => "hybrid",
            RecipientKind::X25519 => "x25519",
        }
    }
}
