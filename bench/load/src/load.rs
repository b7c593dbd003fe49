//! The load itself: connections on one poll, and the two ways of keeping them busy. Each phase ends drained: no message
//! is under way when it returns. Called by `main`; what a connection reads and writes is `connection`'s.

use std::{
    error::Error,
    io,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};

use crate::{
    check::Check,
    connection::Connection,
    deflate::{Agreement, Offer},
    message::Messages,
    options::Options,
    stream::Stream,
    tls,
};

/// Bytes taken from a socket by one read.
const READ_BYTES: usize = 256 * 1024;
/// The longest silence of a server that owes messages.
const STALL: Duration = Duration::from_secs(10);
/// Rings of messages to compress.
const RINGS: u32 = 8;
/// Of the compressed replies on a connection so many are inflated; on the first connection all are.
const INFLATED: usize = 4;
/// Latencies above a minute are counted as a minute.
const MAX_LATENCY_NANOS: u64 = 60_000_000_000;

/// The poll, the connections on it and the messages they send.
pub struct Load {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    /// Of one kind each; connections with compression take them in turn, or a server could compress one reply for many.
    messages: Vec<Messages>,
    agreement: Option<Agreement>,
    in_flight: usize,
    broadcast: bool,
    buffer: Vec<u8>,
}

/// What one phase did.
pub struct Measured {
    /// Messages that came before the time was up.
    pub messages: u64,
    /// Messages that came after it, until nothing was under way.
    pub drained: u64,
    /// Nanoseconds from queueing a message to reading the end of its echo; of a broadcast, of its last copy.
    pub latency: Histogram<u64>,
}

impl Measured {
    fn new() -> Result<Self, Box<dyn Error>> {
        let latency = Histogram::new_with_bounds(1, MAX_LATENCY_NANOS, 3)?;
        Ok(Self { messages: 0, drained: 0, latency })
    }
}

fn record(latency: &mut Histogram<u64>, time: Duration) {
    latency.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

impl Load {
    /// Opens the connections one after the other, at the pace of the server.
    ///
    /// # Errors
    /// A connection does not open, or not as the others did.
    pub fn open(options: &Options) -> Result<Self, Box<dyn Error>> {
        let poll = Poll::new()?;
        let tls = if options.tls { Some(tls::config()?) } else { None };
        let mut connections = Vec::with_capacity(options.connections);
        let mut agreement: Option<Agreement> = None;
        for index in 0..options.connections {
            let offer = options.deflate.map(Offer::header);
            let (mut stream, answer) = Stream::open(options.address, tls.as_ref(), offer)
                .map_err(|err| format!("connection {}: {err}", index + 1))?;
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
            messages,
            agreement,
            in_flight: options.in_flight,
            broadcast: options.broadcast,
            buffer: vec![0; READ_BYTES],
        })
    }

    /// What the server answered to the offer of permessage-deflate; `None` when nothing was offered.
    pub fn negotiated(&self) -> Option<&str> {
        self.agreement.as_ref().map(Agreement::parameters)
    }

    /// Bytes of all frames that have come.
    pub fn received(&self) -> u64 {
        self.connections.iter().map(Connection::received).sum()
    }

    /// Every connection sends its messages in flight `count` times, and again only when everybody has all echoes.
    ///
    /// # Errors
    /// As those of `run`.
    pub fn exchange(&mut self, count: usize) -> Result<Measured, Box<dyn Error>> {
        let mut all = Measured::new()?;
        for _ in 0..count {
            let Measured { messages, drained, latency } = self.echo(Duration::ZERO)?;
            all.messages += messages;
            all.drained += drained;
            all.latency.add(latency)?;
        }
        Ok(all)
    }

    /// Makes load for `duration`, then waits for what is still under way.
    ///
    /// # Errors
    /// A connection fails, the server falls silent, or it sends something else.
    pub fn run(&mut self, duration: Duration) -> Result<Measured, Box<dyn Error>> {
        if self.broadcast { self.broadcast(duration) } else { self.echo(duration) }
    }

    /// Every connection keeps its messages under way: an echo that comes in sends the next one.
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
            self.wait()?;
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

    /// The first connection sends, and again when everybody has received the last copy.
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
                self.wait()?;
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
            record(&mut measured.latency, sent.elapsed());
            let copies = (self.connections.len() * self.in_flight) as u64;
            if Instant::now() >= deadline {
                measured.drained += copies;
                return Ok(measured);
            }
            measured.messages += copies;
        }
    }

    fn wait(&mut self) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(STALL)) {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            result => result,
        }
    }
}

fn bound_silence(since: Instant, outstanding: usize) -> Result<(), Box<dyn Error>> {
    if outstanding > 0 && since.elapsed() > STALL {
        return Err(format!("silence for {STALL:?}, {outstanding} messages under way").into());
    }
    Ok(())
}
