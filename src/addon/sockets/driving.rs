//! Who drives a socket: taking it over, seeing to what it needs while the event loop drives it, and moving it when the policy
//! says so. What the loop does when sockets are ready is in `stages`.

use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Error, Result};

use super::attachment::Attachment;
use super::line::Line;
use super::resting::Resting;
use crate::addon::channel::{Link, Offer, Source};
use crate::addon::environment::Shared;
use crate::addon::sys::borrow_fd;
use crate::connection::{Config, Connection};
use crate::transport::event_loop::{self, Ready};
use crate::transport::scheduler::{Migration, TransportMode};
use crate::transport::socket::{Home, Idle, Socket, Standing};

impl Shared {
    /// Takes a socket over, for a connection that nothing was read for but the head.
    ///
    /// # Errors
    /// Where that can't be: no handle, no descriptor, no thread. Nothing has changed then with one that Node has parked, and one
    /// that was held is closed.
    pub(in crate::addon) fn attach(self: &Rc<Self>, config: &Arc<Config>, offer: &Offer<'_>) -> Result<Link> {
        if self.rounds.has_ended() {
            return Err(Error::from_reason("the environment is ending"));
        }
        let line = self.line()?;
        let choice = if line.reactor().is_some() { offer.choice } else { TransportMode::IoThreads };
        let token = u64::from(offer.id);
        let (home, is_watched, rest) = self.home(offer.source)?;
        self.rounds.note_role(config.role, &home);
        // A descriptor that can't be polled here may still be one for a thread.
        let is_polled = choice != TransportMode::IoThreads && self.poll(&home, token, is_watched);
        if is_polled && offer.head.is_empty() && rest.is_empty() {
            return Ok(Link::Resting(Resting::new(Idle::new(home), token, choice)));
        }
        if is_watched
            && !is_polled
            && let Some(reactor) = line.reactor()
        {
            reactor.forget(&home);
        }
        let mut connection = Connection::new(Arc::clone(config));
        connection.write_raw(rest);
        let mut keys = self.keys.borrow_mut();
        let socket = Socket::new(
            home.into(),
            connection,
            offer.head,
            &mut *keys,
            &line.mailbox,
            token,
            config.auto_pong,
        );
        drop(keys);
        if !is_polled {
            socket.move_to_thread().map_err(|error| Error::from_reason(error.to_string()))?;
        }
        let attachment = Rc::new(Attachment::new(socket, choice));
        attachment.on_thread.set(!is_polled);
        self.rounds.add(&attachment);
        if rest.is_empty() {
            self.settle(&attachment);
        } else {
            // It waits until the kernel takes more.
            self.flush_one(&attachment);
        }
        Ok(Link::Socket(attachment))
    }

    /// The descriptor of a socket that is to be taken over, whether the reactor knows it, and what the kernel has not taken of
    /// what was to be written first.
    fn home<'a>(&self, source: Source<'a>) -> Result<(Home, bool, &'a [u8])> {
        match source {
            Source::Parked(fd) => {
                let borrowed = borrow_fd(fd).map_err(|error| Error::from_reason(error.to_string()))?;
                Ok((Home::Borrowed(borrowed), false, &[]))
            }
            Source::Held { number, response } => {
                let held = self.rounds.with_arrivals(|arrivals, _| arrivals.take(number)).flatten();
                let Some((socket, is_watched)) = held else {
                    return Err(Error::from_reason("no such connection"));
                };
                let home = Home::Owned(socket);
                let rest = home.begin(response);
                Ok((home, is_watched, rest))
            }
        }
    }

    /// Puts a descriptor on the reactor, which may know it.
    fn poll(&self, home: &impl AsRawFd, token: u64, is_watched: bool) -> bool {
        let Some(reactor) = self.rounds.line().and_then(Line::reactor) else { return false };
        let polled = if is_watched { reactor.take_over(home, token) } else { reactor.add_home(home, token) };
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
        let ready = attachment.ready.get();
        let is_unread = ready.read && (standing.read || (standing.ahead && ready.ended));
        if standing.news || is_unread {
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
        let moved = self.rounds.scheduler.borrow_mut().on_delivery(
            attachment.choice,
            on_thread,
            &mut traffic,
            events,
        );
        attachment.traffic.set(traffic);
        match moved {
            // Where that can't be now, it stays.
            Some(Migration::ToIoThread) => {
                self.give_back(attachment);
                if let Some(reactor) = self.rounds.line().and_then(Line::reactor)
                    && attachment.socket.move_to_thread().is_ok()
                {
                    reactor.remove(&attachment.socket);
                    attachment.on_thread.set(true);
                }
            }
            Some(Migration::ToEventLoop) => {
                attachment.ready.set(Ready::default());
                let reactor = self.rounds.line().and_then(Line::reactor);
                if reactor.is_some_and(|reactor| reactor.add(&attachment.socket).is_ok()) {
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
