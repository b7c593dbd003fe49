//! Hostile clients: connections at a fixed rate, each playing one of the `attacks` in turn, until
//! the end of standard input. The benchmark's runner starts it next to well-behaved clients, whose
//! latency is measured.

mod attacks;

use std::{
    error::Error,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    os::fd::AsRawFd,
    process::ExitCode,
    time::{Duration, Instant},
};

use lexopt::{Arg, Parser, ValueExt};
use mio::{Events, Interest, Poll, Token, net::TcpStream, unix::SourceFd};
use socket2::SockRef;

use attacks::{Attack, Pace, attacks};

const USAGE: &str = "hostile --port N [--rate 1000] [--only TEXT]

Opens so many connections a second to 127.0.0.1:N, and plays on each one of the attacks in turn (with --only those
whose name begins with TEXT). It prints
{\"event\":\"ready\"} when all attacks have begun, and at a line on standard input, or its end,
{\"event\":\"result\", ...}: how many attacks it has begun, how many got an answer, and how many connections the server has
ended before the attacker did; and the same of each kind.";

const STDIN: Token = Token(usize::MAX);
/// Interval between two checks of the schedule.
const TICK: Duration = Duration::from_millis(2);
/// Interval between two bytes of a slow attack.
const SLOW_INTERVAL: Duration = Duration::from_secs(1);
const READ_BYTES: usize = 64 * 1024;

/// A connection of an attack. Dropped when it is over.
struct Attempt {
    socket: TcpStream,
    attack: usize,
    written: usize,
    connected: bool,
    answered: bool,
    started: Instant,
}

/// State of an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Going,
    /// Ended by the server.
    Ended,
    /// Ended by the attacker.
    Left,
}

/// Results of the attempts of one attack.
#[derive(Clone, Default)]
struct Counts {
    begun: usize,
    answered: usize,
    ended: usize,
}

impl Attempt {
    fn drive(&mut self, attack: &Attack, buffer: &mut [u8]) -> State {
        self.go_on(attack, buffer).unwrap_or_else(|err| match err.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected => State::Going,
            // Refusing or resetting the connection is the server's right.
            _ => State::Ended,
        })
    }

    fn go_on(&mut self, attack: &Attack, buffer: &mut [u8]) -> io::Result<State> {
        if !self.connected {
            self.socket.peer_addr()?;
            self.connected = true;
        }
        while self.written < self.due(attack) {
            match self.socket.write(&attack.bytes[self.written..self.due(attack)]) {
                Ok(n) => self.written += n,
                // The response may be available all the same.
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => break,
                Err(err) => return Err(err),
            }
            if self.written == attack.bytes.len() {
                match attack.pace {
                    Pace::Send | Pace::Slow => {}
                    Pace::HalfClose => self.socket.shutdown(std::net::Shutdown::Write)?,
                    Pace::Reset => {
                        SockRef::from(&self.socket).set_linger(Some(Duration::ZERO))?;
                        return Ok(State::Left);
                    }
                }
            }
        }
        loop {
            match self.socket.read(buffer)? {
                0 => return Ok(State::Ended),
                _ => self.answered = true,
            }
        }
    }

    /// Number of bytes due by now.
    fn due(&self, attack: &Attack) -> usize {
        if attack.pace != Pace::Slow {
            return attack.bytes.len();
        }
        let drops = self.started.elapsed().as_millis() / SLOW_INTERVAL.as_millis();
        attack.bytes.len().min(usize::try_from(drops).unwrap_or(usize::MAX).saturating_add(1))
    }
}

/// The poll, its attempts and the results of the others.
struct Hostile {
    poll: Poll,
    address: SocketAddr,
    attacks: Vec<Attack>,
    attempts: Vec<Option<Attempt>>,
    holes: Vec<usize>,
    /// By attack.
    counts: Vec<Counts>,
    begun: usize,
    buffer: Vec<u8>,
}

impl Hostile {
    fn begin(&mut self) -> io::Result<()> {
        let mut socket = TcpStream::connect(self.address)?;
        let index = self.holes.pop().unwrap_or_else(|| {
            self.attempts.push(None);
            self.attempts.len() - 1
        });
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut socket, Token(index), interest)?;
        let attack = self.begun % self.attacks.len();
        self.attempts[index] = Some(Attempt {
            socket,
            attack,
            written: 0,
            connected: false,
            answered: false,
            started: Instant::now(),
        });
        self.counts[attack].begun += 1;
        self.begun += 1;
        Ok(())
    }

    fn drive(&mut self, index: usize) {
        let Some(Some(attempt)) = self.attempts.get_mut(index) else { return };
        let state = attempt.drive(&self.attacks[attempt.attack], &mut self.buffer);
        if state != State::Going {
            self.end(index, state);
        }
    }

    fn end(&mut self, index: usize, state: State) {
        let Some(attempt) = self.attempts[index].take() else { return };
        let counts = &mut self.counts[attempt.attack];
        counts.answered += usize::from(attempt.answered);
        counts.ended += usize::from(state == State::Ended);
        self.holes.push(index);
    }

    /// Sends the due bytes of slow attacks, and ends attempts whose time is over.
    fn tick(&mut self) {
        for index in 0..self.attempts.len() {
            let Some(attempt) = &self.attempts[index] else { continue };
            let attack = &self.attacks[attempt.attack];
            if attempt.started.elapsed() > attack.timeout {
                self.end(index, State::Left);
            } else if attempt.written < attempt.due(attack) {
                self.drive(index);
            }
        }
    }

    /// Attacks until told to stop.
    fn run(&mut self, rate: u32, out: &mut impl Write) -> io::Result<()> {
        let stdin = io::stdin().as_raw_fd();
        self.poll.registry().register(&mut SourceFd(&stdin), STDIN, Interest::READABLE)?;
        let mut events = Events::with_capacity(1024);
        let start = Instant::now();
        let (mut looked, mut ready) = (start, false);
        loop {
            let due = start.elapsed().as_secs_f64() * f64::from(rate);
            // Counts are far below 2^52.
            #[allow(clippy::cast_precision_loss)]
            while (self.begun as f64) < due {
                self.begin()?;
            }
            if !ready && self.begun >= self.attacks.len() {
                ready = true;
                writeln!(out, r#"{{"event":"ready"}}"#)?;
            }
            if looked.elapsed() > SLOW_INTERVAL / 10 {
                looked = Instant::now();
                self.tick();
            }
            match self.poll.poll(&mut events, Some(TICK)) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                match event.token() {
                    STDIN => return Ok(()),
                    Token(index) => self.drive(index),
                }
            }
        }
    }
}

/// The port, the rate and the beginning of the names of the attacks.
type Options = (u16, u32, String);

/// Parses the arguments. `None`: the usage is wanted.
fn options() -> Result<Option<Options>, Box<dyn Error>> {
    let (mut port, mut rate, mut only) = (None, 1000, String::new());
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("port") => port = Some(parser.value()?.parse()?),
            Arg::Long("rate") => rate = parser.value()?.parse()?,
            Arg::Long("only") => only = parser.value()?.string()?,
            Arg::Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some((port.ok_or("--port is missing")?, rate, only)))
}

fn attack() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout();
    let Some((port, rate, only)) = options()? else {
        writeln!(out, "{USAGE}")?;
        return Ok(());
    };
    let attacks: Vec<_> = attacks().into_iter().filter(|attack| attack.name.starts_with(&only)).collect();
    if attacks.is_empty() {
        return Err(format!("no attack is named {only}").into());
    }
    let mut hostile = Hostile {
        poll: Poll::new()?,
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        counts: vec![Counts::default(); attacks.len()],
        begun: 0,
        attacks,
        attempts: Vec::new(),
        holes: Vec::new(),
        buffer: vec![0; READ_BYTES],
    };
    hostile.run(rate, &mut out)?;
    // Open attempts may have been answered as well.
    for index in 0..hostile.attempts.len() {
        hostile.end(index, State::Left);
    }
    let sum = |count: fn(&Counts) -> usize| hostile.counts.iter().map(count).sum::<usize>();
    let kinds = hostile.attacks.iter().zip(&hostile.counts).map(|(attack, counts)| {
        let Counts { begun, answered, ended } = counts;
        format!(r#""{}":{{"begun":{begun},"answered":{answered},"ended":{ended}}}"#, attack.name)
    });
    writeln!(
        out,
        r#"{{"event":"result","attacks":{},"answered":{},"ended":{},"kinds":{{{}}}}}"#,
        hostile.begun,
        sum(|counts| counts.answered),
        sum(|counts| counts.ended),
        kinds.collect::<Vec<_>>().join(",")
    )?;
    Ok(())
}

fn main() -> ExitCode {
    match attack() {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            // Standard error may be closed; the exit status reports the failure as well.
            let _ = writeln!(io::stderr(), "hostile: {err}");
            ExitCode::FAILURE
        }
    }
}
