//! Housekeeping of an owner: makes connections idle that were not used for a while, and frees memory. A pass looks once at each
//! connection, in steps, which `pacer` spreads over time. Called by a timer of the owner.

use std::time::Instant;

use super::compression::Compression;
use super::event_loop::{EventLoop, Host};
use super::heap::{self, Trimmer};
use super::pacer::{Slice, run_slice};

/// The part of a pass that is next.
#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    /// No pass is under way.
    #[default]
    Start,
    /// Memory of permessage-deflate of the connections from this id on.
    Connections(u32),
    /// Connections that have become idle.
    Idle,
    /// Memory that connections share.
    Shared,
    /// Free memory of the process.
    Heap,
}

/// Progress of a pass.
#[derive(Debug)]
pub struct Housekeeping {
    stage: Stage,
    /// The next pass may free more memory of permessage-deflate.
    may_free_more: bool,
    trimmer: Trimmer,
    /// The beginning of the clock.
    epoch: Instant,
}

impl Default for Housekeeping {
    fn default() -> Self {
        let (stage, trimmer) = (Stage::default(), Trimmer::default());
        Self { stage, may_free_more: false, trimmer, epoch: Instant::now() }
    }
}

impl Housekeeping {
    /// Runs the steps of one slice; a pass begins if none is under way.
    pub fn run_slice<H: Host, W>(
        &mut self,
        event_loop: &EventLoop<H>,
        compression: &Compression<W>,
    ) -> Slice {
        let epoch = self.epoch;
        let now = || u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        run_slice(now, || self.step(event_loop, compression, now))
    }

    /// Performs the next step of a pass. Returns false if that was the last one.
    fn step<H: Host, W>(
        &mut self,
        event_loop: &EventLoop<H>,
        compression: &Compression<W>,
        now: impl Fn() -> u64,
    ) -> bool {
        self.stage = match self.stage {
            Stage::Start => {
                self.may_free_more = false;
                event_loop.begin_sweep();
                if compression.is_used() { Stage::Connections(0) } else { Stage::Idle }
            }
            Stage::Connections(id) => {
                let transports = event_loop.transports().borrow();
                if let Some(transport) = transports.get(id as usize)
                    && let Ok(mut transport) = transport.try_borrow_mut()
                {
                    let trimmed = transport.free_unused();
                    self.may_free_more |= trimmed.may_free_more;
                    self.trimmer.note_freed(trimmed.freed);
                }
                if (id as usize) < transports.end_key() { Stage::Connections(id + 1) } else { Stage::Idle }
            }
            Stage::Idle => match event_loop.sweep_one() {
                Some(freed) => {
                    self.trimmer.note_freed(freed);
                    Stage::Idle
                }
                None => Stage::Shared,
            },
            Stage::Shared => {
                self.may_free_more |= compression.free_unused();
                self.trimmer.note_freed(event_loop.free_event_memory());
                Stage::Heap
            }
            Stage::Heap => {
                self.trimmer.trim_if_due(self.may_free_more, now, heap::trim);
                Stage::Start
            }
        };
        !matches!(self.stage, Stage::Start)
    }

    /// True if the next pass may free memory of permessage-deflate.
    pub fn may_free_more(&self) -> bool {
        self.may_free_more
    }
}
