//! The programs of this crate against each other, as the benchmark's runner uses them: over real sockets, speaking
//! lines of JSON. What a single file can be asked is asked in that file.

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

    /// Closes its input and waits; whether it ended well.
    fn end(&mut self) -> io::Result<bool> {
        self.input = None;
        self.child.wait().map(|status| status.success())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Only what a failed test has left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number after `"name":` in a line of JSON.
fn number(line: &str, name: &str) -> Option<u64> {
    let (_, rest) = line.split_once(&format!("\"{name}\":"))?;
    rest.split([',', '}', '.']).next()?.parse().ok()
}

/// Runs a load against the echo server; gives the line of its result.
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
fn exchanges_are_as_many_as_asked_for() -> io::Result<()> {
    let result = run(&[], "--connections 20 --in-flight 2 --exchanges 3")?;
    // Nothing is timed: all of them come after the end of no time.
    assert_eq!(number(&result, "drained"), Some(120), "{result}");
    assert_eq!(number(&result, "received"), Some(120 * 66), "{result}");
    Ok(())
}

#[test]
fn everybody_gets_a_broadcast() -> io::Result<()> {
    for (connections, size) in [(30, 64), (4, 300_000)] {
        let load = format!("--broadcast --connections {connections} --size {size}");
        let result = run(&["--broadcast"], &load)?;
        let messages = number(&result, "messages").ok_or(io::ErrorKind::InvalidData)?;
        assert!(messages > 0 && messages % connections == 0, "{load}: {result}");
    }
    Ok(())
}

#[test]
fn connections_come_and_go() -> io::Result<()> {
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
fn the_silent_are_held_and_come_from_everywhere() -> io::Result<()> {
    let result = run(&[], "--connections 3 --silent 20 --addresses 4")?;
    assert!(number(&result, "messages") > Some(0), "{result}");
    Ok(())
}

#[test]
fn nobody_may_speak_to_the_silent() -> io::Result<()> {
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
    // Each of them has begun: none of the counts that follow is 0.
    let begun: Vec<_> = result.split("\"begun\":").skip(1).map(|rest| !rest.starts_with('0')).collect();
    assert_eq!(begun, [true; 13], "{result}");
    assert!(hostile.end()?, "it ends well");
    Ok(())
}
