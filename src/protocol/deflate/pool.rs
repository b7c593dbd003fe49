//! Unused compressors and inflaters, and memory for frames. A compressor costs up to 300 KB and time to create; frequent reuse
//! keeps it in the processor's caches. Also frees the large memory of connections, as the owner of the pool determines.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::compressor::Kind;
use super::{Compressor, DeflateParams, Inflater, OutgoingParams};

/// Maximum number kept of each kind: one for each thread that may need one, and a few for bursts.
const MAX_KEPT: usize = 8;
/// Largest memory of a frame that is kept, in bytes.
const MAX_FRAME: usize = 64 * 1024;

/// Shared by the connections of an environment, on all its threads.
#[derive(Debug)]
pub struct Pool {
    state: Mutex<PoolState>,
    free: fn(Vec<u8>),
}

/// A pool that drops memory.
impl Default for Pool {
    fn default() -> Self {
        Self::new(drop)
    }
}

#[derive(Debug, Default)]
struct PoolState {
    compressors: Vec<Compressor>,
    inflaters: Vec<Inflater>,
    frames: Vec<Vec<u8>>,
    /// True if anything was taken since the last [`Pool::trim`].
    was_used: bool,
}

impl Pool {
    /// A pool that frees memory by `free`.
    pub fn new(free: fn(Vec<u8>)) -> Self {
        Self { state: Mutex::default(), free }
    }

    /// Frees the memory of a history.
    pub fn free(&self, memory: Vec<u8>) {
        (self.free)(memory);
    }

    /// Returns a compressor for a payload of `length` bytes.
    pub fn take_compressor(&self, outgoing: &OutgoingParams, length: usize) -> Compressor {
        let kind = Kind::of(outgoing, length);
        let mut state = self.state();
        state.was_used = true;
        let found = state.compressors.iter().rposition(|compressor| compressor.kind() == kind);
        let kept = found.map(|index| state.compressors.swap_remove(index));
        drop(state);
        kept.unwrap_or_else(|| Compressor::of_kind(kind))
    }

    /// Puts a compressor back.
    pub fn put_compressor(&self, compressor: Compressor) {
        let mut state = self.state();
        if state.compressors.len() < MAX_KEPT {
            state.compressors.push(compressor);
        }
    }

    /// Returns an inflater loaded with `history`, the end of the peer's output.
    pub fn take_inflater(&self, history: &[u8]) -> Inflater {
        let mut state = self.state();
        state.was_used = true;
        let kept = state.inflaters.pop();
        drop(state);
        let mut inflater = kept.unwrap_or_else(Inflater::new);
        inflater.load_history(history);
        inflater
    }

    /// Puts an inflater back.
    pub fn put_inflater(&self, inflater: Inflater) {
        let mut state = self.state();
        if state.inflaters.len() < MAX_KEPT {
            state.inflaters.push(inflater);
        }
    }

    /// Returns an empty vector for the payload of a compressed frame.
    pub fn take_frame(&self) -> Vec<u8> {
        self.state().frames.pop().unwrap_or_default()
    }

    /// Puts a vector back.
    pub fn put_frame(&self, mut frame: Vec<u8>) {
        let mut state = self.state();
        if state.frames.len() < MAX_KEPT && frame.capacity() <= MAX_FRAME {
            frame.clear();
            state.frames.push(frame);
        }
    }

    /// Drops everything if nothing was taken since the last call; call it periodically. Returns
    /// true if anything is left.
    pub fn trim(&self) -> bool {
        let mut state = self.state();
        if !std::mem::take(&mut state.was_used) {
            *state = PoolState::default();
        }
        !(state.compressors.is_empty() && state.inflaters.is_empty())
    }

    /// The lists stay valid even if a thread panicked while holding the lock.
    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The negotiated extension of a connection.
#[derive(Debug, Default)]
pub struct PermessageDeflate {
    /// Parameters of both directions.
    pub params: DeflateParams,
    /// Source of compressors and inflaters.
    pub pool: Arc<Pool>,
}

/// Compresses a payload without references to earlier ones, up to the end of a sync flush. For
/// large payloads, on any thread.
pub fn compress_standalone(pool: &Pool, outgoing: &OutgoingParams, payload: &[u8]) -> Vec<u8> {
    let mut compressor = pool.take_compressor(outgoing, payload.len());
    compressor.compress(&[], payload);
    let compressed = compressor.take_output();
    pool.put_compressor(compressor);
    compressed
}
