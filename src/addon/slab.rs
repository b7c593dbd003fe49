//! The memory that small payloads are handed over in: a pooled `ArrayBuffer`, filled once from front to end, then
//! replaced. JavaScript holds views on it, so bytes given out are never written again.

use napi::{Env, Result, sys};

use super::raw::{Reference, create_array_buffer, with_memory};
use crate::connection::LARGE_MESSAGE;

/// Size of one slab. A view that a user keeps pins this much at most, as a view on Node's own chunks does. Any message that
/// is not large fits.
pub(super) const SLAB_SIZE: usize = 64 * 1024;
const _: () = assert!(LARGE_MESSAGE <= SLAB_SIZE);

/// Where payloads start: aligned, so that a user can lay a typed array over one.
pub(super) const ALIGNMENT: usize = 8;

/// Size of a slab that sockets are read into, for messages that are large enough to stay there.
pub(super) const BULK_SIZE: usize = 256 * 1024;

/// The current slab of an environment.
#[derive(Debug)]
pub(super) struct Slab {
    memory: Option<Reference>,
    size: usize,
    used: usize,
    generation: u32,
}

impl Slab {
    /// One whose memory is made when it is needed.
    pub(super) fn new(size: usize) -> Self {
        Self { memory: None, size, used: size, generation: 0 }
    }

    /// What is left of it.
    pub(super) fn room(&self) -> usize {
        self.size - self.used
    }

    /// Changes whenever there is another `ArrayBuffer`; 0 while there is none.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// The current `ArrayBuffer`.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(super) fn value(&self) -> Result<Option<sys::napi_value>> {
        self.memory.as_ref().map(Reference::value).transpose()
    }

    /// Starts a new slab. Views on the old one stay valid: JavaScript owns it from now on.
    ///
    /// # Errors
    /// When JavaScript has no memory for it.
    pub(super) fn renew(&mut self, env: Env) -> Result<()> {
        self.memory = Some(Reference::new(env, create_array_buffer(env, self.size)?)?);
        self.used = 0;
        self.generation = self.generation.wrapping_add(1).max(1);
        Ok(())
    }

    /// Runs `fill` on the slab's memory and how much of it is used; it returns its result, and how much is used then. The
    /// memory is empty when there is none yet or a user has detached it: then the caller renews the slab and tries again.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(super) fn fill<R>(
        &mut self,
        env: Env,
        fill: impl FnOnce(&mut [u8], usize) -> (R, usize),
    ) -> Result<R> {
        let used = self.used;
        let (result, used) = match &self.memory {
            Some(memory) => with_memory(env, memory, |bytes| fill(bytes, used))?,
            None => fill(&mut [], used),
        };
        self.used = used.min(self.size);
        Ok(result)
    }
}
