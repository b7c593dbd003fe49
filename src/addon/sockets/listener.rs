//! The class for a listening socket: arguments and results only. Accepted connections reach JavaScript by `accept`.

use std::net::SocketAddr;
use std::os::fd::IntoRawFd;
use std::rc::Rc;

use napi::bindgen_prelude::Unknown;
use napi::{JsValue, Result};
use napi_derive::napi;

use super::accept::Server;
use super::host::start;
use crate::addon::codec::SocketAddress;
use crate::addon::environment::Environment;
use crate::addon::host::NodeHost;
use crate::addon::sys::{Reference, duplicate_fd, failed};
use crate::transport::event_loop::ListenerHandle;
use crate::transport::listener::{ListeningSocket, PendingOnClose};

/// Options of [`Listener::listen`].
#[napi(object)]
pub struct ListenOptions {
    /// Descriptor of a bound socket. It is duplicated; the caller keeps it.
    pub fd: i32,
    /// Connections that the system holds before they are accepted.
    pub backlog: i32,
    /// Most bytes of a request's head; at most 16 KiB count.
    pub max_header_size: u32,
}

/// A listening socket of the event loop, and the connections accepted by it that have not been taken. These have
/// numbers.
#[napi]
pub struct Listener(ListenerHandle<NodeHost>);

#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
impl Listener {
    /// A socket that does not listen yet.
    #[napi(constructor, catch_unwind)]
    pub fn new(environment: &Environment) -> Self {
        Self(ListenerHandle::new(Rc::clone(&environment.context.event_loop)))
    }

    /// Listens. From then on, `arrived(owner, number, head, detail, rest)` is called for each accepted connection
    /// whose request is known, in a callback scope of its own and in no async context:
    ///
    /// * An upgrade to WebSocket, also by Node's rules: `head` is the request, one character per byte, `detail` the
    ///   number of its header fields. Until the function returns, the first records of [`Environment::records`] have
    ///   their positions: start and end of the name, start and end of the value.
    /// * Anything else: `head` is `undefined`, and `detail` is 1; 2 if the peer has ended within its request, 3 if it
    ///   took too long (see `check`), 4 if the listening socket was closed meanwhile (see `close`), 5 if an earlier request was
    ///   answered (see `answer`).
    ///
    /// `rest` has the bytes that were read and are not in `head`. The connection is not read until `adopt` of
    /// `Functions`, `release` or `discard` takes it.
    ///
    /// `takesAll(owner)` is called before connections are accepted: if it returns `true`, they are passed to
    /// `arrived` at once, without reading a request. It must call no method of this class but `close`.
    ///
    /// Returns 0, or libuv's number for the system's error. A socket that listens already only gets the new backlog.
    /// Throws where event loops cannot listen (`listens()`).
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
        start(self.0.event_loop())?;
        let env = self.0.event_loop().host().env;
        let changed = self.0.with(|listeners, _, number| listeners.set_backlog(number, options.backlog));
        let opened = match changed {
            Some(changed) => changed.map(|()| None),
            None => duplicate_fd(options.fd)
                .and_then(|fd| ListeningSocket::start(fd.into(), options.backlog))
                .map(Some),
        };
        let socket = match opened {
            Ok(Some(socket)) => socket,
            Ok(None) => return Ok(0),
            Err(error) => return Ok(-error.raw_os_error().unwrap_or(libc::EINVAL)),
        };
        let server = Rc::new(Server {
            owner: Reference::new(env, owner.raw())?,
            arrived: Reference::new(env, arrived.raw())?,
            takes_all: Reference::new(env, takes_all.raw())?,
        });
        self.0.listen(socket, server, options.max_header_size as usize).map_err(failed)?;
        Ok(0)
    }

    /// The address it listens on; `null` if it is no TCP address, or it does not listen.
    #[napi(catch_unwind)]
    pub fn address(&self) -> Option<SocketAddress> {
        self.0.with(|listeners, _, number| listeners.local_addr(number)).flatten().map(SocketAddress::from)
    }

    /// Stops listening. Connections whose request is not known are closed, or passed to `arrived` later if `putAside`
    /// is true. Those that were passed stay. Returns the number to be passed.
    #[napi(catch_unwind)]
    pub fn close(&self, put_aside: bool) -> u32 {
        self.0.close(if put_aside { PendingOnClose::FallBack } else { PendingOnClose::Discard }) as u32
    }

    /// Closes the connections whose request is not known.
    #[napi(catch_unwind)]
    pub fn close_pending(&self) {
        self.0.with(|listeners, _, number| listeners.discard_pending(number));
    }

    /// The connections that have not sent anything.
    #[napi(catch_unwind)]
    pub fn silent(&self) -> Vec<u32> {
        self.0.with(|listeners, _, number| listeners.without_input(number)).unwrap_or_default()
    }

    /// The connections that have not sent anything since their last response.
    #[napi(catch_unwind)]
    pub fn kept(&self) -> Vec<u32> {
        self.0.with(|listeners, _, number| listeners.kept_without_input(number)).unwrap_or_default()
    }

    /// Called at intervals: passes connections to `arrived` later whose request is not known after `limit`
    /// milliseconds, and tries to accept again after the system has refused to.
    #[napi(catch_unwind)]
    pub fn check(&self, limit: u32) {
        self.0
            .with(|listeners, turn, number| listeners.check_timeouts(number, turn.now, limit, turn.accepted));
    }

    /// Number of connections whose request is not known.
    #[napi(catch_unwind)]
    pub fn pending_count(&self) -> u32 {
        self.0.with(|listeners, _, number| listeners.pending_count(number)).unwrap_or_default() as u32
    }

    /// Gives up a connection: returns its descriptor, which the caller must close. -1 if there is no such connection.
    #[napi(catch_unwind)]
    pub fn release(&self, number: u32) -> i32 {
        let released =
            self.0.event_loop().with_acceptors(|listeners, turn| listeners.release(turn.poller, number));
        released.flatten().map_or(-1, IntoRawFd::into_raw_fd)
    }

    /// Writes a response to a connection that was passed to `arrived`, and then closes it; with `keep`, it is passed to `arrived` again
    /// with its next bytes (`detail` 5), unless `closeKept` closes it before. Returns the number of bytes written: if it is less than
    /// all, the connection is as before. `null` if there is no such connection, or it does not listen any more.
    #[napi(catch_unwind)]
    pub fn answer(&self, number: u32, response: &[u8], keep: bool) -> Option<u32> {
        let written =
            self.0.with(|listeners, turn, listener| listeners.answer(number, listener, response, keep, turn));
        written.flatten().map(|written| written as u32)
    }

    /// Writes bytes to a connection that was passed to `arrived`. Returns the number of bytes written; `null` if there is no such
    /// connection, or it has failed.
    #[napi(catch_unwind)]
    pub fn write(&self, number: u32, bytes: &[u8]) -> Option<u32> {
        let written = self.0.event_loop().with_acceptors(|listeners, _| listeners.write(number, bytes))?;
        written.map(|written| written as u32)
    }

    /// Closes the connections that have been silent for `limit` milliseconds since the response they were kept after. Returns the
    /// milliseconds until the next one is due; `null` if no other is kept.
    #[napi(catch_unwind)]
    pub fn close_kept(&self, limit: u32) -> Option<u32> {
        self.0.with(|listeners, turn, number| listeners.close_kept(number, turn.now, limit)).flatten()
    }

    /// True if a connection can be read, now or later: its peer has not ended, and it has not failed.
    #[napi(catch_unwind)]
    pub fn is_open(&self, number: u32) -> bool {
        self.0.event_loop().with_acceptors(|listeners, _| listeners.is_open(number)).unwrap_or_default()
    }

    /// Closes a connection.
    #[napi(catch_unwind)]
    pub fn discard(&self, number: u32) {
        self.0.event_loop().with_acceptors(|listeners, _| listeners.discard(number));
    }

    /// The local address of a connection; `null` if it is not over TCP, or gone.
    #[napi(catch_unwind)]
    pub fn local_address(&self, number: u32) -> Option<SocketAddress> {
        self.addresses(number).0.map(SocketAddress::from)
    }

    /// The peer's address of a connection; `null` as for `localAddress`, or if it is not connected any more.
    #[napi(catch_unwind)]
    pub fn remote_address(&self, number: u32) -> Option<SocketAddress> {
        self.addresses(number).1.map(SocketAddress::from)
    }

    /// Keeps the event loop alive while it listens, as it does at first.
    #[napi(js_name = "ref", catch_unwind)]
    pub fn keep(&self) {
        self.0.set_ref(true);
    }

    /// Lets the event loop end while it listens.
    #[napi(catch_unwind)]
    pub fn unref(&self) {
        self.0.set_ref(false);
    }
}

impl Listener {
    fn addresses(&self, number: u32) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let addresses =
            self.0.event_loop().with_acceptors(|listeners, _| listeners.local_and_peer_addr(number));
        addresses.unwrap_or_default()
    }
}
