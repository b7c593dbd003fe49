//! Sockets on I/O threads, seen by their owner and by a peer at the other end of a real TCP or Unix connection.
//! Here: what the test files share. Every wait ends with a panic after [`TIMEOUT`].

mod ending;
mod exchange;
mod mailbox;
mod owner;
mod peer;
mod reading;
mod stress;
mod writing;

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::connection::{Config, Connection, EventRef, MaskingKeys};
use crate::protocol::{Limits, MaskingKey, ProtocolError, Role};
use crate::transport::socket::Socket;
use owner::{Owner, Seen};
use peer::Peer;

/// Longer than anything here takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The key that everybody masks with.
const KEY: MaskingKey = MaskingKey([0x37, 0xFA, 0x21, 0x3D]);

/// A send or receive buffer so small that large messages go through it in many pieces, but with room for the segments
/// of a loopback interface: with less, TCP itself stops for 200 milliseconds again and again.
const SMALL_BUFFER: usize = 64 * 1024;

struct OneKey;

impl MaskingKeys for OneKey {
    fn next_key(&mut self) -> MaskingKey {
        KEY
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Tcp,
    Unix,
}

/// Both kinds of sockets in both roles.
const SETUPS: [(Family, Role); 4] = [
    (Family::Tcp, Role::Server),
    (Family::Tcp, Role::Client),
    (Family::Unix, Role::Server),
    (Family::Unix, Role::Client),
];

/// An [`EventRef`] that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
enum Event {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16),
    Failed(ProtocolError),
    Flooded,
}

impl From<EventRef<'_>> for Event {
    fn from(event: EventRef<'_>) -> Self {
        match event {
            EventRef::Message { binary: true, data, .. } => Self::Binary(data.into()),
            EventRef::Message { binary: false, data, .. } => {
                Self::Text(String::from_utf8(data.into()).unwrap())
            }
            EventRef::Ping { data: payload, .. } => Self::Ping(payload.into()),
            EventRef::Pong(payload) => Self::Pong(payload.into()),
            EventRef::Close { code, .. } => Self::Close(code),
            EventRef::Failed(error) => Self::Failed(error),
            EventRef::Flooded => Self::Flooded,
        }
    }
}

fn text(data: &str) -> Event {
    Event::Text(data.into())
}

fn connection(role: Role, auto_pong: bool) -> Connection {
    let limits =
        Limits { max_payload: 0, max_fragments: 0, max_buffered_chunks: 0, max_pending_auto_pongs: 0 };
    Connection::new(Config { role, limits, auto_pong, skip_utf8_validation: false })
}

/// The key that a connection of this role sends with.
fn key_of(role: Role) -> Option<MaskingKey> {
    role.must_mask_sent().then_some(KEY)
}

fn opposite(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

/// Two connected sockets.
fn pair(family: Family) -> (socket2::Socket, socket2::Socket) {
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
fn shrink_buffers(ends: [&socket2::Socket; 2]) {
    for end in ends {
        end.set_send_buffer_size(SMALL_BUFFER).unwrap();
        end.set_recv_buffer_size(SMALL_BUFFER).unwrap();
    }
}

/// Waits for what no event tells.
fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain");
        thread::yield_now();
    }
}

/// Bytes that tell where they are, and which message they belong to.
fn pattern(message: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at + 31 * message) as u8).collect()
}

/// One socket with its owner and its peer. Destroyed at the end of the test.
struct Link {
    owner: Owner,
    socket: Arc<Socket>,
    peer: Peer,
    role: Role,
}

impl Link {
    fn new((family, role): (Family, Role)) -> Self {
        Self::over(pair(family), role, &[])
    }

    /// With send and receive buffers so small that much is refused.
    fn small((family, role): (Family, Role)) -> Self {
        let ends = pair(family);
        shrink_buffers([&ends.0, &ends.1]);
        Self::over(ends, role, &[])
    }

    fn over((ours, theirs): (socket2::Socket, socket2::Socket), role: Role, head: &[u8]) -> Self {
        let owner = Owner::new();
        let socket = owner.adopt(ours, role, head, 7);
        Self { owner, socket, peer: Peer::new(theirs, opposite(role)), role }
    }

    /// Queues a binary message.
    fn queue(&self, data: &[u8]) {
        let queued =
            self.socket.with_connection(|connection| connection.send(true, true, key_of(self.role), data));
        queued.unwrap();
    }

    /// Sends a binary message by way of the thread.
    fn send(&self, data: &[u8]) {
        self.queue(data);
        self.socket.flush();
    }

    fn queued_total(&self) -> u64 {
        self.socket.with_connection(|connection| connection.queued_total()).unwrap()
    }

    fn pending(&self) -> u64 {
        self.socket.with_connection(|connection| connection.pending()).unwrap()
    }

    /// Collects what comes until `done` holds for all that was seen so far.
    fn until(&mut self, done: impl Fn(&Seen) -> bool) -> &Seen {
        self.owner.until(7, done)
    }

    /// Wakes the thread for this socket: it has looked at it after this was called.
    fn turn(&mut self) {
        self.socket.pause();
        self.socket.resume();
        self.turn_as_it_is();
    }

    /// The same for a socket that must stay paused: output has come by.
    fn turn_as_it_is(&mut self) {
        self.send(b"turn");
        assert_eq!(self.peer.next(), Event::Binary(b"turn".to_vec()));
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.socket.destroy();
    }
}
