//! Deterministic choices: the same seed and purpose give the same throws, and one purpose never shifts another.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use sha2::{Digest as _, Sha256};

/// Throws for one purpose.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice for `purpose` of the `n`th thing under `seed`.
    pub(super) fn new(seed: u64, n: u64, purpose: &str) -> Self {
        let key = Sha256::digest(format!("enroll-sample/v1\n{seed} {n} {purpose}\n"));
        Self(ChaCha8Rng::from_seed(key.into()))
    }

    /// A whole number from 0 to `bound` − 1.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        // multiply and shift: the bias is below bound / 2^32, and no loop depends on the throw
        u32::try_from((u64::from(self.0.next_u32()) * u64::from(bound)) >> 32).expect("smaller than bound")
    }

    /// `true` in `percent` of a hundred throws.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(u32::try_from(from.len()).expect("short lists")) as usize]
    }

    /// A number between `low` and `high`.
    #[allow(clippy::cast_precision_loss, reason = "24 bits fit")]
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.below(1 << 24) as f32 / (1 << 24) as f32)
    }

    /// `len` random bytes: the grain of a picture.
    pub(super) fn grain(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}
