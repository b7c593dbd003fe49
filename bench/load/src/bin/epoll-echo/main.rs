//! Lower bound for the benchmark: a WebSocket echo server without JavaScript, one thread on epoll
//! (mio), with one write for the answers to each read. With `--broadcast` each message is sent to
//! every connection.
//!
//! Prints `{"port":N,"version":"..."}` once it listens on 127.0.0.1, and ends with its standard
//! input. No TLS, compression, limits or timeouts: for the load generator only.

mod connection;
mod frames;
mod handshake;

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    os::fd::{AsRawFd, RawFd},
    process::ExitCode,
};

use mio::{Events, Interest, Poll, Token, net::TcpListener, unix::SourceFd};

use connection::Connection;

/// Maximum bytes of one read.
const READ_BYTES: usize = 256 * 1024;
const LISTENER: Token = Token(usize::MAX - 1);
const STDIN: Token = Token(usize::MAX - 2);

/// The listener and all connections on one poll.
struct Server {
    poll: Poll,
    listener: TcpListener,
    /// By token; `None` for a connection that has ended.
    connections: Vec<Option<Connection>>,
    holes: Vec<usize>,
    buffer: Vec<u8>,
    /// Messages for all connections; `None` if each is echoed to its sender.
    broadcast: Option<Vec<u8>>,
}

impl Server {
    fn listen(broadcast: bool) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            connections: Vec::new(),
            holes: Vec::new(),
            buffer: vec![0; READ_BYTES],
            broadcast: broadcast.then(Vec::new),
        })
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let (stream, _) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                Err(err) => return Err(err),
            };
            stream.set_nodelay(true)?;
            let mut connection = Connection::new(stream);
            let index = self.holes.pop().unwrap_or(self.connections.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(connection.stream(), Token(index), interest)?;
            if index == self.connections.len() {
                self.connections.push(Some(connection));
            } else {
                self.connections[index] = Some(connection);
            }
        }
    }

    fn drive(&mut self, index: usize, ended: bool) {
        let Some(Some(connection)) = self.connections.get_mut(index) else { return };
        // A failed connection does not affect the others.
        if !connection.drive(&mut self.buffer, ended, self.broadcast.as_mut()).unwrap_or(false) {
            self.remove(index);
        }
        let Some(mut messages) = self.broadcast.take() else { return };
        if !messages.is_empty() {
            for index in 0..self.connections.len() {
                if let Some(connection) = &mut self.connections[index]
                    && connection.is_open()
                    && connection.send(&messages).is_err()
                {
                    self.remove(index);
                }
            }
            messages.clear();
        }
        self.broadcast = Some(messages);
    }

    fn remove(&mut self, index: usize) {
        // Dropping the socket removes it from the poll.
        self.connections[index] = None;
        self.holes.push(index);
    }

    fn run(&mut self) -> io::Result<()> {
        let stdin: RawFd = io::stdin().as_raw_fd();
        self.poll.registry().register(&mut SourceFd(&stdin), STDIN, Interest::READABLE)?;
        let port = self.listener.local_addr()?.port();
        writeln!(io::stdout(), r#"{{"port":{port},"version":"raw epoll echo"}}"#)?;

        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    // No data is expected: it becomes readable when the other end closes it.
                    STDIN if io::stdin().read(&mut [0])? == 0 => return Ok(()),
                    STDIN => {}
                    Token(index) => self.drive(index, event.is_read_closed()),
                }
            }
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let broadcast = match arguments.next().as_deref() {
        None => false,
        Some("--broadcast") => true,
        Some(other) => {
            let _ = writeln!(io::stderr(), "epoll-echo: {other}? It knows --broadcast only");
            return ExitCode::FAILURE;
        }
    };
    match Server::listen(broadcast).and_then(|mut server| server.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            // Standard error may be closed; the exit status reports the failure as well.
            let _ = writeln!(io::stderr(), "epoll-echo: {err}");
            ExitCode::FAILURE
        }
    }
}
