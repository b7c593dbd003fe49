//! What `channel` asks of a socket that was taken over. `no_sockets` has the same list.

use std::net::SocketAddr;
use std::rc::Rc;

use napi::{Result, sys};

use super::attachment::{Attachment, Chunk};
use crate::addon::batch::BatchWriter;
use crate::addon::channel::SocketCommand;
use crate::addon::environment::Shared;
use crate::addon::raw::borrow;
use crate::connection::Connection as Core;
use crate::protocol::deflate::Inflation;
use crate::transport::socket::{Inbox, Remains};
use crate::transport::stream::Stream;

/// Bytes from which a copy costs more than a system call of its own, if nothing else is queued, and in any case.
const FIRST_FROM_PLACE: usize = 16 * 1024;
const ALWAYS_FROM_PLACE: usize = 256 * 1024;

/// Bits of what `hand_back` returns.
const DRAINED: i32 = 1;
const SHUT_DOWN: i32 = 2;
const FAILED_WRITE: i32 = 4;

impl Attachment {
    /// Whether an I/O thread drives.
    pub(in crate::addon) fn is_on_thread(&self) -> bool {
        self.on_thread.get()
    }

    /// Bytes ever received.
    pub(in crate::addon) fn bytes_read(&self) -> u64 {
        self.socket.bytes_read()
    }

    /// Runs a command on the connection. `None` once destroyed.
    pub(in crate::addon) fn with_core<R>(&self, run: impl FnOnce(&mut Core) -> R) -> Option<R> {
        self.socket.with_connection(run)
    }

    /// Notes that there is output to be flushed.
    pub(in crate::addon) fn mark_dirty(self: &Rc<Self>, shared: &Shared) {
        shared.rounds.mark_dirty(self);
    }

    /// Sends a message without a mask from where it is, if it is better written at once than copied to be written with what
    /// else is sent in this tick. `false`: it was not sent.
    pub(in crate::addon) fn send_from_place(&self, binary: bool, fin: bool, payload: &[u8]) -> bool {
        let length = payload.len();
        let is_worth_a_write =
            length >= ALWAYS_FROM_PLACE || (length >= FIRST_FROM_PLACE && !self.dirty.get());
        is_worth_a_write && self.socket.send_from_place(binary, fin, payload)
    }

    /// Does what a command says.
    pub(in crate::addon) fn obey(self: &Rc<Self>, shared: &Shared, command: SocketCommand) {
        let socket = &self.socket;
        match command {
            SocketCommand::WriteNow => {
                socket.write_now();
            }
            SocketCommand::Notify => socket.notify(),
            SocketCommand::Pause => socket.pause(),
            SocketCommand::Resume => socket.resume(),
            SocketCommand::Tap => socket.tap(),
            SocketCommand::Cork(corked) => socket.cork(corked),
            SocketCommand::Shutdown => socket.shutdown(),
        }
        shared.settle(self);
    }

    /// Whether a thread may answer pings.
    pub(in crate::addon) fn set_may_pong(&self, may_pong: bool) {
        self.socket.set_may_pong(may_pong);
    }

    /// The addresses of the ends of a connection over TCP, here and there.
    pub(in crate::addon) fn ends(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        self.socket.ends()
    }

    /// The number of the descriptor; -1: there is none any more.
    pub(in crate::addon) fn descriptor(&self) -> i32 {
        self.socket.home()
    }

    /// Node has the descriptor from now on, in a handle of its own, and it is borrowed from there.
    pub(in crate::addon) fn lend(&self) {
        if let Ok(borrowed) = borrow(self.descriptor()) {
            self.socket.lend(borrowed);
        }
    }

    /// Whether nothing was collected that waits for a batch.
    pub(in crate::addon) fn is_empty(&self) -> bool {
        self.inbox.borrow().is_empty()
    }

    /// Collects what is known, for a batch at once.
    pub(in crate::addon) fn collect_now(self: &Rc<Self>, shared: &Shared) {
        self.collect(shared.turn());
        if self.end_due.get() != 0 {
            shared.rounds.mark_waiting(self);
        }
        shared.settle(self);
    }

    /// Moves collected news into a batch. Returns whether something remains.
    pub(in crate::addon) fn fill(&self, batch: &mut BatchWriter<'_>) -> bool {
        batch.set_chunk(match &*self.chunk.borrow() {
            Some(Chunk::Bulk(start)) => Some(*start),
            _ => None,
        });
        batch.take_inbox(&mut self.inbox.borrow_mut())
    }

    /// The memory of the next record with the flag `LANDED`.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(in crate::addon) fn landed(&self) -> Result<Option<sys::napi_value>> {
        match &*self.chunk.borrow() {
            Some(Chunk::Landed(memory)) => memory.value().map(Some),
            _ => Ok(None),
        }
    }

    /// Takes back a frame that was inflated elsewhere; its news is delivered as ever.
    pub(in crate::addon) fn return_inflation(self: &Rc<Self>, shared: &Shared, inflation: Inflation) {
        self.socket.return_inflation(inflation, &mut *shared.keys.borrow_mut());
        shared.settle(self);
        // A thread's pongs.
        self.mark_dirty(shared);
    }

    /// Before `detach`: collects what a paused connection has left to deliver.
    pub(in crate::addon) fn last_read(&self, shared: &Shared) {
        let Some(line) = shared.rounds.line() else { return };
        shared.give_back(self);
        let mut inbox = self.inbox.borrow_mut();
        if inbox.is_empty() {
            let (mut buffer, mut keys) = (line.buffer.borrow_mut(), shared.keys.borrow_mut());
            self.socket.last_read(&mut buffer, &mut *keys, &mut inbox);
        }
    }

    /// As [`Socket::needs_drain`](crate::transport::socket::Socket::needs_drain).
    pub(in crate::addon) fn needs_drain(&self, mark: u64) -> bool {
        self.socket.needs_drain(mark)
    }

    /// As [`Socket::watch_drain`](crate::transport::socket::Socket::watch_drain).
    pub(in crate::addon) fn watch_drain(&self, mark: u64) {
        self.socket.watch_drain(mark);
    }

    /// Gives the descriptor back to the host, and everything else to the caller. What was collected must have been put into
    /// batches. The number: see `handBack` of the class. `None`: the socket is gone.
    pub(in crate::addon) fn hand_back(&self, shared: &Shared) -> Option<(Stream, i32)> {
        if self.detached.get() {
            return None;
        }
        shared.give_back(self);
        shared.leave_chunk(self);
        shared.rounds.stop_polling(self);
        let remains = self.socket.hand_back();
        shared.rounds.detach(self);
        let Remains { connection, inbox, bytes_read, awaits_drain } = remains?;
        let Inbox { events, drained, shut_down, fault, .. } = inbox;
        let flag = |is_set: bool, flag| if is_set { flag } else { 0 };
        let failed = fault.map_or(0, |fault| (fault.errno << 8) | flag(fault.write, FAILED_WRITE));
        let news = failed | flag(drained || awaits_drain, DRAINED) | flag(shut_down, SHUT_DOWN);
        Some((Stream::going_on(connection, events, bytes_read), news))
    }

    /// Ends the socket and forgets it. Returns the connection if that waits for a frame that is inflated elsewhere.
    pub(in crate::addon) fn detach(&self, shared: &Shared) -> Option<Core> {
        let rest = self.socket.take_inflating();
        shared.rounds.detach(self);
        rest
    }
}
