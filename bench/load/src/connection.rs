//! One open client connection: the output still to write and the messages coming in, each of which is checked.
//! Driven by `load`'s poll loop; `stream` opens it. Counting across connections does not belong here.

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use crate::{message::Message, stream::Stream};

/// Where the reader stands in the stream of messages.
#[derive(Debug)]
enum Reading {
    Header { bytes: [u8; 10], have: usize },
    Payload { at: usize },
}

const NEW_HEADER: Reading = Reading::Header { bytes: [0; 10], have: 0 };

/// A connection that is open for messages.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    reading: Reading,
    written: usize,
    pending: usize,
    /// When each message that must still come was sent.
    expected: VecDeque<Instant>,
}

impl Connection {
    /// A connection on an open stream.
    pub fn new(stream: Stream) -> Self {
        Self { stream, reading: NEW_HEADER, written: 0, pending: 0, expected: VecDeque::new() }
    }

    /// Queues `count` messages and writes what the socket takes.
    ///
    /// # Errors
    /// What the socket reports.
    pub fn send(&mut self, message: &Message, count: usize) -> io::Result<()> {
        self.pending += count * message.frame_len();
        self.flush(message)
    }

    /// From now on `count` messages more are due, sent at `sent`.
    pub fn expect(&mut self, count: usize, sent: Instant) {
        self.expected.extend(std::iter::repeat_n(sent, count));
    }

    /// Writes what is pending until the socket would block.
    ///
    /// # Errors
    /// What the socket reports.
    pub fn flush(&mut self, message: &Message) -> io::Result<()> {
        match self.write(message) {
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => Ok(()),
            result => result,
        }
    }

    fn write(&mut self, message: &Message) -> io::Result<()> {
        while self.pending > 0 {
            match self.stream.write(message.bytes_at(self.written, self.pending)) {
                Ok(n) => {
                    self.written += n;
                    self.pending -= n;
                }
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        self.stream.flush()
    }

    /// Reads until the socket is empty, checks every message and tells how long it was under way.
    /// `ended`: the peer has closed its side, so read on to the end. Gives the number of messages.
    ///
    /// # Errors
    /// What the socket reports, its end, or anything that is not the message.
    pub fn receive(
        &mut self,
        message: &Message,
        buffer: &mut [u8],
        ended: bool,
        mut arrived: impl FnMut(Duration),
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
                let (used, complete) = self.reading.parse(message, rest)?;
                rest = &rest[used..];
                if complete {
                    let sent = self.expected.pop_front();
                    arrived(now - sent.ok_or_else(|| io::Error::other("a message that nobody sent"))?);
                    count += 1;
                }
            }
            // A short read has emptied the socket: the next bytes raise an event, only an end does not.
            if n < buffer.len() && !ended && self.stream.short_read_is_last() {
                return Ok(count);
            }
        }
    }
}

impl Reading {
    /// Takes bytes of the current frame; says how many, and whether they ended it.
    fn parse(&mut self, message: &Message, input: &[u8]) -> io::Result<(usize, bool)> {
        let payload = message.payload();
        match self {
            Self::Header { bytes, have } => {
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
                        "not what was sent: first byte {first:#04x}, length {length}"
                    )));
                }
                let complete = payload.is_empty();
                *self = if complete { NEW_HEADER } else { Self::Payload { at: 0 } };
                Ok((take, complete))
            }
            Self::Payload { at } => {
                let take = (payload.len() - *at).min(input.len());
                if input[..take] != payload[*at..*at + take] {
                    return Err(io::Error::other("a message has other bytes than were sent"));
                }
                *at += take;
                let complete = *at == payload.len();
                if complete {
                    *self = NEW_HEADER;
                }
                Ok((take, complete))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::NEW_HEADER;
    use crate::message::Message;

    /// Reads an input in pieces of `len` bytes; gives the number of messages in it.
    fn read(message: &Message, input: &[u8], len: usize) -> io::Result<usize> {
        let (mut reading, mut count) = (NEW_HEADER, 0);
        for mut piece in input.chunks(len) {
            while !piece.is_empty() {
                let (used, complete) = reading.parse(message, piece)?;
                piece = &piece[used..];
                count += usize::from(complete);
            }
        }
        Ok(count)
    }

    fn frame(header: &[u8], message: &Message) -> Vec<u8> {
        [header, message.payload()].concat()
    }

    #[test]
    fn echoes_in_every_split() {
        for (size, header) in [
            (0, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (70_000, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]),
        ] {
            let message = Message::new(size, true, 1);
            let input = frame(&header, &message).repeat(3);
            for len in [1, 2, 3, 4, 9, 10, 11, 1000, input.len()] {
                assert_eq!(read(&message, &input, len).unwrap_or_default(), 3, "{size} in pieces of {len}");
            }
        }
    }

    #[test]
    fn what_is_no_echo_is_an_error() {
        let message = Message::new(64, false, 1);
        let echo = frame(&[0x81, 64], &message);
        assert!(read(&message, &echo, 7).is_ok());
        for (at, flip) in [(0, 3), (1, 1), (1, 0x80), (2, 1), (65, 0x40)] {
            let mut other = echo.clone();
            other[at] ^= flip;
            assert!(read(&message, &other, 7).is_err(), "byte {at} changed");
        }
    }
}
