//! WebSocket echo load from one thread: N connections keep M messages each under way, every echo is checked,
//! and the result is a line of JSON. `bench/run.mjs` runs it; nothing here knows which server it talks to.
//!
//! Each phase ends drained: no message is under way when the server's CPU time is read, before and after.

mod connection;
mod message;
mod options;

use std::{
    error::Error,
    io::{self, BufRead, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};

use connection::Connection;
use message::Message;
use options::Options;

/// Bytes taken from a socket by one read.
const READ_BYTES: usize = 256 * 1024;
/// The longest silence of a server that owes echoes.
const STALL: Duration = Duration::from_secs(10);
/// Latencies above a minute are counted as a minute.
const MAX_LATENCY_NANOS: u64 = 60_000_000_000;

/// The poll, the connections on it and the message they send.
struct Load {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    message: Message,
    in_flight: usize,
    buffer: Vec<u8>,
}

/// What one phase did.
struct Measured {
    /// Echoes that came before the time was up.
    messages: u64,
    /// Echoes that came after it, until nothing was under way.
    drained: u64,
    /// Nanoseconds from queueing a message to reading the end of its echo.
    latency: Histogram<u64>,
}

impl Load {
    fn open(options: &Options) -> Result<Self, Box<dyn Error>> {
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(options.connections);
        for index in 0..options.connections {
            let mut connection = Connection::open(options.address)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(connection.stream(), Token(index), interest)?;
            connections.push(connection);
        }
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            connections,
            message: Message::new(options.size, options.binary, options.in_flight),
            in_flight: options.in_flight,
            buffer: vec![0; READ_BYTES],
        })
    }

    /// Sends for `duration`, then waits for what is still under way.
    fn run(&mut self, duration: Duration) -> Result<Measured, Box<dyn Error>> {
        let mut latency = Histogram::new_with_bounds(1, MAX_LATENCY_NANOS, 3)?;
        let (mut messages, mut drained) = (0, 0);
        let deadline = Instant::now() + duration;

        for connection in &mut self.connections {
            connection.send(&self.message, self.in_flight, Instant::now())?;
        }
        let mut outstanding = self.connections.len() * self.in_flight;
        let mut heard_at = Instant::now();

        while outstanding > 0 {
            match self.poll.poll(&mut self.events, Some(STALL)) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                if event.is_writable() {
                    connection.flush(&self.message)?;
                }
                if !event.is_readable() {
                    continue;
                }
                let ended = event.is_read_closed();
                let count = connection.receive(&self.message, &mut self.buffer, ended, &mut latency)?;
                let now = Instant::now();
                if count > 0 {
                    heard_at = now;
                }
                if now < deadline {
                    messages += count as u64;
                    connection.send(&self.message, count, now)?;
                } else {
                    drained += count as u64;
                    outstanding -= count;
                }
            }
            if heard_at.elapsed() > STALL {
                return Err(format!("no echo for {STALL:?}, {outstanding} messages under way").into());
            }
        }
        Ok(Measured { messages, drained, latency })
    }
}

/// CPU time of this process, which has one thread; only Linux tells it to the nanosecond.
fn cpu_nanos() -> Option<u64> {
    std::fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// Runs both phases and prints the events that `bench/run.mjs` waits for.
fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut load = Load::open(options)?;
    if !options.warm_up.is_zero() {
        load.run(options.warm_up)?;
    }

    let mut out = io::stdout();
    writeln!(out, r#"{{"event":"ready"}}"#)?;
    if io::stdin().lock().read_line(&mut String::new())? == 0 {
        return Err("standard input ended before the measurement was asked for".into());
    }

    let cpu_before = cpu_nanos();
    let Measured { messages, drained, latency } = load.run(options.duration)?;
    let cpu = cpu_before.zip(cpu_nanos()).map_or_else(
        || String::from("null"),
        |(before, after)| Duration::from_nanos(after - before).as_micros().to_string(),
    );
    // Precision is for the reader; a count of messages is far below 2^52.
    #[allow(clippy::cast_precision_loss)]
    let (rate, micros) =
        (messages as f64 / options.duration.as_secs_f64(), |nanos: u64| nanos as f64 / 1000.0);
    writeln!(
        out,
        r#"{{"event":"result","messages":{messages},"drained":{drained},"messagesPerSecond":{rate:.1},"cpu":{cpu},"latency":{{"p50":{:.1},"p90":{:.1},"p99":{:.1},"max":{:.1}}}}}"#,
        micros(latency.value_at_quantile(0.5)),
        micros(latency.value_at_quantile(0.9)),
        micros(latency.value_at_quantile(0.99)),
        micros(latency.max()),
    )?;
    Ok(())
}

fn main() -> ExitCode {
    let done = match options::parse() {
        Ok(Some(options)) => run(&options),
        Ok(None) => writeln!(io::stdout(), "{}", options::USAGE).map_err(Into::into),
        Err(err) => Err(err),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            // Standard error may be gone; the exit status says the same.
            let _ = writeln!(io::stderr(), "load: {err}");
            ExitCode::FAILURE
        }
    }
}
