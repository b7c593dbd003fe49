//! Who drives a socket: taking it over, seeing to what it needs while the event loop drives it, and moving it when the policy
//! says so. What the loop does when sockets are ready is in `stages`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use napi::{Error, Result};

use super::attachment::Attachment;
use super::line::Line;
use crate::addon::batch::Parts;
use crate::addon::channel::{Offer, Source};
use crate::addon::environment::Shared;
use crate::addon::raw::borrow;
use crate::connection::{Config, Connection};
use crate::transport::event_loop::{self, Ready};
use crate::transport::policy::{Choice, Move, Traffic};
use crate::transport::socket::{Descriptor, Socket, Standing};

impl Shared {
    /// Takes a socket over, for a connection that nothing was read for but the head.
    ///
    /// # Errors
    /// Where that can't be: no handle, no descriptor, no thread. Nothing has changed then with one that Node has parked, and one
    /// that was held is closed.
    pub(in crate::addon) fn attach(
        self: &Rc<Self>,
        config: Config,
        offer: &Offer<'_>,
        parts: &Rc<RefCell<Parts>>,
    ) -> Result<Rc<Attachment>> {
        if self.rounds.has_ended() {
            return Err(Error::from_reason("the environment is ending"));
        }
        let line = self.line()?;
        let choice = if line.reactor().is_some() { offer.choice } else { Choice::IoThreads };
        let may_pong = config.auto_pong;
        let (fd, is_watched, rest) = self.descriptor(offer.source)?;
        let mut connection = Connection::new(config);
        connection.write_raw(rest);
        let socket = Socket::new(
            fd,
            connection,
            offer.head,
            &mut *self.keys.borrow_mut(),
            &line.mailbox,
            self.rounds.next_token(),
            may_pong,
        );
        let attachment = Rc::new(Attachment {
            socket,
            id: offer.id,
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
        if choice == Choice::IoThreads || !self.poll(&attachment, is_watched) {
            if is_watched && let Some(reactor) = line.reactor() {
                reactor.remove(&attachment.socket);
            }
            attachment.socket.move_to_thread().map_err(|error| Error::from_reason(error.to_string()))?;
            attachment.on_thread.set(true);
        }
        self.rounds.add(&attachment);
        if rest.is_empty() {
            self.settle(&attachment);
        } else {
            // It waits until the kernel takes more.
            self.flush_one(&attachment);
        }
        Ok(attachment)
    }

    /// The descriptor of a socket that is to be taken over, whether the reactor knows it, and what the kernel has not taken of
    /// what was to be written first.
    fn descriptor<'a>(&self, source: Source<'a>) -> Result<(Descriptor, bool, &'a [u8])> {
        match source {
            Source::Parked(fd) => {
                let fd = borrow(fd).map_err(|error| Error::from_reason(error.to_string()))?;
                Ok((fd, false, &[]))
            }
            Source::Held { number, response } => {
                let held = self.rounds.with_arrivals(|arrivals, _| arrivals.take(number)).flatten();
                let Some((socket, is_watched)) = held else {
                    return Err(Error::from_reason("no such connection"));
                };
                let fd = Descriptor::Owned(Arc::new(socket));
                let rest = fd.begin(response);
                Ok((fd, is_watched, rest))
            }
        }
    }

    /// Puts the socket on the reactor, which may know its descriptor.
    fn poll(&self, attachment: &Attachment, is_watched: bool) -> bool {
        let Some(reactor) = self.rounds.line().and_then(Line::reactor) else { return false };
        let socket = &attachment.socket;
        let polled = if is_watched { reactor.take_over(socket) } else { reactor.add(socket) };
        polled.is_ok()
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
                if self.poll(attachment, false) {
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
