//! Unused compressors and inflaters. Each costs up to 300 KB and time to create; frequent reuse
//! keeps it in the processor's caches.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::compressor::Kind;
use super::{Compressor, DeflateParams, Inflater, OutgoingParams};

/// Maximum number kept of each kind: one for each thread that may need one, and a few for bursts.
const MAX_KEPT: usize = 8;

/// Shared by the connections of an environment, on all its threads.
#[derive(Debug, Default)]
pub struct Pool {
    state: Mutex<PoolState>,
}

#[derive(Debug, Default)]
struct PoolState {
    compressors: Vec<Compressor>,
    inflaters: Vec<Inflater>,
    /// True if anything was taken since the last [`Pool::trim`].
    was_used: bool,
}

impl Pool {
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
