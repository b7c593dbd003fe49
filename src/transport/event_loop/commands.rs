//! Commands on one transport that need the event loop: they make an idle connection active, and have it flushed or looked at again.
//! Called by `addon`. System calls belong to `socket`.

use std::cell::RefCell;
use std::rc::Rc;

use super::Host;
use super::event_loop::EventLoop;
use super::output::SEND_IN_PLACE_FROM;
use crate::connection::Connection;
use crate::protocol::deflate::{Broadcast, InflateJob};
use crate::transport::socket::{Borrowed, Fault, Remains, SocketEvents};
use crate::transport::stream::Stream;
use crate::transport::transports::{Backend, Message, Transport};

/// Commands for a socket that need no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketCommand {
    /// Write queued output from this thread, as much as the kernel accepts now.
    WriteNow,
    /// Report once when the kernel has accepted all output queued now.
    Notify,
    /// Stop reading and delivering.
    Pause,
    /// Undo `Pause`.
    Resume,
    /// Hold output back, or stop doing so.
    Cork(bool),
    /// Send a FIN after all queued output.
    Shutdown,
}

impl SocketCommand {
    /// True if the command has no effect on an idle connection.
    fn is_done_when_idle(self) -> bool {
        matches!(self, Self::WriteNow | Self::Resume | Self::Cork(false))
    }
}

/// Events of a socket that were not delivered when it was [detached](Transport::detach), other than those of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandedBackEvents {
    /// All output has gone out, or that is still to be reported.
    pub drained: bool,
    /// The writing side was shut down.
    pub shut_down: bool,
    /// A system call failed.
    pub fault: Option<Fault>,
}

impl HandedBackEvents {
    /// As bits: 1 drained, 2 shut down, 4 a write has failed (else a read); the error number from the ninth bit on.
    pub fn bits(self) -> i32 {
        let fault = self.fault.map_or(0, |fault| fault.errno << 8 | i32::from(fault.write) << 2);
        fault | i32::from(self.shut_down) << 1 | i32::from(self.drained)
    }
}

impl<M> Transport<M> {
    /// Runs a command that may queue output. Returns the bytes ever queued.
    pub fn run<H: Host<Memory = M>>(
        &mut self,
        event_loop: &EventLoop<H>,
        command: impl FnOnce(&mut Connection),
    ) -> u64 {
        event_loop.activate(self);
        let queued = self.with_connection(|connection| {
            command(connection);
            connection.queued_total()
        });
        let Some(queued) = queued else { return self.totals().queued };
        if let Some(connection) = self.active() {
            event_loop.mark_dirty(connection);
        }
        queued
    }

    /// Queues a message or a fragment, or sends it from the caller's memory, see [`Transport::send_in_place`]. Returns the bytes
    /// ever queued.
    pub fn send<H: Host<Memory = M>>(
        &mut self,
        event_loop: &EventLoop<H>,
        message: Message<'_>,
        broadcast: &RefCell<Broadcast>,
        keep: impl FnOnce() -> Option<(M, usize)>,
    ) -> u64 {
        let Message { binary, fin, compress, key, payload } = message;
        if key.is_none()
            && payload.len() >= SEND_IN_PLACE_FROM
            && !self.will_compress(event_loop, compress, payload.len())
            && let Some(queued) = self.send_in_place(event_loop, binary, fin, payload, keep)
        {
            return queued;
        }
        if self.config().deflate.is_none() {
            return self.run(event_loop, |connection| connection.send(binary, fin, key, payload));
        }
        let mut broadcast = broadcast.borrow_mut();
        self.run(event_loop, |connection| {
            connection.send_compressed(binary, fin, key, payload, compress, &mut broadcast);
        })
    }

    /// Queues messages of less than [`SEND_IN_PLACE_FROM`] bytes.
    pub fn send_small<'a, H: Host<Memory = M>>(
        &mut self,
        event_loop: &EventLoop<H>,
        mut messages: impl Iterator<Item = Message<'a>>,
        broadcast: &RefCell<Broadcast>,
    ) {
        if self.config().deflate.is_some() {
            for message in messages {
                self.send(event_loop, message, broadcast, || None);
            }
            return;
        }
        self.run(event_loop, |connection| {
            for Message { binary, fin, key, payload, .. } in messages.by_ref() {
                debug_assert!(payload.len() < SEND_IN_PLACE_FROM);
                connection.send(binary, fin, key, payload);
            }
        });
        // A destroyed connection has taken none.
        messages.for_each(drop);
    }

    /// True if a message of `length` bytes is compressed. Decides for the whole message if called before its first fragment.
    pub fn will_compress<H: Host<Memory = M>>(
        &mut self,
        event_loop: &EventLoop<H>,
        compress: bool,
        length: usize,
    ) -> bool {
        if self.config().deflate.is_none() {
            return false;
        }
        event_loop.activate(self);
        self.with_connection(|connection| connection.decide_compression(compress, length)).unwrap_or(false)
    }

    /// Sends an unmasked message from the caller's memory, if that is worth it: at once, unless earlier output waits. `keep` keeps the
    /// memory for bytes that are not written now, and returns it and the offset at which the payload ends. `None`: they are copied.
    /// Returns the bytes ever queued; `None` if nothing was sent.
    pub fn send_in_place<H: Host<Memory = M>>(
        &mut self,
        event_loop: &EventLoop<H>,
        binary: bool,
        fin: bool,
        payload: &[u8],
        keep: impl FnOnce() -> Option<(M, usize)>,
    ) -> Option<u64> {
        let connection = event_loop.activate(self)?;
        if !connection.send_in_place::<H>(binary, fin, payload, keep) {
            return None;
        }
        if connection.has_payloads() {
            event_loop.after_io(connection);
        }
        Some(self.run(event_loop, |_| ()))
    }

    /// Executes a command on a socket. Other transports have nothing to do.
    pub fn execute<H: Host<Memory = M>>(&mut self, event_loop: &EventLoop<H>, command: SocketCommand) {
        let connection = if command.is_done_when_idle() { self.active() } else { event_loop.activate(self) };
        let Some(connection) = connection else { return };
        let socket = &connection.socket;
        match command {
            SocketCommand::WriteNow => connection.write_now(&event_loop.host, H::WRITE_TURN),
            SocketCommand::Notify => socket.notify(),
            SocketCommand::Pause => socket.pause(),
            SocketCommand::Resume => socket.resume(),
            SocketCommand::Cork(corked) => socket.cork(corked),
            SocketCommand::Shutdown => socket.shutdown(),
        }
        event_loop.after_io(connection);
        // The socket alone writes up to the first payload in memory of the host.
        if matches!(command, SocketCommand::Cork(false) | SocketCommand::Shutdown)
            && connection.has_payloads()
        {
            event_loop.flush_one(connection);
        }
    }

    /// Collects the events of a socket, for a batch that is written next.
    pub fn collect<H: Host<Memory = M>>(&self, event_loop: &EventLoop<H>) {
        let Some(connection) = self.active() else { return };
        connection.collect(&event_loop.host, event_loop.cycle());
        if connection.end_due.get() != 0 {
            event_loop.mark_waiting(connection);
        }
        event_loop.after_io(connection);
    }

    /// Collects the events that a paused socket has left, before [`Transport::destroy`].
    pub fn last_read<H: Host<Memory = M>>(&self, event_loop: &EventLoop<H>) {
        let (Some(connection), Some(io)) = (self.active(), event_loop.io()) else { return };
        connection.reclaim(&event_loop.host);
        let mut events = connection.events.borrow_mut();
        if events.is_empty() {
            let mut keys = event_loop.host.masking_keys();
            connection.socket.last_read(&mut io.buffer.borrow_mut(), &mut *keys, &mut events);
        }
    }

    /// Writes collected events of a socket into a batch. Returns the number of records; 0 if there are none.
    pub fn next_batch<H: Host<Memory = M>>(&self, event_loop: &EventLoop<H>) -> u32 {
        let connection = self.active().filter(|connection| !connection.is_delivered());
        connection.map_or(0, |connection| event_loop.write_batch(connection))
    }

    /// Returns a frame that another thread has inflated to the connection of a socket; its events are delivered as any others.
    pub fn finish_inflate_job<H: Host<Memory = M>>(&self, event_loop: &EventLoop<H>, job: InflateJob) {
        let Some(connection) = self.active() else { return };
        connection.socket.finish_inflate_job(job, &mut *event_loop.host.masking_keys());
        event_loop.after_io(connection);
        // The pongs of an I/O thread.
        event_loop.mark_dirty(connection);
    }

    /// Gives the descriptor of a socket back to the host; the transport is one over a stream from then on, whose bytes the caller
    /// carries. All collected events must have been delivered. `None` if there is no socket.
    pub fn hand_back<H: Host<Memory = M>>(&mut self, event_loop: &EventLoop<H>) -> Option<HandedBackEvents> {
        let connection = event_loop.activate(self).map(Rc::clone)?;
        if connection.is_destroyed.get() {
            return None;
        }
        connection.reclaim(&event_loop.host);
        connection.release_in_place(&event_loop.host, &event_loop.arena);
        connection.copy_payloads(&event_loop.host);
        event_loop.stop_polling(&connection);
        let remains = connection.socket.hand_back();
        event_loop.destroy_socket(&connection);
        let Remains { connection, undelivered, bytes_read, awaits_drain } = remains?;
        let SocketEvents { events, drained, shut_down, fault, .. } = undelivered;
        let mut stream = Stream::going_on(connection, events, bytes_read);
        stream.connection.set_auto_pong(false);
        self.set_backend(Backend::Stream(Box::new(stream)));
        Some(HandedBackEvents { drained: drained || awaits_drain, shut_down, fault })
    }

    /// Passes the descriptor of a socket to the host, from which it is borrowed from then on.
    pub fn lend(&mut self, borrowed: Borrowed) {
        match self.backend() {
            Backend::Active(connection) => connection.socket.lend(borrowed),
            Backend::Idle(idle) => idle.lend(borrowed),
            Backend::Stream(_) | Backend::Closed(_) => {}
        }
    }

    /// Drops all that is queued or undelivered, and closes the descriptor. A frame that is being inflated is still received, and the
    /// bytes behind it, as those of a stream: then this must be called again. Returns true if this call has closed the transport.
    pub fn destroy<H: Host<Memory = M>>(&mut self, event_loop: &EventLoop<H>) -> bool {
        let is_inflating = self.stream().is_some_and(|stream| stream.connection.is_inflating());
        if self.is_closed() || is_inflating {
            return false;
        }
        match self.take_backend() {
            Backend::Active(connection) => {
                let inflating = connection.socket.take_inflating();
                event_loop.destroy_socket(&connection);
                if let Some(connection) = inflating {
                    self.set_backend(Backend::Stream(Box::new(Stream::new(connection))));
                    return false;
                }
            }
            Backend::Idle(idle) => event_loop.release(&idle),
            Backend::Stream(_) | Backend::Closed(_) => {}
        }
        true
    }
}
