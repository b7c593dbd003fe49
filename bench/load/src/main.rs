//! Single-threaded WebSocket load generator: N connections keep M messages in flight each, or one
//! of them sends to all, or connections are opened and closed. Everything received is checked, and
//! the result is a line of JSON. The benchmark's runner starts it and samples the server between
//! the lines, while nothing is in flight. Independent of the server.

mod check;
mod connection;
mod deflate;
mod handshake;
mod load;
mod measured;
mod message;
mod opening;
mod options;
mod stream;
mod text;
mod tls;

use std::{
    error::Error,
    io::{self, BufRead, Write},
    process::ExitCode,
    time::Duration,
};

use load::Load;
use measured::Measured;
use opening::Opening;
use options::Options;

/// CPU time of this single-threaded process in nanoseconds, available on Linux only.
fn cpu_nanos() -> Option<u64> {
    std::fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// The kind of load.
enum Work {
    Held(Load),
    Opening(Opening),
}

impl Work {
    fn new(options: &Options) -> Result<Self, Box<dyn Error>> {
        Ok(if options.opening {
            Self::Opening(Opening::new(options)?)
        } else {
            Self::Held(Load::open(options)?)
        })
    }

    fn phase(&mut self, duration: Duration, exchanges: Option<usize>) -> Result<Measured, Box<dyn Error>> {
        match (self, exchanges) {
            (Self::Held(load), None) => load.run(duration),
            (Self::Held(load), Some(count)) => load.exchange(count),
            (Self::Opening(opening), _) => opening.run(duration),
        }
    }

    fn negotiated(&self) -> Option<&str> {
        match self {
            Self::Held(load) => load.negotiated(),
            Self::Opening(_) => None,
        }
    }
}

/// Runs the warm-up, and a phase for every line from the runner, and prints the results.
fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut work = Work::new(options)?;
    if !options.warm_up.is_zero() && (options.exchanges.is_none() || options.opening) {
        work.phase(options.warm_up, None)?;
    }

    let mut out = io::stdout();
    match work.negotiated() {
        None => writeln!(out, r#"{{"event":"ready"}}"#)?,
        Some(parameters) => writeln!(out, r#"{{"event":"ready","negotiated":"{parameters}"}}"#)?,
    }
    let mut lines = io::stdin().lock().lines();
    let first = lines.next().ok_or("standard input ended before the measurement was asked for")?;
    // The connections stay open until the runner has sampled the server: closing them is not part
    // of the load.
    for line in std::iter::once(first).chain(lines) {
        line?;
        let before = cpu_nanos();
        let measured = work.phase(options.duration, options.exchanges)?;
        let cpu = before.zip(cpu_nanos()).map(|(before, after)| Duration::from_nanos(after - before));
        print_result(&mut out, &measured, cpu)?;
    }
    Ok(())
}

/// Prints the result of a phase.
fn print_result(
    out: &mut impl Write,
    Measured { messages, drained, received, latency }: &Measured,
    cpu: Option<Duration>,
) -> io::Result<()> {
    let cpu = cpu.map_or_else(|| String::from("null"), |time| time.as_micros().to_string());
    // Precise enough: a minute in nanoseconds is far below 2^52.
    #[allow(clippy::cast_precision_loss)]
    let micros = |nanos: u64| nanos as f64 / 1000.0;
    writeln!(
        out,
        r#"{{"event":"result","messages":{messages},"drained":{drained},"received":{received},"cpu":{cpu},"latency":{{"p50":{:.1},"p90":{:.1},"p99":{:.1},"max":{:.1}}}}}"#,
        micros(latency.value_at_quantile(0.5)),
        micros(latency.value_at_quantile(0.9)),
        micros(latency.value_at_quantile(0.99)),
        micros(latency.max()),
    )
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
            // Standard error may be closed; the exit status reports the failure as well.
            let _ = writeln!(io::stderr(), "load: {err}");
            ExitCode::FAILURE
        }
    }
}
