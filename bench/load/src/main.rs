//! WebSocket load from one thread: N connections keep M messages each under way, or one of them sends to all; every
//! message that comes is checked, and the result is a line of JSON. The benchmark's runner starts it and samples the
//! server between the lines, when nothing is under way. Nothing here knows which server that is.

mod check;
mod connection;
mod deflate;
mod load;
mod message;
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

use load::{Load, Measured};
use options::Options;

/// CPU time of this process, which has one thread; only Linux tells it to the nanosecond.
fn cpu_nanos() -> Option<u64> {
    std::fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// Runs both phases and prints the events that the runner waits for.
fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut load = Load::open(options)?;
    if !options.warm_up.is_zero() && options.exchanges.is_none() {
        load.run(options.warm_up)?;
    }

    let mut out = io::stdout();
    match load.negotiated() {
        None => writeln!(out, r#"{{"event":"ready"}}"#)?,
        Some(parameters) => writeln!(out, r#"{{"event":"ready","negotiated":"{parameters}"}}"#)?,
    }
    if io::stdin().lock().read_line(&mut String::new())? == 0 {
        return Err("standard input ended before the measurement was asked for".into());
    }

    let (cpu_before, received_before) = (cpu_nanos(), load.received());
    let Measured { messages, drained, latency } = match options.exchanges {
        None => load.run(options.duration)?,
        Some(count) => load.exchange(count)?,
    };
    let received = load.received() - received_before;
    let cpu = cpu_before.zip(cpu_nanos()).map_or_else(
        || String::from("null"),
        |(before, after)| Duration::from_nanos(after - before).as_micros().to_string(),
    );
    // Precision is for the reader; a minute of nanoseconds is far below 2^52.
    #[allow(clippy::cast_precision_loss)]
    let micros = |nanos: u64| nanos as f64 / 1000.0;
    writeln!(
        out,
        r#"{{"event":"result","messages":{messages},"drained":{drained},"received":{received},"cpu":{cpu},"latency":{{"p50":{:.1},"p90":{:.1},"p99":{:.1},"max":{:.1}}}}}"#,
        micros(latency.value_at_quantile(0.5)),
        micros(latency.value_at_quantile(0.9)),
        micros(latency.value_at_quantile(0.99)),
        micros(latency.max()),
    )?;
    // The connections stay until the runner has sampled the server: closing them is no part of the load.
    io::stdin().lock().read_line(&mut String::new())?;
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
