//! Connections that are opened and closed: a fixed number is always in progress, each performs the
//! opening handshake, the exchanges and the closing handshake, and is then replaced. Called by
//! `main` in place of `load`. Every byte of the server is checked: its 101, the echoes, its close
//! frame, and that it ends the connection first.

use std::{
    error::Error,
    io::{self, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    handshake::{self, HEAD_BYTES, HEAD_END},
    measured::{Measured, STALL, bound_silence},
    message::{Messages, frame},
    options::Options,
};

const READ_BYTES: usize = 64 * 1024;
/// Interval between two parts of a request that drips: long enough for the server to read each.
const DRIP_INTERVAL: Duration = Duration::from_millis(1);
/// First byte of a close frame, and its payload: status 1000.
const CLOSE: u8 = 0x88;
const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();

/// Bytes sent by every connection, and those it must receive.
struct Script {
    request: Vec<u8>,
    message: Vec<u8>,
    echo: Vec<u8>,
    close: Vec<u8>,
    exchanges: usize,
    /// Bytes of the request that are sent at a time.
    part: usize,
}

/// State of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Connection,
    /// Bytes of the request that have been sent.
    Request {
        sent: usize,
    },
    Head,
    Echo {
        left: usize,
    },
    Close,
    End,
}

/// A connection in progress.
struct Attempt {
    socket: TcpStream,
    stage: Stage,
    started: Instant,
    /// Duration of the opening handshake.
    opened: Duration,
    /// Incomplete input.
    input: Vec<u8>,
}

/// The poll and the connections in progress.
pub struct Opening {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    script: Script,
    attempts: Vec<Option<Attempt>>,
    buffer: Vec<u8>,
    /// Time of the last parts of dripping requests.
    dripped: Instant,
}

impl Opening {
    /// Creates an empty set of connections.
    ///
    /// # Errors
    /// If no poll can be created.
    pub fn new(options: &Options) -> io::Result<Self> {
        let messages = Messages::same(options.size, options.binary, 1);
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            address: options.address,
            script: Script {
                request: handshake::request(options.address, None).into_bytes(),
                message: messages.bytes_at(0, messages.frame_len(0)).to_vec(),
                echo: messages.echo(0),
                close: frame(CLOSE, &NORMAL),
                exchanges: options.exchanges.unwrap_or(0),
                part: options.drip.unwrap_or(usize::MAX),
            },
            attempts: (0..options.connections).map(|_| None).collect(),
            buffer: vec![0; READ_BYTES],
            dripped: Instant::now(),
        })
    }

    /// Opens and closes connections for `duration`, then waits for those still in progress.
    ///
    /// # Errors
    /// If a connection fails, or the server stalls or sends anything unexpected.
    pub fn run(&mut self, duration: Duration) -> Result<Measured, Box<dyn Error>> {
        let mut measured = Measured::new()?;
        let deadline = Instant::now() + duration;
        let mut outstanding = self.attempts.len();
        for index in 0..outstanding {
            self.start(index)?;
        }
        let mut heard_at = Instant::now();
        while outstanding > 0 {
            let timeout = if self.script.part == usize::MAX { STALL } else { DRIP_INTERVAL };
            match self.poll.poll(&mut self.events, Some(timeout)) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            self.drip()?;
            let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
            for index in ready {
                // One event may report the end, and another one the last bytes.
                let Some(attempt) = &mut self.attempts[index] else { continue };
                if !attempt.drive(&self.script, &mut self.buffer)? {
                    continue;
                }
                measured.record(attempt.opened);
                // Dropping the socket removes it from the poll.
                self.attempts[index] = None;
                heard_at = Instant::now();
                if heard_at < deadline {
                    measured.messages += 1;
                    self.start(index)?;
                } else {
                    measured.drained += 1;
                    outstanding -= 1;
                }
            }
            bound_silence(heard_at, outstanding)?;
        }
        Ok(measured)
    }

    /// Sends the next parts of requests that are due.
    fn drip(&mut self) -> io::Result<()> {
        if self.dripped.elapsed() >= DRIP_INTERVAL {
            self.dripped = Instant::now();
            for attempt in self.attempts.iter_mut().flatten() {
                if let Stage::Request { sent } = attempt.stage {
                    attempt.send_request(&self.script, sent)?;
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, index: usize) -> io::Result<()> {
        let started = Instant::now();
        let mut socket = TcpStream::connect(self.address)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut socket, Token(index), interest)?;
        let attempt =
            Attempt { socket, stage: Stage::Connection, started, opened: Duration::ZERO, input: Vec::new() };
        self.attempts[index] = Some(attempt);
        Ok(())
    }
}

impl Attempt {
    /// Proceeds until the socket would block. Returns true once the connection is over.
    fn drive(&mut self, script: &Script, buffer: &mut [u8]) -> io::Result<bool> {
        if self.stage == Stage::Connection {
            if let Some(err) = self.socket.take_error()? {
                return Err(err);
            }
            match self.socket.peer_addr() {
                Err(err) if err.kind() == io::ErrorKind::NotConnected => return Ok(false),
                result => result?,
            };
            if script.part < script.request.len() {
                self.socket.set_nodelay(true)?;
            }
            self.send_request(script, 0)?;
        }
        loop {
            match self.socket.read(buffer) {
                Ok(0) if self.stage == Stage::End => return Ok(true),
                Ok(0) => return Err(wrong("the server ended a connection", self.stage)),
                Ok(n) => {
                    self.input.extend_from_slice(&buffer[..n]);
                    while self.advance(script)? {}
                }
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
    }

    /// Consumes the input expected in this state and answers it. Returns false if it is incomplete.
    fn advance(&mut self, script: &Script) -> io::Result<bool> {
        let Some(len) = self.stage.whole(&self.input, script)? else { return Ok(false) };
        let left = match self.stage {
            Stage::Head => {
                handshake::answer(&self.input[..len], None)?;
                self.opened = self.started.elapsed();
                script.exchanges
            }
            Stage::Echo { left } => left - 1,
            Stage::Close => {
                self.input.drain(..len);
                self.stage = Stage::End;
                return Ok(true);
            }
            Stage::Connection | Stage::Request { .. } | Stage::End => return Ok(false),
        };
        self.input.drain(..len);
        if left > 0 {
            self.write(&script.message, Stage::Echo { left })?;
        } else {
            self.write(&script.close, Stage::Close)?;
        }
        Ok(true)
    }

    /// Sends the next part of the request.
    fn send_request(&mut self, script: &Script, sent: usize) -> io::Result<()> {
        let end = script.request.len().min(sent.saturating_add(script.part));
        let is_last = end == script.request.len();
        let next = if is_last { Stage::Head } else { Stage::Request { sent: end } };
        self.write(&script.request[sent..end], next)
    }

    /// A few bytes, which fit in an empty socket buffer.
    fn write(&mut self, bytes: &[u8], next: Stage) -> io::Result<()> {
        self.socket.write_all(bytes)?;
        self.stage = next;
        Ok(())
    }
}

impl Stage {
    /// Length of the input expected in this state; `None` if it is incomplete.
    fn whole(self, input: &[u8], script: &Script) -> io::Result<Option<usize>> {
        let len = match self {
            Self::Connection => return Ok(None),
            Self::Request { .. } | Self::End if input.is_empty() => return Ok(None),
            Self::Request { .. } => return Err(wrong("a response came before the request", self)),
            Self::Head => {
                let end = input.windows(HEAD_END.len()).position(|part| part == HEAD_END);
                if end.is_none() && input.len() > HEAD_BYTES {
                    return Err(wrong("the response head is too long", self));
                }
                return Ok(end.map(|at| at + HEAD_END.len()));
            }
            Self::Echo { .. } => {
                let have = input.len().min(script.echo.len());
                if input[..have] != script.echo[..have] {
                    return Err(wrong("this is not the echo", self));
                }
                script.echo.len()
            }
            Self::Close => match input {
                // The status is optional.
                [CLOSE, len @ (0 | 2..=125), ..] => usize::from(*len) + 2,
                [] | [CLOSE] => return Ok(None),
                _ => return Err(wrong("this is not a close frame", self)),
            },
            Self::End => return Err(wrong("there is something behind the close frame", self)),
        };
        Ok((input.len() >= len).then_some(len))
    }
}

fn wrong(message: &str, stage: Stage) -> io::Error {
    io::Error::other(format!("{message} ({stage:?})"))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Script, Stage};

    fn whole(stage: Stage, input: &[u8]) -> io::Result<Option<usize>> {
        let script = Script {
            request: Vec::new(),
            message: Vec::new(),
            echo: vec![0x81, 1, b'a'],
            close: Vec::new(),
            exchanges: 0,
            part: usize::MAX,
        };
        stage.whole(input, &script)
    }

    #[test]
    fn a_state_waits_for_complete_input() {
        let echo = Stage::Echo { left: 1 };
        for (stage, input, len) in [
            (Stage::Head, &b"HTTP/1.1 101 a\r\n\r"[..], None),
            (Stage::Head, b"HTTP/1.1 101 a\r\n\r\n\x81", Some(18)),
            (echo, &[0x81, 1], None),
            (echo, &[0x81, 1, b'a', 0x88], Some(3)),
            (Stage::Close, &[0x88], None),
            (Stage::Close, &[0x88, 2, 3], None),
            (Stage::Close, &[0x88, 2, 3, 232], Some(4)),
            (Stage::Close, &[0x88, 0], Some(2)),
            (Stage::End, &[], None),
        ] {
            assert_eq!(whole(stage, input).ok(), Some(len), "{stage:?} {input:?}");
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        let echo = Stage::Echo { left: 1 };
        let long = vec![b'a'; 20_000];
        for (stage, input) in [
            (Stage::Head, &long[..]),
            (echo, &[0x82]),
            (echo, &[0x81, 1, b'b']),
            (Stage::Close, &[0x81, 1, b'a']),
            (Stage::Close, &[0x88, 1]),
            (Stage::Close, &[0x88, 0x82]),
            (Stage::End, &[0]),
            (Stage::Request { sent: 4 }, b"HTTP/1.1 400"),
        ] {
            assert!(whole(stage, input).is_err(), "{stage:?}");
        }
    }
}
