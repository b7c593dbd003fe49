//! Threads and descriptors after sockets of an event loop and of I/O threads were destroyed: none are left. One test
//! in a process of its own, because others would start threads and open descriptors, too.

#![cfg(all(unix, feature = "transport"))]

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ferrows::connection::{Config, Connection, EventMemory, EventRef, TimeLimits};
use ferrows::protocol::{Limits, Role};
use ferrows::transport::RandomKeys;
use ferrows::transport::event_loop::{Poller, Readiness};
use ferrows::transport::io_threads::live_threads;
use ferrows::transport::socket::{Descriptor, Mailbox, RECEIVE_BUFFER, Socket, SocketEvents, Wake};

const TIMEOUT: Duration = Duration::from_secs(60);

/// A waker for an owner that polls all the time.
struct PollingOwner;

impl Wake for PollingOwner {
    fn wake(&self) {}
}

/// States in which a socket is destroyed.
#[derive(Clone, Copy, Debug)]
enum State {
    Fresh,
    Talking,
    Paused,
    Blocked,
    ShuttingDown,
    Ended,
}

const STATES: [State; 6] =
    [State::Fresh, State::Talking, State::Paused, State::Blocked, State::ShuttingDown, State::Ended];

struct Host {
    poller: Poller,
    mailbox: Arc<Mailbox>,
    keys: RandomKeys,
    buffer: Vec<u8>,
}

/// A socket that the host or an I/O thread drives.
struct Driven {
    socket: Arc<Socket>,
    /// The descriptor that Node would own, and close.
    home: socket2::Socket,
    peer: UnixStream,
    ready: Readiness,
    undelivered: SocketEvents,
    on_thread: bool,
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::yield_now();
    }
}

/// Open descriptors of this process, if the system reports them.
fn descriptors() -> Option<usize> {
    std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count)
}

impl Host {
    fn new() -> io::Result<Self> {
        Ok(Self {
            poller: Poller::new()?,
            mailbox: Arc::new(Mailbox::new(Box::new(PollingOwner))),
            keys: RandomKeys::new().map_err(io::Error::other)?,
            buffer: vec![0; RECEIVE_BUFFER],
        })
    }

    fn adopt(&mut self, token: u64, on_thread: bool) -> io::Result<Driven> {
        let (ours, peer) = UnixStream::pair()?;
        peer.set_read_timeout(Some(TIMEOUT))?;
        let config = Config {
            role: Role::Client,
            limits: Limits::default(),
            auto_pong: true,
            skip_utf8_validation: false,
            time_limits: TimeLimits::default(),
            deflate: None,
        };
        let home = socket2::Socket::from(ours);
        home.set_nonblocking(true)?;
        let fd = Descriptor::Owned(Arc::new(home.try_clone()?));
        let connection = Connection::new(config);
        let socket = Socket::new(fd, connection, &[], &mut self.keys, &self.mailbox, token, true);
        if on_thread {
            socket.drive_on_thread()?;
        } else {
            self.poller.add_fd(&socket.owner_fd(), token)?;
        }
        let (ready, undelivered) = (Readiness::default(), SocketEvents::default());
        Ok(Driven { socket, home, peer, ready, undelivered, on_thread })
    }

    /// Reads and collects from one socket, the only one that is ready.
    fn turn(&mut self, driven: &mut Driven) {
        let mut ready = driven.ready;
        self.poller.poll(|token, more| {
            if token == driven.socket.token() {
                ready = ready.or(more);
            }
        });
        driven.ready = ready;
        if !driven.on_thread && ready.read && driven.socket.interest().read {
            driven.socket.receive_on_owner(
                ready.ended,
                &mut self.buffer,
                &mut self.keys,
                &mut EventMemory::default(),
            );
        }
        self.mailbox.drain(&mut Vec::new());
        if driven.undelivered.is_empty() {
            driven.socket.collect(&mut driven.undelivered);
        }
    }

    /// Brings a socket into a state.
    fn prepare(&mut self, driven: &mut Driven, state: State) -> io::Result<()> {
        match state {
            State::Fresh => {}
            State::Talking => {
                driven.peer.write_all(b"\x81\x02in")?;
                wait_until("a message", || {
                    self.turn(driven);
                    !driven.undelivered.events.is_empty()
                });
                let expected = EventRef::Message { binary: false, data: b"in", fragments: &[] };
                assert_eq!(driven.undelivered.events.peek(), Some(expected));
            }
            State::Paused => {
                driven.socket.pause();
                driven.peer.write_all(b"\x81\x02in")?;
            }
            State::Blocked | State::ShuttingDown => {
                let large = vec![1; 4 * 1024 * 1024];
                let sent = driven.socket.with_connection(|core| core.send(true, true, None, &large));
                assert_eq!(sent, Some(()));
                if matches!(state, State::ShuttingDown) {
                    driven.socket.shutdown();
                }
                assert!(driven.socket.write_now() > 0);
            }
            State::Ended => {
                driven.peer.shutdown(Shutdown::Write)?;
                wait_until("the end", || {
                    self.turn(driven);
                    driven.undelivered.ended
                });
            }
        }
        Ok(())
    }

    /// Destroys a socket, then closes the host's own descriptor.
    fn destroy(&self, driven: Driven) -> io::Result<()> {
        let Driven { socket, home, mut peer, on_thread, .. } = driven;
        if !on_thread {
            self.poller.remove(&socket);
        }
        socket.destroy();
        drop((socket, home));
        let mut rest = vec![0; 64 * 1024];
        loop {
            match peer.read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

#[test]
fn destroyed_sockets_leave_no_thread_and_no_descriptor() -> io::Result<()> {
    let before = descriptors();
    let mut host = Host::new()?;
    let with_host = descriptors();
    let mut token = 0;
    for state in STATES {
        for on_thread in [false, true] {
            let mut driven = host.adopt(token, on_thread)?;
            host.prepare(&mut driven, state)?;
            host.destroy(driven)?;
            wait_until("the threads end", || live_threads() == 0);
            assert_eq!(descriptors(), with_host, "{state:?}, on_thread: {on_thread}");
            token += 1;
        }
    }

    // Threads start and end all the time, and sockets are adopted by one that is about to end.
    for round in 0..200 {
        let mut many = (0..=round % 3).map(|_| host.adopt(token, true)).collect::<io::Result<Vec<_>>>()?;
        for driven in &mut many {
            host.prepare(driven, STATES[round % STATES.len()])?;
        }
        for driven in many {
            host.destroy(driven)?;
        }
    }
    wait_until("the threads end", || live_threads() == 0);
    assert_eq!(descriptors(), with_host);
    drop(host);
    assert_eq!(descriptors(), before);
    Ok(())
}
