//! One WebSocket connection after its opening handshake, as a state machine without I/O.
//!
//! Called by `transport` and `addon`. No descriptors, timers, threads or JavaScript values here;
//! the callers decide whether a command is allowed in the connection's ready state.

#![forbid(unsafe_code)]

mod close;
mod config;
mod deflate;
mod detached_frame;
mod event;
mod event_memory;
mod heartbeat;
mod inflate;
mod outbound;
mod output;
mod pong;
mod receive;
mod send;

use std::sync::Arc;

use crate::protocol::deflate::InflateJob;

pub use config::{Config, MaskingKeys, Trimmed};
use deflate::DeflateState;
pub use detached_frame::DetachedFrame;
pub use event::{EventBatch, EventRef, LARGE_MESSAGE};
pub use event_memory::EventMemory;
pub use heartbeat::{HEARTBEAT_PAYLOAD, TimeLimits, encode_heartbeat, is_heartbeat_answer};
use outbound::Outbound;
pub use output::{Head, Output};
pub use receive::MIN_IN_PLACE;
use receive::{Context, Inbound};

/// One WebSocket connection: bytes in, events out; commands in, bytes out.
///
/// Four kinds of methods:
///
/// * **Input**: [`receive`](Self::receive), [`receive_in_place`](Self::receive_in_place),
///   [`finish_detached`](Self::finish_detached), [`finish_inflate_job`](Self::finish_inflate_job),
///   [`mark_written`](Self::mark_written).
/// * **Commands**: [`send`](Self::send), [`send_external`](Self::send_external),
///   [`send_compressed`](Self::send_compressed), [`ping`](Self::ping), [`pong`](Self::pong), [`close`](Self::close),
///   [`write_raw`](Self::write_raw), [`trim_memory`](Self::trim_memory).
/// * **Output**: [`output`](Self::output), [`take_output`](Self::take_output),
///   [`swap_output`](Self::swap_output).
/// * **Getters and setters**.
///
/// Order of calls: after `receive` or any number of commands, take the output and write it; report
/// the bytes that the kernel accepted with `mark_written`, in the order in which they were taken;
/// deliver the events. `receive` may be called again before the events are delivered.
///
/// Close frames and protocol errors are not answered by the connection. Once all earlier events are
/// delivered, the caller calls `close` with the received code (`None` for 1005) or with
/// [`ProtocolError::close_code`](crate::protocol::ProtocolError::close_code).
#[derive(Debug)]
pub struct Connection {
    /// Shared by all connections with the same configuration.
    config: Arc<Config>,
    auto_pong: bool,
    inbound: Inbound,
    outbound: Outbound,
    /// permessage-deflate of the sending half, if negotiated.
    deflate: Option<Box<DeflateState>>,
}

impl Connection {
    /// Creates a connection whose opening handshake is complete. Allocates nothing by itself.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        let config = config.into();
        let deflate = config.deflate.as_ref().map(|negotiated| Box::new(DeflateState::new(negotiated)));
        let inbound = Inbound::new(config.deflate.as_ref());
        let auto_pong = config.auto_pong;
        Self { config, auto_pong, inbound, outbound: Outbound::default(), deflate }
    }

    /// Recreates a connection that [was idle](Self::is_idle) after `total` bytes were queued and
    /// written.
    pub fn from_idle(config: impl Into<Arc<Config>>, total: u64) -> Self {
        let mut connection = Self::new(config);
        connection.outbound.resume_totals(total);
        connection
    }

    /// True if all input has become events, all output is written, and no state is kept that a
    /// connection made by [`from_idle`](Self::from_idle) would lack.
    pub fn is_idle(&self) -> bool {
        let is_pristine = self.deflate.as_deref().is_none_or(DeflateState::is_pristine);
        is_pristine && self.inbound.is_pristine() && self.outbound.has_sent_everything()
    }

    /// Moves the state out and leaves a fresh connection without permessage-deflate.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let config = Config { deflate: None, ..(*self.config).clone() };
        std::mem::replace(self, Self::new(config))
    }

    /// Most bytes to read at a time; 0 is unlimited.
    pub fn max_read(&self) -> usize {
        self.config.limits.max_read as usize
    }

    /// The limits on the time of the connection.
    pub fn time_limits(&self) -> TimeLimits {
        self.config.time_limits
    }

    /// True while input is parsed: until a close frame, a protocol error or a pong flood.
    pub fn is_receiving(&self) -> bool {
        self.inbound.is_open()
    }

    /// Frees permessage-deflate memory that was not used since the last call; call it periodically.
    /// Invisible to both ends: the next message sent refers to no earlier one, and everything the
    /// peer may refer to is kept.
    pub fn trim_memory(&mut self) -> Trimmed {
        let Some(deflate) = &mut self.deflate else { return Trimmed::default() };
        let may_free_more = self.inbound.trim_memory() | deflate.trim_memory();
        let freed = if may_free_more { 0 } else { self.inbound.release_message() };
        Trimmed { freed, may_free_more }
    }

    /// Enables or disables automatic pongs.
    pub fn set_auto_pong(&mut self, auto_pong: bool) {
        self.auto_pong = auto_pong;
    }

    /// Sets the message size limit in bytes; 0 is unlimited. Takes effect with the next frame.
    pub fn set_max_payload(&mut self, max_payload: u64) {
        Arc::make_mut(&mut self.config).limits.max_payload = max_payload;
    }

    /// Disables or enables UTF-8 validation. Takes effect with the next message.
    pub fn set_skip_utf8_validation(&mut self, skip: bool) {
        Arc::make_mut(&mut self.config).skip_utf8_validation = skip;
    }
}

/// Input. Received frames become events.
impl Connection {
    /// Parses `chunk`, split anywhere, and appends the completed events to `events`. Automatic
    /// pongs are queued before their [`Ping`](EventRef::Ping) is appended.
    ///
    /// Input after a [`Close`](EventRef::Close) or [`Failed`](EventRef::Failed) event
    /// is ignored; after [`Flooded`](EventRef::Flooded), every further chunk is.
    pub fn receive(&mut self, chunk: &[u8], keys: &mut dyn MaskingKeys, events: &mut EventBatch) {
        self.with_inbound(keys, |inbound, context| inbound.receive(chunk, context, events));
    }

    /// Like [`receive`](Self::receive), but complete messages of [`MIN_IN_PLACE`] bytes and more
    /// stay in `chunk`, unmasked: see [`EventRef::InChunk`]. They must be
    /// delivered or [copied out](EventBatch::copy_out_chunk) before the next call.
    pub fn receive_in_place(
        &mut self,
        chunk: &mut [u8],
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) {
        self.with_inbound(keys, |inbound, context| inbound.receive_in_place(chunk, context, events));
    }

    /// Runs `access` on the receiving half, whose pings are answered with pongs of the sending half.
    fn with_inbound(
        &mut self,
        keys: &mut dyn MaskingKeys,
        access: impl FnOnce(&mut Inbound, &mut Context<'_>),
    ) {
        let Self { config, auto_pong, inbound, outbound, .. } = self;
        let mut answer_ping = |payload: &[u8]| outbound.answer_ping(payload, *auto_pong, config, keys);
        access(inbound, &mut Context { config, answer_ping: &mut answer_ping });
    }

    /// True if the last chunk ended at a frame boundary.
    pub fn is_between_frames(&self) -> bool {
        self.inbound.is_between_frames()
    }

    /// Detaches the incomplete frame at the end of the last chunk, together with the payload
    /// received so far, if it is a whole message of a suitable size. Nothing else may be received
    /// before [`finish_detached`](Self::finish_detached) or
    /// [`reattach_frame`](Self::reattach_frame).
    pub fn detach_frame(&mut self) -> Option<(DetachedFrame, Vec<u8>)> {
        self.inbound.detach_frame(&self.config)
    }

    /// Accounts for a chunk of a detached frame. `payload` is everything received so far; the chunk
    /// is its end. False if the frame must be [reattached](Self::reattach_frame) because the
    /// connection is about to fail: too many chunks
    /// ([`Limits::max_buffered_chunks`](crate::protocol::Limits::max_buffered_chunks)), or text
    /// that is not UTF-8.
    pub fn receive_detached(&mut self, frame: &mut DetachedFrame, payload: &mut [u8]) -> bool {
        self.inbound.receive_detached(frame, payload, &self.config)
    }

    /// Finishes a detached frame whose whole payload was [received](Self::receive_detached). The
    /// payload stays in the caller's memory: the event is an [`InChunk`](EventRef::InChunk)
    /// at offset 0.
    pub fn finish_detached(&mut self, frame: DetachedFrame, events: &mut EventBatch) {
        self.inbound.finish_detached(frame, events);
    }

    /// Reattaches a detached frame that is incomplete or must fail. `payload` is everything
    /// received so far; parsing continues normally after it.
    pub fn reattach_frame(
        &mut self,
        frame: &DetachedFrame,
        payload: &[u8],
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) {
        self.with_inbound(keys, |inbound, context| inbound.reattach_frame(frame, payload, context, events));
    }

    /// True while a frame is offloaded. Nothing is parsed until it is finished.
    pub fn is_inflating(&self) -> bool {
        self.inbound.is_inflating()
    }

    /// The offloaded frame. Take it after [`EventRef::Inflating`] was delivered,
    /// [run](InflateJob::run) it to its end and pass it to
    /// [`finish_inflate_job`](Self::finish_inflate_job).
    pub fn take_inflate_job(&mut self) -> Option<InflateJob> {
        self.inbound.take_inflate_job()
    }

    /// Accepts the result of an offloaded frame and parses the input held since.
    pub fn finish_inflate_job(
        &mut self,
        job: InflateJob,
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) {
        self.with_inbound(keys, |inbound, context| inbound.finish_inflate_job(job, context, events));
    }
}

#[cfg(test)]
mod tests;
