//! Where compressors and inflaters are when nobody needs them. A state costs up to 300 KB, and a while to make; used again and
//! again, it stays in the processor's caches.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::compressor::Kind;
use super::{Compressor, Inflater, OutgoingParams};

/// States of each kind that are kept: as many as threads could use at once, and a few for the bursts.
const KEPT: usize = 8;

/// Shared by the connections of one environment, and by the threads that these may be on.
#[derive(Debug, Default)]
pub struct Pool {
    shelves: Mutex<Shelves>,
}

#[derive(Debug, Default)]
struct Shelves {
    compressors: Vec<Compressor>,
    inflaters: Vec<Inflater>,
    /// Whether anything was taken since the last [`Pool::trim`].
    used: bool,
}

impl Pool {
    /// A compressor for these settings.
    pub fn take_compressor(&self, outgoing: &OutgoingParams) -> Compressor {
        let kind = Kind::of(outgoing);
        let mut shelves = self.shelves();
        shelves.used = true;
        let found = shelves.compressors.iter().rposition(|compressor| compressor.kind() == kind);
        let kept = found.map(|index| shelves.compressors.swap_remove(index));
        drop(shelves);
        kept.unwrap_or_else(|| Compressor::new(outgoing))
    }

    /// Takes a compressor back.
    pub fn put_compressor(&self, compressor: Compressor) {
        let mut shelves = self.shelves();
        if shelves.compressors.len() < KEPT {
            shelves.compressors.push(compressor);
        }
    }

    /// An inflater that knows `history`, the end of what the peer has sent.
    pub fn take_inflater(&self, history: &[u8]) -> Inflater {
        let mut shelves = self.shelves();
        shelves.used = true;
        let kept = shelves.inflaters.pop();
        drop(shelves);
        let mut inflater = kept.unwrap_or_else(Inflater::new);
        inflater.begin(history);
        inflater
    }

    /// Takes an inflater back.
    pub fn put_inflater(&self, inflater: Inflater) {
        let mut shelves = self.shelves();
        if shelves.inflaters.len() < KEPT {
            shelves.inflaters.push(inflater);
        }
    }

    /// To be called from time to time: drops everything if nothing was taken since the last time. Returns whether
    /// something is left.
    pub fn trim(&self) -> bool {
        let mut shelves = self.shelves();
        if !std::mem::take(&mut shelves.used) {
            *shelves = Shelves::default();
        }
        !(shelves.compressors.is_empty() && shelves.inflaters.is_empty())
    }

    /// What is on the shelves is whole even if somebody has panicked while holding the lock.
    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
