//! The class that the shim has for a listening socket. Arguments and results only; how what arrives reaches JavaScript is in
//! `arriving`.

use std::cell::Cell;
use std::net::SocketAddr;
use std::os::fd::IntoRawFd;
use std::rc::Rc;

use napi::bindgen_prelude::Unknown;
use napi::{Error, JsValue, Result};
use napi_derive::napi;

use super::accept::Server;
use super::uv_handles;
use crate::addon::address::SocketAddress;
use crate::addon::environment::Environment;
use crate::addon::host::NodeHost;
use crate::addon::sys::{Reference, duplicate_fd};
use crate::transport::event_loop::EventLoop;
use crate::transport::listener::{Listeners, ListeningSocket, PendingOnClose};

/// What to listen on, and how.
#[napi(object)]
pub struct ListenOptions {
    /// Descriptor of a socket that is bound. It is duplicated; the caller keeps it.
    pub fd: i32,
    /// Connections that the system may hold before they are accepted.
    pub backlog: i32,
    /// Bytes that the head of a request may have; at most 16 KiB count.
    pub max_header_size: u32,
}

/// A listening socket of the event loop, with the connections that came by it until somebody takes them. These have numbers.
#[napi]
pub struct Listener {
    event_loop: Rc<EventLoop<NodeHost>>,
    /// That of the listening socket, while there is one.
    number: Cell<Option<u32>>,
    is_referenced: Cell<bool>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end(PendingOnClose::Discard);
    }
}

#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
impl Listener {
    /// One that does not listen yet.
    #[napi(constructor, catch_unwind)]
    pub fn new(environment: &Environment) -> Self {
        let event_loop = Rc::clone(&environment.context.event_loop);
        Self { event_loop, number: Cell::new(None), is_referenced: Cell::new(true) }
    }

    /// Listens. From then on, `arrived(owner, number, head, detail, rest)` is called for each connection that has said what it
    /// wants, in a callback scope of its own and in no async context:
    ///
    /// * It wants an upgrade to WebSocket, and Node would say so, too: `head` is the request, a character a byte, `detail` the
    ///   number of its header fields. Where these are, is in the first records of [`Environment::records`] until the function
    ///   returns: start and end of the name, start and end of the value.
    /// * Anything else: `head` is `undefined`, and `detail` 1. It is 2 if the peer has ended in the middle of its request, 3 if
    ///   it took too long (see `check`), 4 if the listening socket was closed meanwhile (see `close`).
    ///
    /// `rest` has what was read and is not in `head`. The connection is held, and not read, until `adopt` of `Functions`, `release`
    /// or `discard` takes it.
    ///
    /// `takesAll(owner)` is asked before connections are accepted: if it says `true`, `arrived` is told of them at once, with what
    /// they want unread. It must call nothing of this class but `close`.
    ///
    /// Returns 0, or the number of libuv for the error of the system. A socket that listens already gets the new backlog, and
    /// nothing else changes. Throws where event loops can't listen (`listens()`).
    #[napi(catch_unwind)]
    pub fn listen(
        &self,
        options: ListenOptions,
        #[napi(ts_arg_type = "object")] owner: Unknown<'_>,
        #[napi(
            ts_arg_type = "(owner: any, number: number, head: string | undefined, detail: number, rest: Buffer | undefined) => void"
        )]
        arrived: Unknown<'_>,
        #[napi(ts_arg_type = "(owner: any) => boolean")] takes_all: Unknown<'_>,
    ) -> Result<i32> {
        uv_handles::start(&self.event_loop)?;
        let ended = || Error::from_reason("the event loop can't listen");
        let started = if let Some(number) = self.number.get() {
            let set = |listeners: &mut Listeners<Rc<Server>>| listeners.set_backlog(number, options.backlog);
            self.event_loop.with_acceptors(|listeners, _| set(listeners)).ok_or_else(ended)?.map(|()| None)
        } else {
            duplicate_fd(options.fd)
                .and_then(|fd| ListeningSocket::start(fd.into(), options.backlog))
                .map(Some)
        };
        let listening = match started {
            Ok(Some(listening)) => listening,
            Ok(None) => return Ok(0),
            Err(error) => return Ok(-error.raw_os_error().unwrap_or(libc::EINVAL)),
        };
        let env = self.event_loop.host().env;
        let server = Rc::new(Server {
            owner: Reference::new(env, owner.raw())?,
            arrived: Reference::new(env, arrived.raw())?,
            takes_all: Reference::new(env, takes_all.raw())?,
        });
        let limit = options.max_header_size as usize;
        let number = self
            .event_loop
            .with_acceptors(|listeners, turn| listeners.listen(turn.poller, listening, server, limit))
            .ok_or_else(ended)?
            .map_err(|error| Error::from_reason(error.to_string()))?;
        self.number.set(Some(number));
        if self.is_referenced.get() {
            self.event_loop.set_ref(true);
        }
        Ok(0)
    }

    /// Where it listens; `null` if that is no address of TCP, or it does not listen.
    #[napi(catch_unwind)]
    pub fn address(&self) -> Option<SocketAddress> {
        let number = self.number.get()?;
        self.event_loop.with_acceptors(|listeners, _| listeners.local_addr(number))?.map(SocketAddress::from)
    }

    /// Listens no longer. Connections that have not said what they want are closed, or `arrived` is told of them later if
    /// `putAside` is true. Those that are held stay. Returns of how many it will be told.
    #[napi(catch_unwind)]
    pub fn close(&self, put_aside: bool) -> u32 {
        self.end(if put_aside { PendingOnClose::FallBack } else { PendingOnClose::Discard }) as u32
    }

    /// Closes the connections that have not said what they want.
    #[napi(catch_unwind)]
    pub fn close_pending(&self) {
        if let Some(number) = self.number.get() {
            self.event_loop.with_acceptors(|listeners, _| listeners.discard_pending(number));
        }
    }

    /// The connections that have not sent anything.
    #[napi(catch_unwind)]
    pub fn silent(&self) -> Vec<u32> {
        let silent = |number| self.event_loop.with_acceptors(|listeners, _| listeners.without_input(number));
        self.number.get().and_then(silent).unwrap_or_default()
    }

    /// To be called at intervals: `arrived` is told later of connections that have not said what they want within `limit`
    /// milliseconds. And what the system did not let be accepted is tried again.
    #[napi(catch_unwind)]
    pub fn check(&self, limit: u32) {
        let check = |number| {
            self.event_loop.with_acceptors(|listeners, turn| {
                listeners.check_timeouts(number, turn.now, limit, turn.accepted);
            })
        };
        let _ = self.number.get().and_then(check);
    }

    /// How many connections have not said what they want.
    #[napi(catch_unwind)]
    pub fn pending_count(&self) -> u32 {
        let count = |number| self.event_loop.with_acceptors(|listeners, _| listeners.pending_count(number));
        self.number.get().and_then(count).unwrap_or_default() as u32
    }

    /// Gives a connection away: its descriptor, which the caller must close from now on. -1: there is no such connection.
    #[napi(catch_unwind)]
    pub fn release(&self, number: u32) -> i32 {
        let released =
            self.event_loop.with_acceptors(|listeners, turn| listeners.release(turn.poller, number));
        released.flatten().map_or(-1, IntoRawFd::into_raw_fd)
    }

    /// Whether a connection that is held can be read, or will be: its peer has not ended, and it has not failed.
    #[napi(catch_unwind)]
    pub fn is_open(&self, number: u32) -> bool {
        self.event_loop.with_acceptors(|listeners, _| listeners.is_open(number)).unwrap_or_default()
    }

    /// Closes a connection.
    #[napi(catch_unwind)]
    pub fn discard(&self, number: u32) {
        self.event_loop.with_acceptors(|listeners, _| listeners.discard(number));
    }

    /// This end of a connection; `null` if it is not over TCP, or nobody's any more.
    #[napi(catch_unwind)]
    pub fn local_address(&self, number: u32) -> Option<SocketAddress> {
        self.ends(number).0.map(SocketAddress::from)
    }

    /// The other end of a connection; `null` as for `localAddress`, or if it is not connected any more.
    #[napi(catch_unwind)]
    pub fn remote_address(&self, number: u32) -> Option<SocketAddress> {
        self.ends(number).1.map(SocketAddress::from)
    }

    /// Keeps the event loop alive while it listens, which it does at first, too.
    #[napi(js_name = "ref", catch_unwind)]
    pub fn keep(&self) {
        self.set_referenced(true);
    }

    /// Lets the event loop end while it listens.
    #[napi(catch_unwind)]
    pub fn unref(&self) {
        self.set_referenced(false);
    }
}

impl Listener {
    fn end(&self, closing: PendingOnClose) -> usize {
        let Some(number) = self.number.take() else { return 0 };
        let event_loop = &self.event_loop;
        let aside =
            event_loop.with_acceptors(|listeners, turn| listeners.close(number, closing, turn.accepted));
        if self.is_referenced.get() {
            event_loop.set_ref(false);
        }
        aside.unwrap_or_default()
    }

    fn set_referenced(&self, is_referenced: bool) {
        if self.is_referenced.replace(is_referenced) != is_referenced && self.number.get().is_some() {
            self.event_loop.set_ref(is_referenced);
        }
    }

    fn ends(&self, number: u32) -> (Option<SocketAddr>, Option<SocketAddr>) {
        self.event_loop
            .with_acceptors(|listeners, _| listeners.local_and_peer_addr(number))
            .unwrap_or_default()
    }
}
