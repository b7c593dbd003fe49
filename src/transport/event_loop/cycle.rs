//! What the event loop does when sockets that it drives are ready. In stages, because the code of one stage stays in the
//! processor's caches while it runs again and again: some sockets are read, then all of them are delivered, and then
//! their output is written. Where their bytes go: small messages are copied from one buffer, large ones are received into
//! memory that the shim copies them out of (the bulk), and the largest where they stay (see `landing`).

use super::attachment::{Attachment, Chunk};
use super::line::Line;
use crate::addon::environment::Shared;
use crate::addon::raw::with_memory;
use crate::connection::IN_PLACE_FROM;
use crate::transport::event_loop::{self, Ready};
use crate::transport::socket::{RECEIVE_BUFFER, Taken};

/// Sockets that are read, and bytes of them, before they are delivered: enough for the code to stay in the caches, few
/// enough that what was read stays there, too.
const STAGE: usize = 64;
const STAGE_BYTES: usize = 256 * 1024;

/// Where both ends of a connection may be in this process, so few ready sockets are seen to one after the other, each with its
/// output, in the order in which libuv would: what one of them sends, another one may read in the same turn. Elsewhere the
/// order cannot be observed, and stages take less time.
const FEW: usize = 16;

/// What the reactor has told of in one turn.
#[derive(Default)]
pub(super) struct ReadyList {
    list: Vec<(u64, Ready)>,
    /// The turn in which it was told last, and the tokens, if they were few.
    turn: u64,
    last: Vec<u64>,
}

impl ReadyList {
    /// Puts those first that were told in the turn before this, in the order of then, as a poller does that is level-triggered.
    fn order(&mut self, turn: u64) {
        if self.turn + 1 == turn && self.list.len() > 1 {
            let last = &self.last;
            let place = |token: u64| last.iter().position(|known| *known == token).unwrap_or(usize::MAX);
            self.list.sort_by_key(|(token, _)| place(*token));
        }
        self.turn = turn;
        self.last.clear();
        // It would not be told of one that can be written, unless it had asked for that.
        let told = self.list.iter().filter(|(_, state)| state.read || !state.write);
        self.last.extend(told.map(|(token, _)| *token));
    }
}

/// Bytes that a read must have brought for the frame that it ended in to land.
const LANDS_FROM: usize = 16 * 1024;

impl Shared {
    /// The reactor has sockets that are ready.
    pub(super) fn sockets_ready(&self) {
        let Some(reactor) = self.rounds.line().and_then(Line::reactor) else { return };
        // What is known comes before what is read now.
        self.look_again(false);
        self.flush();
        let mut ready = self.rounds.ready.take();
        self.take_due(&mut ready.list);
        reactor.turn(|token, state| ready.list.push((token, state)));
        let is_few = ready.list.len() <= FEW && self.rounds.may_hold_both_ends();
        if is_few {
            ready.order(self.rounds.turn.get());
        }
        let mut stage = self.rounds.stage.take();
        let mut bytes = 0;
        for (token, state) in ready.list.drain(..) {
            if self.rounds.has_ended() || self.arrivals_ready(token) {
                continue;
            }
            let Some(attachment) = self.awake(token, state) else { continue };
            attachment.ready.set(attachment.ready.get().or(state));
            if attachment.is_bulk.get() && !self.bulk.has_room() {
                // Once delivered, what this stage has there is done with.
                self.deliver_all(&mut stage);
                self.flush();
            }
            bytes += self.move_bytes(&attachment);
            stage.push(attachment);
            if is_few || stage.len() >= STAGE || bytes >= STAGE_BYTES {
                bytes = 0;
                self.deliver_all(&mut stage);
                self.flush();
            }
        }
        self.deliver_all(&mut stage);
        self.rounds.stage.set(stage);
        self.rounds.ready.set(ready);
        self.deliver_arrivals();
        self.flush();
    }

    /// Sockets that wait to be read on in this turn are ready like those that the reactor tells of.
    fn take_due(&self, ready: &mut Vec<(u64, Ready)>) {
        let turn = self.rounds.turn.get();
        self.rounds.waiting.borrow_mut().retain(|attachment| {
            let is_due = attachment.is_due(turn, true);
            if is_due {
                attachment.waiting.set(false);
                attachment.tell_end(turn);
                ready.push((attachment.socket.token(), Ready::default()));
            }
            !is_due
        });
    }

    /// Reads and writes what can and may be read and written, if the loop drives. Returns how many bytes were read.
    pub(super) fn move_bytes(&self, attachment: &Attachment) -> usize {
        if attachment.on_thread.get() || self.rounds.has_ended() {
            return 0;
        }
        let socket = &attachment.socket;
        let Ready { mut read, ended, hung_up, write } = attachment.ready.get();
        let mut standing = attachment.standing.get();
        if write && standing.write {
            standing = event_loop::write(socket);
            // A listener's send looks at it: what writability has brought out is not to wait for writability again.
            attachment.standing.set(standing);
        }
        let mut bytes = 0;
        if read {
            let taken = if standing.read {
                self.read(attachment, ended)
            } else if standing.ahead && ended {
                self.read_ahead(attachment)
            } else {
                None
            };
            if let Some(taken) = taken {
                (read, bytes) = (taken.more, taken.bytes);
            }
        }
        // Writability is told anew whenever the kernel has refused bytes. And where there is nothing to read there was no end: it
        // was that of a socket that had this token before.
        attachment.ready.set(Ready { read, ended: ended && read, hung_up: hung_up && ended, write: false });
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

    fn read_ahead(&self, attachment: &Attachment) -> Option<Taken> {
        self.give_back(attachment);
        let (mut buffer, mut keys) = (self.rounds.line()?.buffer.borrow_mut(), self.keys.borrow_mut());
        Some(event_loop::read_ahead(&attachment.socket, &mut buffer, &mut *keys))
    }

    fn read_chunk(&self, attachment: &Attachment, ended: bool, is_free: bool) -> Option<Taken> {
        let (socket, mut keys) = (&attachment.socket, self.keys.borrow_mut());
        if attachment.is_bulk.get() && is_free && self.bulk.has_room() {
            let (taken, start) = self.bulk.add_chunk(RECEIVE_BUFFER, |chunk| {
                let taken = event_loop::read_in_place(socket, ended, chunk, &mut *keys);
                (taken, taken.bytes)
            });
            attachment.chunk.replace(Some(Chunk::Bulk(start)));
            return Some(taken);
        }
        let mut buffer = self.rounds.line()?.buffer.borrow_mut();
        Some(event_loop::read(socket, ended, &mut buffer, &mut *keys))
    }

    /// After a delivery: what was received in place and not delivered is copied, for the bulk is used again.
    pub(super) fn leave_chunk(&self, attachment: &Attachment) {
        let Some(chunk) = attachment.chunk.take() else { return };
        let leave = |bytes: &[u8]| {
            attachment.inbox.borrow_mut().events.leave_chunk(bytes);
            attachment.socket.leave_chunk(bytes);
        };
        match chunk {
            // An error says that the environment is ending: nothing is delivered any more.
            Chunk::Landed(memory) => drop(with_memory(self.env, &memory, |bytes| leave(bytes))),
            Chunk::Bulk(start) => {
                self.bulk.with_chunk(start, leave);
                self.bulk.release();
            }
        }
    }
}
