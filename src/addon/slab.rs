//! The memory that small payloads are handed over in: a pooled `ArrayBuffer`, filled once from front to end, then
//! replaced. JavaScript holds views on it, so bytes given out are never written again.

use napi::{Env, Result, sys};

use super::raw::{Reference, create_array_buffer, with_memory};

/// Size of one slab. A view that a user keeps pins this much at most, as a view on Node's own chunks does.
const SLAB_SIZE: usize = 64 * 1024;

/// Where payloads start: aligned, so that a user can lay a typed array over one.
const ALIGNMENT: usize = 8;

/// The current slab of an environment.
#[derive(Debug, Default)]
pub(super) struct Slab {
    memory: Option<Reference>,
    used: usize,
    generation: u32,
}

impl Slab {
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

    /// Whether `length` bytes fit into what is left.
    pub(super) fn fits(&self, length: usize) -> bool {
        self.memory.is_some() && length <= SLAB_SIZE - self.used
    }

    /// Starts a new slab. Views on the old one stay valid: JavaScript owns it from now on.
    ///
    /// # Errors
    /// When JavaScript has no memory for it.
    pub(super) fn renew(&mut self, env: Env) -> Result<()> {
        self.memory = Some(Reference::new(env, create_array_buffer(env, SLAB_SIZE)?)?);
        self.used = 0;
        self.generation = self.generation.wrapping_add(1).max(1);
        Ok(())
    }

    /// Copies `data`, which must fit, and returns its offset. `None` when a user detached the buffer: then the caller
    /// renews the slab and tries again.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(super) fn push(&mut self, env: Env, data: &[u8]) -> Result<Option<usize>> {
        let Some(memory) = &self.memory else { return Ok(None) };
        let start = self.used;
        let copied = with_memory(env, memory, |bytes| {
            bytes.get_mut(start..start + data.len()).map(|place| place.copy_from_slice(data)).is_some()
        })?;
        if !copied {
            self.used = SLAB_SIZE;
            return Ok(None);
        }
        self.used = (start + data.len()).next_multiple_of(ALIGNMENT).min(SLAB_SIZE);
        Ok(Some(start))
    }
}
