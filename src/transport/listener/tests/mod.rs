//! Listening sockets and what arrives there, over loopback. The owner's loop waits in a poller around the poller, as that of
//! Node does. Every wait ends with a panic after [`TIMEOUT`].

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
use crate::protocol::handshake::MAX_HEAD;
use crate::transport::event_loop::Poller;
use crate::transport::tests::TIMEOUT;

const REQUEST: &[u8] = b"GET /path HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

/// Any free port of this address.
const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A socket that is bound, as the owner would have it.
fn bound(address: impl Into<SockAddr>) -> Socket {
    let address = address.into();
    let socket = Socket::new(Domain::from(i32::from(address.family())), Type::STREAM, None).unwrap();
    socket.bind(&address).unwrap();
    socket
}

/// An owner.
struct Scene {
    poller: Poller,
    poll: Poll,
    arrivals: Listeners<&'static str>,
    arrived: Vec<AcceptedConnection<&'static str>>,
    buffer: Vec<u8>,
    now: u32,
}

impl Scene {
    fn new() -> Self {
        let (poller, poll) = (Poller::new().unwrap(), Poll::new().unwrap());
        poll.registry().register(&mut SourceFd(&poller.fd()), Token(0), Interest::READABLE).unwrap();
        let arrivals = Listeners::default();
        Self { poller, poll, arrivals, arrived: Vec::new(), buffer: vec![0; 64 * 1024], now: 0 }
    }

    /// Listens, and returns the number of the listening socket.
    fn listen(&mut self, address: impl Into<SockAddr>) -> u32 {
        let listening = ListeningSocket::start(bound(address), 511).unwrap();
        self.arrivals.listen(&self.poller, listening, "owner", MAX_HEAD).unwrap()
    }

    /// One turn of the loop, without waiting.
    fn turn(&mut self) {
        let Self { poller, arrivals, arrived, buffer, now, .. } = self;
        let mut turn = PollContext { poller, now: *now, buffer, accepted: arrived };
        arrivals.resume_accepting(&mut turn);
        poller.poll(|token, _| {
            assert!(Listeners::<&str>::is_token(token));
            arrivals.on_ready(token, &mut turn);
        });
    }

    /// Waits until there is something to do for a turn.
    fn wait(&mut self) {
        if self.arrivals.has_backlog() {
            return;
        }
        let mut events = Events::with_capacity(1);
        self.poll.poll(&mut events, Some(TIMEOUT)).unwrap();
        assert!(!events.is_empty(), "nothing came; so far {:?}", self.arrived);
    }

    /// Goes on until something holds.
    fn until(&mut self, done: impl Fn(&Self) -> bool) {
        self.turn();
        while !done(self) {
            self.wait();
            self.turn();
        }
    }

    /// The next that arrives, and nothing else.
    fn next(&mut self) -> AcceptedConnection<&'static str> {
        self.until(|scene| !scene.arrived.is_empty());
        assert_eq!(self.arrived.len(), 1, "{:?}", self.arrived);
        self.arrived.remove(0)
    }

    /// Nothing is ready.
    fn assert_quiet(&mut self) {
        let mut events = Events::with_capacity(1);
        self.poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
    }

    fn connect(&self, listening: u32) -> Client {
        Client::new(self.arrivals.local_addr(listening).unwrap())
    }

    /// Takes what has arrived, and speaks with it from the other end.
    fn speak(&mut self, number: u32, client: &mut Client) {
        let mut socket = self.arrivals.release(&self.poller, number).unwrap();
        assert!(self.arrivals.release(&self.poller, number).is_none());
        assert!(socket.nonblocking().unwrap());
        socket.write_all(b"101").unwrap();
        assert_eq!(client.read(3), b"101");
        // Nobody else reads it any more.
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

    /// Waits until the other end has closed.
    fn assert_closed(&mut self) {
        match self.0.read(&mut [0]) {
            Ok(length) => assert_eq!(length, 0),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }
}

fn is_upgrade(arrival: &AcceptedConnection<&str>) -> bool {
    matches!(arrival.request, Request::Upgrade { .. })
}
