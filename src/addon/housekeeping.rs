//! Housekeeping of an environment: makes connections idle that were not used for a while, and frees memory. A pass looks once at
//! each connection, in steps, which `transport::pacer` spreads over time. Called by the timer of `thread.js`.

use super::compression_jobs::Compression;
use super::host::NodeHost;
use super::sys::release_pages;
use crate::transport::event_loop::EventLoop;

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
    /// Free pages of the allocator.
    Pages(usize),
}

/// Progress of a pass.
#[derive(Debug, Default)]
pub(super) struct Housekeeping {
    stage: Stage,
    /// The next pass may free more memory of permessage-deflate.
    may_free_more: bool,
}

impl Housekeeping {
    /// Performs the next step of a pass. Returns false if that was the last one.
    pub(super) fn step(&mut self, event_loop: &EventLoop<NodeHost>, compression: &Compression) -> bool {
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
                    self.may_free_more |= transport.free_unused().may_free_more;
                }
                if (id as usize) < transports.end_key() { Stage::Connections(id + 1) } else { Stage::Idle }
            }
            Stage::Idle if event_loop.sweep_one() => Stage::Idle,
            Stage::Idle => Stage::Shared,
            Stage::Shared => {
                self.may_free_more |= compression.free_unused();
                event_loop.free_event_memory();
                Stage::Pages(0)
            }
            Stage::Pages(mut progress) => {
                if release_pages(&mut progress) {
                    Stage::Pages(progress)
                } else {
                    Stage::Start
                }
            }
        };
        !matches!(self.stage, Stage::Start)
    }

    /// True if the next pass may free memory of permessage-deflate.
    pub(super) fn may_free_more(&self) -> bool {
        self.may_free_more
    }
}
