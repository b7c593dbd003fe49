//! Command-line options. Read by `main` only.

use std::{error::Error, net::SocketAddr, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

use crate::deflate::Offer;

/// Options of a run.
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line, independent of each other")]
#[derive(Debug)]
pub struct Options {
    /// Address of the server.
    pub address: SocketAddr,
    /// Number of connections, opened one after the other before the load starts.
    pub connections: usize,
    /// Messages that each connection keeps in flight.
    pub in_flight: usize,
    /// Payload length of a message in bytes.
    pub size: usize,
    /// Send binary messages instead of text.
    pub binary: bool,
    /// Connect with TLS and accept any certificate.
    pub tls: bool,
    /// The first connection sends, and every message is delivered to all.
    pub broadcast: bool,
    /// Send compressed JSON instead of the same bytes in every message.
    pub deflate: Option<Offer>,
    /// Number of exchanges of the messages in flight, replacing warm-up and duration; with
    /// `opening`, of one message per connection.
    pub exchanges: Option<usize>,
    /// Open and close connections, this many at a time.
    pub opening: bool,
    /// With `opening`: bytes of a request that are sent at a time, instead of all.
    pub drip: Option<usize>,
    /// Interval at which each connection sends a message, instead of a number in flight.
    pub every: Option<Duration>,
    /// Additional connections that send nothing.
    pub silent: usize,
    /// Loopback addresses used in turn as source: one address has a limited number of ports.
    pub addresses: u8,
    /// Duration of the load before the measurement.
    pub warm_up: Duration,
    /// Duration of the measured load.
    pub duration: Duration,
}

/// Output of `--help`.
pub const USAGE: &str = "load --port N [--host 127.0.0.1] [--connections 100] [--in-flight 1] [--size 64] \
[--binary] [--tls] [--broadcast | --every MILLIS] [--deflate takeover|no-takeover] [--silent 0] [--addresses 1] \
[--warm-up 1] [--seconds 5 | --exchanges N]
load --opening --port N [--connections 100] [--exchanges 0] [--drip BYTES] [--size 64] [--warm-up 1] [--seconds 5]

Sends WebSocket messages to an echo server on each connection and checks every echo; or, with --broadcast, sends them on one
connection to a server that delivers each message to all, and the next one when all have received it.
--deflate: the messages are JSON, all different, and permessage-deflate is offered and must be used. The first replies on each
connection, and all on the first one, are inflated and compared.
--exchanges, for an echo server: every connection sends its messages in flight this many times, without a warm-up.
--every: each connection sends one message per interval.
--silent opens further connections, which must stay open without receiving anything; --addresses uses 127.0.0.1, .2, and so on
in turn as the source of all connections.
--opening: this many connections at a time are opened, exchange messages and are closed. Each counts as a message of the result,
and its latency is that of the opening handshake. --drip BYTES: the request is sent in parts of so many bytes, one a millisecond.
After the warm-up the program prints {\"event\":\"ready\"}, with the answer to the offer, and waits for a line on standard input;
after the measured seconds it prints {\"event\":\"result\", ...}, with latencies in microseconds, and measures
again at every further line. It stays connected until the end of standard input.";

/// Parses the command line; `None` for `--help`.
///
/// # Errors
/// An unknown option, an invalid value, or a missing `--port`.
pub fn parse() -> Result<Option<Options>, Box<dyn Error>> {
    let mut host = String::from("127.0.0.1");
    let mut port: Option<u16> = None;
    let (mut connections, mut in_flight, mut size, mut binary) = (100, 1, 64, false);
    let (mut tls, mut broadcast) = (false, false);
    let (mut deflate, mut exchanges, mut opening) = (None, None, false);
    let (mut every, mut silent, mut addresses) = (None, 0, 1);
    let mut drip = None;
    let (mut warm_up, mut seconds) = (1.0, 5.0);

    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("host") => host = parser.value()?.string()?,
            Arg::Long("port") => port = Some(parser.value()?.parse()?),
            Arg::Long("connections") => connections = parser.value()?.parse()?,
            Arg::Long("in-flight") => in_flight = parser.value()?.parse()?,
            Arg::Long("size") => size = parser.value()?.parse()?,
            Arg::Long("binary") => binary = true,
            Arg::Long("tls") => tls = true,
            Arg::Long("broadcast") => broadcast = true,
            Arg::Long("deflate") => {
                deflate = Some(match parser.value()?.string()?.as_str() {
                    "takeover" => Offer::Takeover,
                    "no-takeover" => Offer::NoTakeover,
                    other => return Err(format!("--deflate {other}? takeover or no-takeover").into()),
                });
            }
            Arg::Long("exchanges") => exchanges = Some(parser.value()?.parse()?),
            Arg::Long("opening") => opening = true,
            Arg::Long("drip") => drip = Some(parser.value()?.parse()?),
            Arg::Long("every") => every = Some(Duration::from_millis(parser.value()?.parse()?)),
            Arg::Long("silent") => silent = parser.value()?.parse()?,
            Arg::Long("addresses") => addresses = parser.value()?.parse()?,
            Arg::Long("warm-up") => warm_up = parser.value()?.parse()?,
            Arg::Long("seconds") => seconds = parser.value()?.parse()?,
            Arg::Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    let port = port.ok_or("--port is missing")?;
    let options = Options {
        address: SocketAddr::new(host.parse()?, port),
        connections,
        in_flight,
        size,
        binary,
        tls,
        broadcast,
        deflate,
        exchanges,
        opening,
        drip,
        every,
        silent,
        addresses,
        warm_up: Duration::try_from_secs_f64(warm_up)?,
        duration: Duration::try_from_secs_f64(seconds)?,
    };
    match options.contradiction() {
        None => Ok(Some(options)),
        Some(error) => Err(error.into()),
    }
}

impl Options {
    /// Describes a contradiction between options.
    fn contradiction(&self) -> Option<&'static str> {
        let fixed = self.exchanges.is_some() || self.broadcast;
        if self.connections == 0 || self.in_flight == 0 || self.addresses == 0 {
            Some("--connections, --in-flight and --addresses must be at least 1")
        } else if self.every.is_some_and(|every| every.is_zero()) {
            Some("--every must be at least 1")
        } else if self.deflate.is_some() && self.binary {
            Some("--deflate sends text: --binary does not go with it")
        } else if self.exchanges.is_some() && self.broadcast {
            Some("--exchanges does not go with --broadcast")
        } else if self.every.is_some() && fixed {
            Some("--every does not go with --exchanges or --broadcast")
        } else if self.drip.is_some_and(|bytes| bytes == 0 || !self.opening) {
            Some("--drip must be at least 1, and goes with --opening")
        } else if self.opening && (self.tls || self.deflate.is_some() || self.broadcast || self.silent > 0) {
            Some("--opening does not go with --tls, --deflate, --broadcast or --silent")
        } else if self.opening && (self.every.is_some() || self.addresses > 1 || self.in_flight > 1) {
            Some("--opening does not go with --every, --addresses or --in-flight")
        } else {
            None
        }
    }
}
