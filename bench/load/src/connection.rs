//! An open client connection: pending output, and received messages, each of which is checked.
//! Driven by the poll loop of `load`; opened by `stream`. No totals across connections here.

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use crate::{check::Check, message::Messages, stream::Stream};

/// State of the reader.
#[derive(Debug)]
enum Reading {
    Header { bytes: [u8; 10], have: usize },
    Payload { at: usize, len: usize },
}

const NEW_HEADER: Reading = Reading::Header { bytes: [0; 10], have: 0 };

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    check: Check,
    reading: Reading,
    /// Numbers of the next message received and of the next one queued.
    coming: usize,
    next: usize,
    received: u64,
    written: usize,
    pending: usize,
    /// Send times of the messages not yet received.
    expected: VecDeque<Instant>,
}

impl Connection {
    /// Creates a connection on an open stream, with the check for its messages.
    pub fn new(stream: Stream, check: Check) -> Self {
        Self {
            stream,
            check,
            reading: NEW_HEADER,
            coming: 0,
            next: 0,
            received: 0,
            written: 0,
            pending: 0,
            expected: VecDeque::new(),
        }
    }

    /// Bytes received, frame headers included.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Queues `count` messages and writes until the socket would block.
    ///
    /// # Errors
    /// Errors of the socket.
    pub fn send(&mut self, messages: &Messages, count: usize) -> io::Result<()> {
        for _ in 0..count {
            self.pending += messages.frame_len(self.next);
            self.next = messages.after(self.next);
        }
        self.flush(messages)
    }

    /// Expects `count` more messages, sent at `sent`.
    pub fn expect(&mut self, count: usize, sent: Instant) {
        self.expected.extend(std::iter::repeat_n(sent, count));
    }

    /// Writes pending output until the socket would block.
    ///
    /// # Errors
    /// Errors of the socket.
    pub fn flush(&mut self, messages: &Messages) -> io::Result<()> {
        match self.write(messages) {
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => Ok(()),
            result => result,
        }
    }

    fn write(&mut self, messages: &Messages) -> io::Result<()> {
        while self.pending > 0 {
            match self.stream.write(messages.bytes_at(self.written, self.pending)) {
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

    /// Reads until the socket is empty, checks every message and records its latency. `ended`: the
    /// peer has closed its side, so read to the end. Returns the number of messages.
    ///
    /// # Errors
    /// Errors of the socket, its end, or an unexpected message.
    pub fn receive(
        &mut self,
        messages: &Messages,
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
            self.received += n as u64;
            let mut rest = &buffer[..n];
            while !rest.is_empty() {
                let (used, complete) = self.reading.parse(messages, self.coming, &mut self.check, rest)?;
                rest = &rest[used..];
                if complete {
                    self.coming = messages.after(self.coming);
                    let sent = self.expected.pop_front();
                    arrived(now - sent.ok_or_else(|| io::Error::other("a message that was never sent"))?);
                    count += 1;
                }
            }
            // A short read has emptied the socket: further bytes raise an event, an end does not.
            if n < buffer.len() && !ended && self.stream.short_read_is_last() {
                return Ok(count);
            }
        }
    }
}

impl Reading {
    /// Consumes bytes of the current frame. Returns their number, and true if they completed it.
    fn parse(
        &mut self,
        messages: &Messages,
        number: usize,
        check: &mut Check,
        input: &[u8],
    ) -> io::Result<(usize, bool)> {
        let (take, complete) = match self {
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
                check.header(messages, number, bytes[0], length)?;
                let len = usize::try_from(length).map_err(io::Error::other)?;
                *self = Self::Payload { at: 0, len };
                (take, len == 0)
            }
            Self::Payload { at, len } => {
                let take = (*len - *at).min(input.len());
                check.piece(messages, number, *at, &input[..take])?;
                *at += take;
                (take, at == len)
            }
        };
        if complete {
            check.end(messages, number)?;
            *self = NEW_HEADER;
        }
        Ok((take, complete))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::NEW_HEADER;
    use crate::{
        check::Check,
        deflate::{Agreement, Offer},
        message::Messages,
        text::json,
    };

    /// Reads an input in pieces of `len` bytes. Returns the number of messages in it.
    fn read(messages: &Messages, mut check: Check, input: &[u8], len: usize) -> io::Result<usize> {
        let (mut reading, mut number, mut count) = (NEW_HEADER, 0, 0);
        for mut piece in input.chunks(len) {
            while !piece.is_empty() {
                let (used, complete) = reading.parse(messages, number, &mut check, piece)?;
                piece = &piece[used..];
                if complete {
                    number = messages.after(number);
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    fn frame(header: &[u8], messages: &Messages) -> Vec<u8> {
        [header, messages.payload(0)].concat()
    }

    #[test]
    fn echoes_in_every_split() {
        for (size, header) in [
            (0, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (70_000, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]),
        ] {
            let messages = Messages::same(size, true, 1);
            let input = frame(&header, &messages).repeat(3);
            for len in [1, 2, 3, 4, 9, 10, 11, 1000, input.len()] {
                let count = read(&messages, Check::Bytes, &input, len).unwrap_or_default();
                assert_eq!(count, 3, "{size} in pieces of {len}");
            }
        }
    }

    #[test]
    fn anything_but_the_echo_is_an_error() {
        let messages = Messages::same(64, false, 1);
        let echo = frame(&[0x81, 64], &messages);
        assert!(read(&messages, Check::Bytes, &echo, 7).is_ok());
        for (at, flip) in [(0, 3), (1, 1), (1, 0x80), (2, 1), (65, 0x40)] {
            let mut other = echo.clone();
            other[at] ^= flip;
            assert!(read(&messages, Check::Bytes, &other, 7).is_err(), "byte {at} changed");
        }
    }

    #[test]
    fn the_first_compressed_echoes_are_inflated() -> io::Result<()> {
        let agreement = Agreement::new(Offer::Takeover, "permessage-deflate")?;
        let messages = Messages::compressed(200, &agreement, 0)?;
        let check = |left| Check::Inflate { inflater: Box::new(agreement.inflater()), left };
        let mut compressor = agreement.compressor();
        let mut echoes = Vec::new();
        let mut starts = Vec::new();
        for number in 0..3 {
            let payload = compressor.compress(&json(200, number))?;
            starts.push(echoes.len());
            let header = match u8::try_from(payload.len()) {
                Ok(short @ 0..=125) => vec![0xc1, short],
                Ok(long) => vec![0xc1, 126, 0, long],
                Err(err) => return Err(io::Error::other(err)),
            };
            echoes.extend([header, payload].concat());
        }
        for len in [1, 7, echoes.len()] {
            assert_eq!(read(&messages, check(3), &echoes, len)?, 3, "in pieces of {len}");
        }

        let mut wrong = echoes.clone();
        wrong[starts[1] + 20] ^= 1;
        assert!(read(&messages, check(3), &wrong, 7).is_err(), "the second is looked into");
        assert!(read(&messages, check(1), &wrong, 7).is_ok(), "the second is not looked into");
        wrong[starts[2]] = 0x81;
        assert!(read(&messages, check(1), &wrong, 7).is_err(), "the third is not compressed");
        Ok(())
    }
}
