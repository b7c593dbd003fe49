//! Connections on one poll, and the ways of keeping them busy; `paced` is the one independent of
//! the server's speed. Each phase ends drained: no message is in flight when it returns. Called by
//! `main`; `connection` reads and writes.

mod paced;

use std::{
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token};

use crate::{
    check::Check,
    connection::Connection,
    deflate::{Agreement, Offer},
    measured::{Measured, STALL, bound_silence, record},
    message::Messages,
    options::Options,
    stream::Stream,
    tls,
};

/// Maximum bytes of one read.
const READ_BYTES: usize = 256 * 1024;
/// Number of message rings to compress.
const RINGS: u32 = 8;
/// Number of compressed replies inflated per connection; on the first connection all are.
const INFLATED: usize = 4;

/// The poll, its connections and the messages they send.
pub struct Load {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    /// Silent connections, to which the server must not send.
    silent: Vec<Stream>,
    /// One ring for each kind of message. With compression the connections use them in turn, or a
    /// server could compress one reply for many connections.
    messages: Vec<Messages>,
    agreement: Option<Agreement>,
    in_flight: usize,
    broadcast: bool,
    every: Option<Duration>,
    buffer: Vec<u8>,
}

impl Load {
    /// Opens the connections one after the other, at the server's pace.
    ///
    /// # Errors
    /// If a connection does not open, or negotiates differently from the others.
    pub fn open(options: &Options) -> Result<Self, Box<dyn Error>> {
        let poll = Poll::new()?;
        let tls = if options.tls { Some(tls::config()?) } else { None };
        let open = |index, offer| {
            Stream::open(options.address, source(index, options.addresses), tls.as_ref(), offer)
                .map_err(|err| format!("connection {}: {err}", index + 1))
        };
        let mut connections = Vec::with_capacity(options.connections);
        let mut agreement: Option<Agreement> = None;
        for index in 0..options.connections {
            let offer = options.deflate.map(Offer::header);
            let (mut stream, answer) = open(index, offer)?;
            let check = match options.deflate.zip(answer) {
                None => Check::Bytes,
                Some((offer, answer)) => {
                    let agreed = Agreement::new(offer, &answer)?;
                    let inflater = Box::new(agreed.inflater());
                    if agreement.get_or_insert_with(|| agreed.clone()) != &agreed {
                        return Err(format!("connection {}: another answer: {answer}", index + 1).into());
                    }
                    Check::Inflate { inflater, left: if index == 0 { usize::MAX } else { INFLATED } }
                }
            };
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(stream.socket(), Token(index), interest)?;
            connections.push(Connection::new(stream, check));
        }
        let further = options.connections..options.connections + options.silent;
        let silent = further
            .map(|index| open(index, options.deflate.map(Offer::header)).map(|(stream, _)| stream))
            .collect::<Result<_, _>>()?;
        let messages = match &agreement {
            None => vec![Messages::same(options.size, options.binary, options.in_flight)],
            Some(agreement) => {
                let rings = if options.broadcast { 1 } else { RINGS };
                let ring = |index| Messages::compressed(options.size, agreement, index);
                (0..rings).map(ring).collect::<Result<_, _>>()?
            }
        };
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            connections,
            silent,
            messages,
            agreement,
            in_flight: options.in_flight,
            broadcast: options.broadcast,
            every: options.every,
            buffer: vec![0; READ_BYTES],
        })
    }

    /// The server's answer to the offer of permessage-deflate; `None` without an offer.
    pub fn negotiated(&self) -> Option<&str> {
        self.agreement.as_ref().map(Agreement::parameters)
    }

    /// Bytes of all received frames.
    fn received(&self) -> u64 {
        self.connections.iter().map(Connection::received).sum()
    }

    /// Every connection sends its messages in flight `count` times, each time after all connections
    /// have received all echoes.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn exchange(&mut self, count: usize) -> Result<Measured, Box<dyn Error>> {
        let mut all = Measured::new()?;
        for _ in 0..count {
            let Measured { messages, drained, received, latency } = self.run(Duration::ZERO)?;
            all.messages += messages;
            all.drained += drained;
            all.received += received;
            all.latency.add(latency)?;
        }
        Ok(all)
    }

    /// Makes load for `duration`, then waits for the messages still in flight.
    ///
    /// # Errors
    /// If a connection fails, or the server stalls or sends anything unexpected.
    pub fn run(&mut self, duration: Duration) -> Result<Measured, Box<dyn Error>> {
        let received = self.received();
        let mut measured = match self.every {
            Some(every) => self.paced(duration, every),
            None if self.broadcast => self.broadcast(duration),
            None => self.echo(duration),
        }?;
        measured.received = self.received() - received;
        self.check_silence()?;
        Ok(measured)
    }

    /// # Errors
    /// If a silent connection received data or was closed.
    fn check_silence(&mut self) -> Result<(), Box<dyn Error>> {
        for stream in &mut self.silent {
            match stream.read(&mut self.buffer) {
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) => return Err("the server closed a silent connection".into()),
                Ok(_) => return Err("the server spoke on a silent connection".into()),
                Err(err) => return Err(err.into()),
            }
        }
        Ok(())
    }

    /// Every connection keeps its messages in flight: each echo received sends the next one.
    fn echo(&mut self, duration: Duration) -> Result<Measured, Box<dyn Error>> {
        let mut measured = Measured::new()?;
        let deadline = Instant::now() + duration;
        let rings = self.messages.len();
        for (index, connection) in self.connections.iter_mut().enumerate() {
            connection.expect(self.in_flight, Instant::now());
            connection.send(&self.messages[index % rings], self.in_flight)?;
        }
        let mut outstanding = self.connections.len() * self.in_flight;
        let mut heard_at = Instant::now();

        while outstanding > 0 {
            self.wait(STALL)?;
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                let messages = &self.messages[event.token().0 % rings];
                if event.is_writable() {
                    connection.flush(messages)?;
                }
                if !event.is_readable() {
                    continue;
                }
                let ended = event.is_read_closed();
                let arrived = |time| record(&mut measured.latency, time);
                let count = connection.receive(messages, &mut self.buffer, ended, arrived)?;
                let now = Instant::now();
                if count > 0 {
                    heard_at = now;
                }
                if now < deadline {
                    measured.messages += count as u64;
                    connection.expect(count, now);
                    connection.send(messages, count)?;
                } else {
                    measured.drained += count as u64;
                    outstanding -= count;
                }
            }
            bound_silence(heard_at, outstanding)?;
        }
        Ok(measured)
    }

    /// The first connection sends, and again once all connections have received their copy.
    fn broadcast(&mut self, duration: Duration) -> Result<Measured, Box<dyn Error>> {
        let mut measured = Measured::new()?;
        let deadline = Instant::now() + duration;
        loop {
            let sent = Instant::now();
            for connection in &mut self.connections {
                connection.expect(self.in_flight, sent);
            }
            self.connections[0].send(&self.messages[0], self.in_flight)?;
            let mut outstanding = self.connections.len() * self.in_flight;
            while outstanding > 0 {
                self.wait(STALL)?;
                let messages = &self.messages[0];
                for event in &self.events {
                    let connection = &mut self.connections[event.token().0];
                    if event.is_writable() {
                        connection.flush(messages)?;
                    }
                    if event.is_readable() {
                        let ended = event.is_read_closed();
                        outstanding -= connection.receive(messages, &mut self.buffer, ended, |_| {})?;
                    }
                }
                bound_silence(sent, outstanding)?;
            }
            measured.record(sent.elapsed());
            let copies = (self.connections.len() * self.in_flight) as u64;
            if Instant::now() >= deadline {
                measured.drained += copies;
                return Ok(measured);
            }
            measured.messages += copies;
        }
    }

    fn wait(&mut self, longest: Duration) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(longest)) {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            result => result,
        }
    }
}

/// Source address of a connection: one of the first `addresses` loopback addresses; `None` leaves
/// it to the system.
fn source(index: usize, addresses: u8) -> Option<IpAddr> {
    let number = u8::try_from(index % usize::from(addresses)).ok()?;
    (addresses > 1).then(|| Ipv4Addr::new(127, 0, 0, 1 + number).into())
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn source_addresses_are_used_in_turn() {
        assert_eq!(source(7, 1), None);
        let last = |index| source(index, 3).map(|address| address.to_string());
        assert_eq!(last(0).as_deref(), Some("127.0.0.1"));
        assert_eq!(last(5).as_deref(), Some("127.0.0.3"));
    }
}
