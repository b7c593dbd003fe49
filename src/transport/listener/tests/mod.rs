//! Listening sockets and their connections, over loopback. The owner's loop waits in a poller around the
//! poller, as Node's does. Every wait panics after [`TIMEOUT`].

mod answers;
mod bind;
mod connections;
mod descriptors;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, SockAddr, Socket, Type};

use super::{
    AcceptedConnection, FallbackReason, Listeners, ListeningSocket, PendingOnClose, PollContext, Request,
};
use crate::protocol::handshake::MAX_HEAD_LENGTH;
use crate::transport::event_loop::Poller;
use crate::transport::tests::TIMEOUT;

const REQUEST: &[u8] = b"GET /path HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

/// Any free port of this address.
const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A bound socket, as the owner creates it.
fn bound(address: impl Into<SockAddr>) -> Socket {
    let address = address.into();
    let socket = Socket::new(Domain::from(i32::from(address.family())), Type::STREAM, None).unwrap();
    socket.bind(&address).unwrap();
    socket
}

/// An owner and its event loop.
struct Harness {
    poller: Poller,
    poll: Poll,
    listeners: Listeners<&'static str>,
    accepted: Vec<AcceptedConnection<&'static str>>,
    buffer: Vec<u8>,
    now: u32,
}

impl Harness {
    fn new() -> Self {
        let (poller, poll) = (Poller::new().unwrap(), Poll::new().unwrap());
        poll.registry().register(&mut SourceFd(&poller.fd()), Token(0), Interest::READABLE).unwrap();
        let listeners = Listeners::default();
        Self { poller, poll, listeners, accepted: Vec::new(), buffer: vec![0; 64 * 1024], now: 0 }
    }

    /// Listens, and returns the number of the listening socket.
    fn listen(&mut self, address: impl Into<SockAddr>) -> u32 {
        let listener = ListeningSocket::start(bound(address), 511).unwrap();
        self.listeners.listen(&self.poller, listener, "server", MAX_HEAD_LENGTH).unwrap()
    }

    /// One turn of the loop, without waiting.
    fn turn(&mut self) {
        let Self { poller, listeners, accepted, buffer, now, .. } = self;
        let mut turn = PollContext { poller, now: *now, buffer, accepted };
        listeners.resume_accepting(&mut turn);
        poller.poll(|token, _| {
            assert!(Listeners::<&str>::is_token(token));
            listeners.on_ready(token, &mut turn);
        });
    }

    /// Waits until the next turn has work.
    fn wait(&mut self) {
        if self.listeners.has_more_to_accept() {
            return;
        }
        let mut events = Events::with_capacity(1);
        self.poll.poll(&mut events, Some(TIMEOUT)).unwrap();
        assert!(!events.is_empty(), "no event; accepted so far: {:?}", self.accepted);
    }

    /// Runs turns until a condition holds.
    fn until(&mut self, done: impl Fn(&Self) -> bool) {
        self.turn();
        while !done(self) {
            self.wait();
            self.turn();
        }
    }

    /// The next accepted connection, which must be the only one.
    fn next(&mut self) -> AcceptedConnection<&'static str> {
        self.until(|harness| !harness.accepted.is_empty());
        assert_eq!(self.accepted.len(), 1, "{:?}", self.accepted);
        self.accepted.remove(0)
    }

    /// Asserts that no descriptor is ready.
    fn assert_no_event(&mut self) {
        let mut events = Events::with_capacity(1);
        self.poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
    }

    fn connect(&self, listener: u32) -> Client {
        Client::new(self.listeners.local_addr(listener).unwrap())
    }

    /// Releases a connection and exchanges bytes with its client.
    fn release_and_exchange(&mut self, number: u32, client: &mut Client) {
        let mut socket = self.listeners.release(&self.poller, number).unwrap();
        assert!(self.listeners.release(&self.poller, number).is_none());
        assert!(socket.nonblocking().unwrap());
        socket.write_all(b"101").unwrap();
        assert_eq!(client.read(3), b"101");
        // The listener does not read it any more.
        client.write(b"frame");
        self.turn();
        socket.set_nonblocking(false).unwrap();
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        let mut frame = [0; 5];
        socket.read_exact(&mut frame).unwrap();
        assert_eq!(&frame, b"frame");
    }
}

struct Client(Socket);

impl Client {
    fn new(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap().into())
    }

    fn over(socket: Socket) -> Self {
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        Self(socket)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    fn end(&self) {
        self.0.shutdown(std::net::Shutdown::Write).unwrap();
    }

    fn reset(self) {
        self.0.set_linger(Some(Duration::ZERO)).unwrap();
    }

    fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Waits for the other end to close.
    fn assert_closed(&mut self) {
        match self.0.read(&mut [0]) {
            Ok(length) => assert_eq!(length, 0),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }
}

fn is_upgrade(connection: &AcceptedConnection<&str>) -> bool {
    matches!(connection.request, Request::Upgrade { .. })
}
