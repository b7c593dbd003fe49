//! The two programs of this crate against each other, as the benchmark's runner uses them: over real sockets, speaking
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
