//! Masking keys from a cryptographic generator (RFC 6455 §5.3: unpredictable, fresh for each frame).
//!
//! A generator is seeded from the system once and stays on one thread. `protocol` and `connection` have no
//! random source: their callers pass in keys from here.

use std::fmt;

use rand::rngs::{StdRng, SysError, SysRng};
use rand::{Rng, SeedableRng};

use crate::connection::MaskingKeys;
use crate::protocol::MaskingKey;

/// Random bytes per refill: 256 keys.
const POOL: usize = 1024;

/// A buffered source of masking keys.
pub struct RandomKeys {
    generator: StdRng,
    pool: [u8; POOL],
    used: usize,
}

impl RandomKeys {
    /// Seeds a generator from the system's random source.
    ///
    /// # Errors
    /// If the system's random source fails.
    pub fn new() -> Result<Self, SysError> {
        let generator = StdRng::try_from_rng(&mut SysRng)?;
        Ok(Self { generator, pool: [0; POOL], used: POOL })
    }
}

impl MaskingKeys for RandomKeys {
    fn next_key(&mut self) -> MaskingKey {
        if self.used == POOL {
            self.generator.fill_bytes(&mut self.pool);
            self.used = 0;
        }
        let mut key = [0; 4];
        let fresh = &mut self.pool[self.used..self.used + 4];
        key.copy_from_slice(fresh);
        // A used key does not stay in memory.
        fresh.fill(0);
        self.used += 4;
        MaskingKey(key)
    }
}

impl fmt::Debug for RandomKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pool and the generator's state are secrets.
        f.debug_struct("RandomKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_differ_across_refills_and_generators() {
        let mut seen = HashSet::new();
        for _ in 0..4 {
            let mut keys = RandomKeys::new().unwrap();
            for _ in 0..3 * POOL / 4 {
                seen.insert(keys.next_key());
            }
        }
        // 3072 draws out of 2^32: two equal ones are expected once in about 900 runs; three never.
        assert!(seen.len() >= 4 * 3 * POOL / 4 - 2);
    }
}
