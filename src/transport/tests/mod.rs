//! Plain sockets between an owner and a peer at the other end of a real TCP or Unix connection. Shared by these tests
//! and those of `io_threads`. Every wait ends with a panic after [`TIMEOUT`].
//!
//! * `owner`: an owner without an event loop, whose sockets I/O threads drive. `host`: an owner with an event loop.
//! * `event_loop`, `readiness`, `cycle`: the event loop. `either_driver`, `ending`, `random`: sockets of an event loop
//!   that it or an I/O thread drives.
//! * `segments`: messages sent from memory of the host. `handing_back`: back to the host. `idle`: idle connections.
//! * `records`: events in the memory that JavaScript reads. `send_queue`: messages in the memory that it writes.
//! * `timers`: time limits of connections, by a virtual clock.
//! * `inflating`: large compressed messages, with either driver.

mod cycle;
mod dice;
mod either_driver;
mod ending;
mod event_loop;
mod handing_back;
mod host;
mod idle;
mod inflating;
mod owner;
mod peer;
mod random;
mod readiness;
mod records;
mod segments;
mod send_queue;
mod timers;

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::socket::Socket;
use crate::connection::{Config, Connection, EventRef, MaskingKeys, TimeLimits};
use crate::protocol::{Limits, MaskingKey, ProtocolError, Role};

pub(in crate::transport) use dice::{Dice, lengths_and_order};
pub(in crate::transport) use host::LoopOwner;
pub(in crate::transport) use owner::{Owner, Seen};
pub(in crate::transport) use peer::Peer;

/// Longer than any test takes on a busy machine.
pub(in crate::transport) const TIMEOUT: Duration = Duration::from_secs(60);

/// The masking key of all clients.
pub(in crate::transport) const KEY: MaskingKey = MaskingKey([0x37, 0xFA, 0x21, 0x3D]);

/// Size of send and receive buffers that large messages pass in many pieces, with room for the segments of a loopback
/// interface: with less, TCP itself pauses for 200 milliseconds again and again.
const SMALL_BUFFER: usize = 64 * 1024;

pub(in crate::transport) struct OneKey;

impl MaskingKeys for OneKey {
    fn next_key(&mut self) -> MaskingKey {
        KEY
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Family {
    Tcp,
    Unix,
}

/// Both kinds of sockets in both roles.
pub(in crate::transport) const SETUPS: [(Family, Role); 4] = [
    (Family::Tcp, Role::Server),
    (Family::Tcp, Role::Client),
    (Family::Unix, Role::Server),
    (Family::Unix, Role::Client),
];

/// An [`EventRef`] that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::transport) enum Event {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16),
    Failed(ProtocolError),
    Inflating,
    Flooded,
}

impl From<EventRef<'_>> for Event {
    fn from(event: EventRef<'_>) -> Self {
        match event {
            EventRef::Message { binary: true, data, .. } => Self::Binary(data.into()),
            EventRef::Message { binary: false, data, .. } => {
                Self::Text(String::from_utf8(data.into()).unwrap())
            }
            EventRef::InChunk { .. } => panic!("received in place"),
            EventRef::Ping { data: payload, .. } => Self::Ping(payload.into()),
            EventRef::Pong(payload) => Self::Pong(payload.into()),
            EventRef::Close { code, .. } => Self::Close(code),
            EventRef::Failed(error) => Self::Failed(error),
            EventRef::Inflating => Self::Inflating,
            EventRef::Flooded => Self::Flooded,
        }
    }
}

pub(in crate::transport) fn text(data: &str) -> Event {
    Event::Text(data.into())
}

pub(in crate::transport) fn config(role: Role, auto_pong: bool) -> Config {
    let limits = Limits {
        max_payload: 0,
        max_fragments: 0,
        max_buffered_chunks: 0,
        max_pending_auto_pongs: 0,
        max_read: 0,
    };
    Config {
        role,
        limits,
        auto_pong,
        skip_utf8_validation: false,
        time_limits: TimeLimits::default(),
        deflate: None,
    }
}

pub(in crate::transport) fn connection(role: Role, auto_pong: bool) -> Connection {
    Connection::new(config(role, auto_pong))
}

/// The key that a connection of this role sends with.
pub(in crate::transport) fn key_of(role: Role) -> Option<MaskingKey> {
    role.must_mask_sent().then_some(KEY)
}

pub(in crate::transport) fn opposite(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

/// Two connected sockets.
pub(in crate::transport) fn pair(family: Family) -> (socket2::Socket, socket2::Socket) {
    match family {
        Family::Tcp => {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let ours = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (ours.into(), listener.accept().unwrap().0.into())
        }
        Family::Unix => {
            let (ours, theirs) = UnixStream::pair().unwrap();
            (ours.into(), theirs.into())
        }
    }
}

/// Makes both ends hold little.
pub(in crate::transport) fn shrink_buffers(ends: [&socket2::Socket; 2]) {
    for end in ends {
        end.set_send_buffer_size(SMALL_BUFFER).unwrap();
        end.set_recv_buffer_size(SMALL_BUFFER).unwrap();
    }
}

/// Waits for a condition that no event reports.
pub(in crate::transport) fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain");
        thread::yield_now();
    }
}

/// Bytes that identify their position, and their message.
pub(in crate::transport) fn pattern(message: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at + 31 * message) as u8).collect()
}

/// An owner of sockets, with some driver.
pub(in crate::transport) trait Owns {
    fn begin() -> Self;
    /// Adopts a socket; on an I/O thread it answers pings.
    fn take(&mut self, fd: socket2::Socket, role: Role, head: &[u8], token: u64) -> Arc<Socket>;
    /// Collects events until `done` holds for all events of a socket.
    fn until(&mut self, token: u64, done: impl Fn(&Seen) -> bool) -> &Seen;
    /// Destroys a socket.
    fn destroy_socket(&mut self, socket: &Arc<Socket>);
}

/// The token of the socket of a [`Link`].
pub(in crate::transport) const LINK: u64 = 7;

/// One socket with its owner and its peer. Destroyed at the end of the test.
pub(in crate::transport) struct Link<O: Owns> {
    pub(in crate::transport) owner: O,
    pub(in crate::transport) socket: Arc<Socket>,
    pub(in crate::transport) peer: Peer,
    pub(in crate::transport) role: Role,
}

impl<O: Owns> Link<O> {
    pub(in crate::transport) fn new(setup: (Family, Role)) -> Self {
        Self::of(O::begin(), setup)
    }

    /// As `new`, of a certain owner.
    pub(in crate::transport) fn of(owner: O, (family, role): (Family, Role)) -> Self {
        Self::adopted(owner, pair(family), role, &[])
    }

    /// With send and receive buffers so small that the kernel refuses output.
    pub(in crate::transport) fn small(setup: (Family, Role)) -> Self {
        Self::small_of(O::begin(), setup)
    }

    /// As `small`, of a certain owner.
    pub(in crate::transport) fn small_of(owner: O, (family, role): (Family, Role)) -> Self {
        let ends = pair(family);
        shrink_buffers([&ends.0, &ends.1]);
        Self::adopted(owner, ends, role, &[])
    }

    pub(in crate::transport) fn over(
        ends: (socket2::Socket, socket2::Socket),
        role: Role,
        head: &[u8],
    ) -> Self {
        Self::adopted(O::begin(), ends, role, head)
    }

    /// As `over`, of a certain owner.
    pub(in crate::transport) fn adopted(
        mut owner: O,
        (ours, theirs): (socket2::Socket, socket2::Socket),
        role: Role,
        head: &[u8],
    ) -> Self {
        let socket = owner.take(ours, role, head, LINK);
        Self { owner, socket, peer: Peer::new(theirs, opposite(role)), role }
    }

    /// Queues a binary message.
    pub(in crate::transport) fn queue(&self, data: &[u8]) {
        let queued =
            self.socket.with_connection(|connection| connection.send(true, true, key_of(self.role), data));
        queued.unwrap();
    }

    /// Sends a binary message by way of the driver.
    pub(in crate::transport) fn send(&self, data: &[u8]) {
        self.queue(data);
        self.socket.flush();
    }

    pub(in crate::transport) fn queued_total(&self) -> u64 {
        self.socket.with_connection(|connection| connection.queued_total()).unwrap()
    }

    pub(in crate::transport) fn pending(&self) -> u64 {
        self.socket.with_connection(|connection| connection.pending()).unwrap()
    }

    /// Collects events until `done` holds for all of them.
    pub(in crate::transport) fn until(&mut self, done: impl Fn(&Seen) -> bool) -> &Seen {
        self.owner.until(LINK, done)
    }

    /// Closes the peer with all that it has not read; a TCP peer resets the connection.
    pub(in crate::transport) fn lose_peer(&mut self) {
        self.peer.stream.set_linger(Some(Duration::ZERO)).unwrap();
        self.peer = Peer::new(pair(Family::Unix).1, self.peer.role);
    }
}

impl<O: Owns> Drop for Link<O> {
    fn drop(&mut self) {
        self.owner.destroy_socket(&self.socket);
    }
}
