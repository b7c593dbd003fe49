//! One client connection: the opening handshake, the output still to write and the echoes coming in.
//! Driven by `main`'s poll loop. Time and counting across connections do not belong here.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::net::TcpStream;

use crate::message::Message;

/// The longest response head that is read, and the longest wait for it.
const HEAD_BYTES: usize = 16 * 1024;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The key and its answer from RFC 6455 section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Where the reader stands in the stream of echoes.
#[derive(Debug)]
enum Reading {
    Header { bytes: [u8; 10], have: usize },
    Payload { at: usize },
}

const NEW_HEADER: Reading = Reading::Header { bytes: [0; 10], have: 0 };

/// A connection that is open for messages.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    reading: Reading,
    written: usize,
    pending: usize,
    sent_at: VecDeque<Instant>,
}

impl Connection {
    /// Connects and does the opening handshake, blocking.
    ///
    /// # Errors
    /// What the socket reports, or a response that is not a plain 101 for our key.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let mut stream = std::net::TcpStream::connect_timeout(&address, HANDSHAKE_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(HANDSHAKE_TIMEOUT))?;
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        )?;

        let mut head = Vec::new();
        let mut byte = [0];
        // Byte by byte: whatever follows the head must stay in the socket.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == HEAD_BYTES {
                return Err(io::Error::other("the response head is too long"));
            }
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head);
        if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) || head.contains("Sec-WebSocket-Ext")
        {
            return Err(io::Error::other(format!("the server refused the handshake: {head:?}")));
        }

        stream.set_read_timeout(None)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            reading: NEW_HEADER,
            written: 0,
            pending: 0,
            sent_at: VecDeque::new(),
        })
    }

    /// The socket, to register it with the poll.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Queues `count` messages and writes what the socket takes.
    ///
    /// # Errors
    /// What the socket reports.
    pub fn send(&mut self, message: &Message, count: usize, now: Instant) -> io::Result<()> {
        self.pending += count * message.frame_len();
        self.sent_at.extend(std::iter::repeat_n(now, count));
        self.flush(message)
    }

    /// Writes what is pending until the socket would block.
    ///
    /// # Errors
    /// What the socket reports.
    pub fn flush(&mut self, message: &Message) -> io::Result<()> {
        while self.pending > 0 {
            match self.stream.write(message.bytes_at(self.written, self.pending)) {
                Ok(n) => {
                    self.written += n;
                    self.pending -= n;
                }
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => break,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        Ok(())
    }

    /// Reads until the socket is empty, checks every echo and records its latency in nanoseconds.
    /// `ended`: the peer has closed its side, so read on to the end. Gives the number of echoes.
    ///
    /// # Errors
    /// What the socket reports, its end, or anything that is not the message's echo.
    pub fn receive(
        &mut self,
        message: &Message,
        buffer: &mut [u8],
        ended: bool,
        latency: &mut Histogram<u64>,
    ) -> io::Result<usize> {
        let mut count = 0;
        loop {
            let n = match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::other("the server closed a connection")),
                Ok(n) => n,
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                Err(err) => return Err(err),
            };
            let now = Instant::now();
            let mut rest = &buffer[..n];
            while !rest.is_empty() {
                let (used, complete) = self.parse(message, rest)?;
                rest = &rest[used..];
                if complete {
                    let sent = self.sent_at.pop_front();
                    let sent = sent.ok_or_else(|| io::Error::other("an echo of nothing"))?;
                    latency.saturating_record(u64::try_from((now - sent).as_nanos()).unwrap_or(u64::MAX));
                    count += 1;
                }
            }
            // A short read has emptied the socket: the next bytes raise an event, only an end does not.
            if n < buffer.len() && !ended {
                return Ok(count);
            }
        }
    }

    /// Takes bytes of the current frame; says how many, and whether they ended it.
    fn parse(&mut self, message: &Message, input: &[u8]) -> io::Result<(usize, bool)> {
        let payload = message.payload();
        match &mut self.reading {
            Reading::Header { bytes, have } => {
                let need = match (*have, bytes[1]) {
                    (0 | 1, _) => 2,
                    (_, 126) => 4,
                    (_, 127) => 10,
                    _ => 2,
                };
                let take = (need - *have).min(input.len());
                bytes[*have..*have + take].copy_from_slice(&input[..take]);
                *have += take;
                let length = match (*have, bytes[1]) {
                    (2, short @ 0..=125) => u64::from(short),
                    (4, 126) => u64::from(u16::from_be_bytes([bytes[2], bytes[3]])),
                    (10, 127) => bytes[2..].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
                    (2, 128..) => return Err(io::Error::other("a masked frame from the server")),
                    _ => return Ok((take, false)),
                };
                if bytes[0] != message.first_byte() || length != payload.len() as u64 {
                    let first = bytes[0];
                    return Err(io::Error::other(format!(
                        "not an echo: first byte {first:#04x}, length {length}"
                    )));
                }
                let complete = payload.is_empty();
                self.reading = if complete { NEW_HEADER } else { Reading::Payload { at: 0 } };
                Ok((take, complete))
            }
            Reading::Payload { at } => {
                let take = (payload.len() - *at).min(input.len());
                if input[..take] != payload[*at..*at + take] {
                    return Err(io::Error::other("the echo has other bytes than the message"));
                }
                *at += take;
                let complete = *at == payload.len();
                if complete {
                    self.reading = NEW_HEADER;
                }
                Ok((take, complete))
            }
        }
    }
}
