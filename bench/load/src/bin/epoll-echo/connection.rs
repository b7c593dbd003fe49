//! An accepted connection: handshake, frames, and output not yet accepted by the socket. Driven by
//! the poll loop of `main`, which has the other connections.

use std::{
    io::{self, Read, Write},
    ops::Range,
};

use mio::net::TcpStream;

use crate::{
    frames::{Frames, SLACK},
    handshake,
};

/// Maximum length of a request head.
const HEAD_BYTES: usize = 16 * 1024;

/// A connection, starting with its first byte.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// The request head received so far; `None` once answered.
    head: Option<Vec<u8>>,
    frames: Frames,
    /// Answers to an incomplete message that must stay together (`broadcast`).
    held: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    ended: bool,
}

impl Connection {
    /// Creates a connection for an accepted socket.
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            head: Some(Vec::new()),
            frames: Frames::default(),
            held: Vec::new(),
            output: Vec::new(),
            written: 0,
            ended: false,
        }
    }

    /// The socket, for registration with the poll.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// True if messages are accepted.
    pub fn is_open(&self) -> bool {
        self.head.is_none()
    }

    /// Writes pending output, then reads and answers until the socket is empty or accepts no more.
    /// `ended`: the peer has closed its side. With `broadcast`, complete messages are put there
    /// instead of answered. Returns true while the connection is alive.
    ///
    /// # Errors
    /// Errors of the socket, or input that is not WebSocket.
    pub fn drive(
        &mut self,
        buffer: &mut [u8],
        ended: bool,
        mut broadcast: Option<&mut Vec<u8>>,
    ) -> io::Result<bool> {
        self.ended |= ended;
        self.flush()?;
        // Pending output must not grow: reading continues when the socket is writable again.
        while self.output.is_empty() {
            let room = buffer.len() - SLACK;
            let n = match self.stream.read(&mut buffer[SLACK..]) {
                Ok(0) => return Ok(false),
                Ok(n) => n,
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => break,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                Err(err) => return Err(err),
            };
            let input = &mut buffer[..SLACK + n];
            if self.head.is_some() {
                self.open(&input[SLACK..])?;
            } else {
                let answer = self.frames.answer(input).map_err(|_| malformed("a frame"))?;
                self.route(input, answer, broadcast.as_deref_mut())?;
                if self.frames.is_closed() {
                    return Ok(false);
                }
            }
            // A short read has emptied the socket: further bytes raise an event, an end does not.
            if n < room && !self.ended {
                break;
            }
        }
        Ok(true)
    }

    /// Answers a complete request head.
    fn open(&mut self, input: &[u8]) -> io::Result<()> {
        let Some(head) = &mut self.head else { return Ok(()) };
        head.extend_from_slice(input);
        if head.ends_with(b"\r\n\r\n") {
            let response = handshake::respond(head).ok_or_else(|| malformed("a request"))?;
            self.head = None;
            self.send(response.as_bytes())
        } else if head.len() > HEAD_BYTES {
            Err(malformed("a request head"))
        } else {
            Ok(())
        }
    }

    /// Sends the answer back, or keeps it until its message is complete and can be broadcast.
    fn route(
        &mut self,
        buffer: &[u8],
        answer: Range<usize>,
        broadcast: Option<&mut Vec<u8>>,
    ) -> io::Result<()> {
        let Some(broadcast) = broadcast else { return self.send(&buffer[answer]) };
        if self.frames.had_control() {
            // An answer to a control frame is for this peer only; the load generator sends none.
            return Err(malformed("a broadcast message"));
        }
        self.held.extend_from_slice(&buffer[answer]);
        if self.frames.is_whole() {
            broadcast.append(&mut self.held);
        }
        Ok(())
    }

    /// Writes bytes; the remainder waits for the socket.
    ///
    /// # Errors
    /// Errors of the socket.
    pub fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while self.output.is_empty() && !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => break,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes pending output.
    fn flush(&mut self) -> io::Result<()> {
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(n) => self.written += n,
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(())
    }
}

fn malformed(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("unsupported: {message}"))
}
