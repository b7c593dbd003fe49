//! The programs of this crate against each other, as used by the benchmark's runner: over real
//! sockets, with lines of JSON. Unit tests are in the files they test.

use std::{
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A running program with its input and output.
struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(path: &str, arguments: &[&str]) -> io::Result<Self> {
        let mut child =
            Command::new(path).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.input.as_mut().map_or(Ok(()), |input| input.write_all(text.as_bytes()))
    }

    /// Closes its input and waits. Returns true if it exited successfully.
    fn end(&mut self) -> io::Result<bool> {
        self.input = None;
        self.child.wait().map(|status| status.success())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Only needed after a failed test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number after `"name":` in a line of JSON.
fn number(line: &str, name: &str) -> Option<u64> {
    let (_, rest) = line.split_once(&format!("\"{name}\":"))?;
    rest.split([',', '}', '.']).next()?.parse().ok()
}

/// Runs a load against the echo server. Returns its result line.
fn run(server: &[&str], load: &str) -> io::Result<String> {
    let mut server = Program::start(env!("CARGO_BIN_EXE_epoll-echo"), server)?;
    let port = number(&server.line()?, "port").ok_or(io::ErrorKind::InvalidData)?;
    let load = format!("--port {port} --warm-up 0.05 --seconds 0.1 {load}");
    let mut load = Program::start(env!("CARGO_BIN_EXE_load"), &load.split(' ').collect::<Vec<_>>())?;
    assert_eq!(load.line()?, "{\"event\":\"ready\"}\n");
    load.say("measure\n")?;
    let result = load.line()?;
    assert!(load.end()?, "the load ends well");
    assert!(server.end()?, "the server ends with its input");
    Ok(result)
}

#[test]
fn echoes_of_every_size() -> io::Result<()> {
    for load in [
        "--connections 1",
        "--connections 20 --in-flight 16",
        "--connections 3 --size 0 --in-flight 2",
        "--connections 5 --size 16384 --binary",
        "--connections 2 --size 1048576 --binary --in-flight 3",
    ] {
        let result = run(&[], load)?;
        assert!(number(&result, "messages") > Some(0), "{load}: {result}");
        assert!(number(&result, "p50") > Some(0), "{load}: {result}");
    }
    Ok(())
}

#[test]
fn the_number_of_exchanges_is_exact() -> io::Result<()> {
    let result = run(&[], "--connections 20 --in-flight 2 --exchanges 3")?;
    // The duration is zero, so all messages arrive after it.
    assert_eq!(number(&result, "drained"), Some(120), "{result}");
    assert_eq!(number(&result, "received"), Some(120 * 66), "{result}");
    Ok(())
}

#[test]
fn every_connection_receives_a_broadcast() -> io::Result<()> {
    for (connections, size) in [(30, 64), (4, 300_000)] {
        let load = format!("--broadcast --connections {connections} --size {size}");
        let result = run(&["--broadcast"], &load)?;
        let messages = number(&result, "messages").ok_or(io::ErrorKind::InvalidData)?;
        assert!(messages > 0 && messages % connections == 0, "{load}: {result}");
    }
    Ok(())
}

#[test]
fn connections_are_opened_and_closed() -> io::Result<()> {
    for exchanges in ["", " --exchanges 1", " --exchanges 3 --size 5000 --binary"] {
        let load = format!("--opening --connections 7{exchanges}");
        let result = run(&[], &load)?;
        assert!(number(&result, "messages") > Some(7), "{load}: {result}");
        assert_eq!(number(&result, "drained"), Some(7), "{load}: {result}");
        assert!(number(&result, "p50") > Some(0), "{load}: {result}");
    }
    Ok(())
}

#[test]
fn a_rate_is_kept() -> io::Result<()> {
    // 30 connections, each every 10 ms, for 100 ms.
    let result = run(&[], "--connections 30 --every 10")?;
    let all = number(&result, "messages").zip(number(&result, "drained"));
    assert!(all.is_some_and(|(came, late)| (200..=300).contains(&(came + late))), "{result}");
    assert!(number(&result, "p99") > Some(0), "{result}");
    Ok(())
}

#[test]
fn silent_connections_are_held_from_all_addresses() -> io::Result<()> {
    let result = run(&[], "--connections 3 --silent 20 --addresses 4")?;
    assert!(number(&result, "messages") > Some(0), "{result}");
    Ok(())
}

#[test]
fn data_on_a_silent_connection_is_an_error() -> io::Result<()> {
    let mut server = Program::start(env!("CARGO_BIN_EXE_epoll-echo"), &["--broadcast"])?;
    let port = number(&server.line()?, "port").ok_or(io::ErrorKind::InvalidData)?;
    let load = format!("--port {port} --connections 1 --silent 1 --warm-up 0 --seconds 0.1");
    let mut load = Program::start(env!("CARGO_BIN_EXE_load"), &load.split(' ').collect::<Vec<_>>())?;
    load.line()?;
    load.say("measure\n")?;
    assert_eq!(load.line()?, "", "it ends without a result");
    assert!(!load.end()?, "and with a failure");
    Ok(())
}

#[test]
fn every_line_is_a_phase() -> io::Result<()> {
    let mut server = Program::start(env!("CARGO_BIN_EXE_epoll-echo"), &[])?;
    let port = number(&server.line()?, "port").ok_or(io::ErrorKind::InvalidData)?;
    let load = format!("--port {port} --connections 2 --exchanges 4");
    let mut load = Program::start(env!("CARGO_BIN_EXE_load"), &load.split(' ').collect::<Vec<_>>())?;
    load.line()?;
    for _ in 0..3 {
        load.say("measure\n")?;
        let result = load.line()?;
        assert_eq!(number(&result, "drained"), Some(8), "{result}");
    }
    assert!(load.end()?, "it ends well");
    Ok(())
}

#[test]
fn every_attack_is_played() -> io::Result<()> {
    let mut server = Program::start(env!("CARGO_BIN_EXE_epoll-echo"), &[])?;
    let port = number(&server.line()?, "port").ok_or(io::ErrorKind::InvalidData)?.to_string();
    let arguments = ["--port", port.as_str(), "--rate", "200"];
    let mut hostile = Program::start(env!("CARGO_BIN_EXE_hostile"), &arguments)?;
    assert_eq!(hostile.line()?, "{\"event\":\"ready\"}\n");
    hostile.say("stop\n")?;
    let result = hostile.line()?;
    assert!(number(&result, "attacks") > Some(12), "{result}");
    // Each attack has begun: none of the counts is 0.
    let begun: Vec<_> = result.split("\"begun\":").skip(1).map(|rest| !rest.starts_with('0')).collect();
    assert_eq!(begun, [true; 13], "{result}");
    assert!(hostile.end()?, "it ends well");
    Ok(())
}
