//! Who drives a socket: taking it over, what its own event loop does for it, and moving it when the policy says so.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use napi::{Error, Result, sys};

use super::attachment::{Attachment, Chunk};
use super::batch::Parts;
use super::environment::Shared;
use super::line::Line;
use super::raw::{AsyncContext, Reference, borrow, with_memory};
use super::slab::ALIGNMENT;
use crate::connection::{Config, Connection, IN_PLACE_FROM};
use crate::transport::event_loop::{self, Ready};
use crate::transport::policy::{Choice, Move, Traffic};
use crate::transport::socket::{RECEIVE_BUFFER, Socket, Standing, Taken};

/// Sockets that are read, and bytes of them, before they are delivered: enough for the code to stay in the caches, few
/// enough that what was read stays there, too.
const STAGE: usize = 64;
const STAGE_BYTES: usize = 256 * 1024;

/// Bytes that a read must have brought for the frame that it ended in to land.
const LANDS_FROM: usize = 16 * 1024;

/// Room that must be left in the bulk for a read into it.
const BULK_READ: usize = 32 * 1024;

/// What [`Shared::attach`] takes over.
pub(super) struct Parked<'a> {
    /// The descriptor of a socket that Node has parked.
    pub(super) fd: i32,
    /// What Node had read from it.
    pub(super) head: &'a [u8],
    /// What `deliver` gets.
    pub(super) owner: sys::napi_value,
    /// The resource of the async context, which is the current one.
    pub(super) resource: sys::napi_value,
    pub(super) choice: Choice,
}

impl Shared {
    /// Takes a parked socket over, for a connection that nothing was read for but the head.
    ///
    /// # Errors
    /// Where that can't be: no handle, no descriptor, no thread. Nothing has changed then.
    pub(super) fn attach(
        self: &Rc<Self>,
        config: Config,
        parked: &Parked<'_>,
        parts: &Rc<RefCell<Parts>>,
    ) -> Result<Rc<Attachment>> {
        if self.rounds.has_ended() {
            return Err(Error::from_reason("the environment is ending"));
        }
        let line = self.line()?;
        let choice = if line.reactor().is_some() { parked.choice } else { Choice::IoThreads };
        let owner = Reference::new(self.env, parked.owner)?;
        let context = AsyncContext::new(self.env, parked.resource)?;
        let fd = borrow(parked.fd).map_err(|error| Error::from_reason(error.to_string()))?;
        let socket = Socket::new(
            fd,
            Connection::new(config),
            parked.head,
            &mut *self.keys.borrow_mut(),
            &line.mailbox,
            self.rounds.next_token(),
            config.auto_pong,
        );
        let attachment = Rc::new(Attachment {
            socket,
            owner,
            context,
            parts: Rc::clone(parts),
            inbox: RefCell::default(),
            dirty: Cell::new(false),
            on_thread: Cell::new(false),
            ready: Cell::default(),
            standing: Cell::default(),
            is_bulk: Cell::new(false),
            chunk: RefCell::default(),
            landing: RefCell::default(),
            waiting: Cell::new(false),
            choice,
            traffic: Cell::new(Traffic::default()),
            detached: Cell::new(false),
        });
        // A descriptor that can't be polled here may still be one for a thread.
        if choice == Choice::IoThreads || !self.poll(&attachment) {
            attachment.socket.move_to_thread().map_err(|error| Error::from_reason(error.to_string()))?;
            attachment.on_thread.set(true);
        }
        self.rounds.add(&attachment);
        self.settle(&attachment);
        Ok(attachment)
    }

    /// Puts the socket on the reactor.
    fn poll(&self, attachment: &Attachment) -> bool {
        let reactor = self.rounds.line().and_then(Line::reactor);
        reactor.is_some_and(|reactor| reactor.add(&attachment.socket).is_ok())
    }

    /// The reactor has sockets that are ready. In stages, because the code of one stage stays in the processor's caches
    /// while it runs again and again: all are read, then all are delivered, and then the output of all is written.
    pub(super) fn sockets_ready(&self) {
        let Some(reactor) = self.rounds.line().and_then(Line::reactor) else { return };
        let mut stage = self.rounds.spare.take();
        let mut bytes = 0;
        reactor.turn(|token, ready| {
            let Some(attachment) = self.rounds.get(token) else { return };
            attachment.ready.set(attachment.ready.get().or(ready));
            if attachment.is_bulk.get() && self.bulk.borrow().room() < BULK_READ {
                // What this stage has in the old one must be delivered first.
                self.deliver_all(&mut stage);
                self.flush();
                // Without memory, the old way of reading goes on.
                let _ = self.bulk.borrow_mut().renew(self.env);
            }
            bytes += self.move_bytes(&attachment);
            stage.push(attachment);
            if stage.len() >= STAGE || bytes >= STAGE_BYTES {
                bytes = 0;
                self.deliver_all(&mut stage);
                self.flush();
            }
        });
        self.deliver_all(&mut stage);
        self.rounds.spare.set(stage);
        self.flush();
    }

    /// Reads and writes what can and may be read and written, if the loop drives. Returns how many bytes were read.
    pub(super) fn move_bytes(&self, attachment: &Attachment) -> usize {
        if attachment.on_thread.get() {
            return 0;
        }
        let socket = &attachment.socket;
        let Ready { mut read, ended, write } = attachment.ready.get();
        let mut standing = attachment.standing.get();
        if write && standing.write {
            standing = event_loop::write(socket);
        }
        let mut bytes = 0;
        if read
            && standing.read
            && let Some(taken) = self.read(attachment, ended)
        {
            (read, bytes) = (taken.more, taken.bytes);
        }
        // Writability is told anew whenever the kernel has refused bytes. And where there is nothing to read there was no end: it
        // was that of a socket that had this token before.
        attachment.ready.set(Ready { read, ended: ended && read, write: false });
        bytes
    }

    fn read(&self, attachment: &Attachment, ended: bool) -> Option<Taken> {
        // What was not delivered yet keeps its memory.
        let is_free = attachment.chunk.borrow().is_none();
        if is_free && let Some(taken) = self.read_landing(attachment, ended) {
            return Some(taken);
        }
        self.give_back(attachment);
        let taken = self.read_chunk(attachment, ended, is_free)?;
        attachment.is_bulk.set(taken.is_whole && taken.bytes >= IN_PLACE_FROM);
        if taken.bytes >= LANDS_FROM && !taken.is_whole {
            self.borrow_frame(attachment);
        }
        Some(taken)
    }

    fn read_chunk(&self, attachment: &Attachment, ended: bool, is_free: bool) -> Option<Taken> {
        let (socket, mut keys) = (&attachment.socket, self.keys.borrow_mut());
        let mut bulk = self.bulk.borrow_mut();
        if attachment.is_bulk.get() && is_free && bulk.room() >= BULK_READ {
            let taken = bulk.fill(self.env, |memory, used| {
                let Some(chunk) = memory.get_mut(used..) else { return (None, used) };
                let length = RECEIVE_BUFFER.min(chunk.len());
                let chunk = &mut chunk[..length];
                let taken = event_loop::read_in_place(socket, ended, chunk, &mut *keys);
                attachment.chunk.replace(Some(Chunk::Bulk(used)));
                (Some(taken), (used + taken.bytes).next_multiple_of(ALIGNMENT))
            });
            if let Ok(Some(taken)) = taken {
                return Some(taken);
            }
        }
        let mut buffer = self.rounds.line()?.buffer.borrow_mut();
        Some(event_loop::read(socket, ended, &mut buffer, &mut *keys))
    }

    /// After a delivery: what was received in place and not delivered is copied, for the bulk may be another one soon.
    pub(super) fn leave_chunk(&self, attachment: &Attachment) {
        let Some(chunk) = attachment.chunk.take() else { return };
        let leave = |bytes: &[u8]| {
            attachment.inbox.borrow_mut().events.leave_chunk(bytes);
            attachment.socket.leave_chunk(bytes);
        };
        // An error says that the environment is ending: nothing is delivered any more.
        let _ = match chunk {
            Chunk::Landed(memory) => with_memory(self.env, &memory, |bytes| leave(bytes)),
            Chunk::Bulk(start) => self.bulk.borrow_mut().fill(self.env, |memory, used| {
                leave(memory.get(start..).unwrap_or_default());
                ((), used)
            }),
        };
    }

    /// Has the output of one connection written: now where the loop drives, soon where a thread does.
    pub(super) fn flush_one(&self, attachment: &Rc<Attachment>) {
        attachment.dirty.set(false);
        if attachment.on_thread.get() {
            attachment.socket.flush();
        } else if !attachment.standing.get().write {
            // What the kernel has refused waits until it takes more.
            self.see_to(attachment, event_loop::write(&attachment.socket));
        }
    }

    /// Sees to what a socket needs that the loop drives, after anything was done with it: another look at the end of the
    /// turn if there is news, or something to read that may now be read. Where a thread drives, that sees to it.
    pub(super) fn settle(&self, attachment: &Rc<Attachment>) {
        if !attachment.on_thread.get() {
            self.see_to(attachment, attachment.socket.standing());
        }
    }

    /// The same with a standing that is known already.
    fn see_to(&self, attachment: &Rc<Attachment>, standing: Standing) {
        attachment.standing.set(standing);
        if standing.news || (standing.read && attachment.ready.get().read) {
            self.rounds.mark_waiting(attachment);
        }
    }

    /// A delivery brought `events` events: asks the policy, and moves the socket if it says so.
    pub(super) fn consider(&self, attachment: &Rc<Attachment>, events: u32) {
        if attachment.detached.get() {
            return;
        }
        let mut traffic = attachment.traffic.get();
        let on_thread = attachment.on_thread.get();
        let moved =
            self.rounds.policy.borrow_mut().delivered(attachment.choice, on_thread, &mut traffic, events);
        attachment.traffic.set(traffic);
        match moved {
            // Where that can't be now, it stays.
            Some(Move::ToThread) => {
                self.give_back(attachment);
                if let Some(reactor) = self.rounds.line().and_then(Line::reactor)
                    && attachment.socket.move_to_thread().is_ok()
                {
                    reactor.remove(&attachment.socket);
                    attachment.on_thread.set(true);
                }
            }
            Some(Move::ToOwner) => {
                attachment.ready.set(Ready::default());
                if self.poll(attachment) {
                    attachment.socket.move_to_owner();
                    attachment.on_thread.set(false);
                    attachment.standing.set(Standing::default());
                    self.flush_one(attachment);
                }
            }
            None => {}
        }
    }
}
