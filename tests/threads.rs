//! Lifetime of the I/O threads: started by the first socket, ended by the last. One test in a process of its own,
//! because others would start threads, too.

#![cfg(all(unix, feature = "transport"))]

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use ferrows::connection::{Config, Connection, EventRef, TimeLimits};
use ferrows::protocol::{Limits, Role};
use ferrows::transport::RandomKeys;
use ferrows::transport::io_threads::live_threads;
use ferrows::transport::socket::{Descriptor, Mailbox, Socket, SocketEvents, Wake};

const TIMEOUT: Duration = Duration::from_secs(60);

struct Line(Sender<()>);

impl Wake for Line {
    fn wake(&self) {
        // The test may be over.
        let _ = self.0.send(());
    }
}

/// Waits for the end of all threads, which no event reports.
fn wait_for_the_threads_to_end() {
    let deadline = Instant::now() + TIMEOUT;
    while live_threads() > 0 {
        assert!(Instant::now() < deadline, "{} threads live on", live_threads());
        thread::yield_now();
    }
}

/// Open descriptors of this process, if the system reports them.
fn descriptors() -> Option<usize> {
    std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count)
}

fn adopt(mailbox: &Arc<Mailbox>, token: u64) -> io::Result<(Arc<Socket>, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    theirs.set_read_timeout(Some(TIMEOUT))?;
    let config = Config {
        role: Role::Client,
        limits: Limits::default(),
        auto_pong: true,
        skip_utf8_validation: false,
        time_limits: TimeLimits::default(),
        deflate: None,
    };
    let mut keys = RandomKeys::new().map_err(io::Error::other)?;
    let fd = socket2::Socket::from(ours);
    fd.set_nonblocking(true)?;
    let fd = Descriptor::Owned(Arc::new(fd));
    let socket = Socket::new(fd, Connection::new(config), &[], &mut keys, mailbox, token, true);
    socket.drive_on_thread()?;
    Ok((socket, theirs))
}

/// A message in, a message out.
fn exchange(
    socket: &Arc<Socket>,
    peer: &mut UnixStream,
    mailbox: &Mailbox,
    bell: &Receiver<()>,
) -> io::Result<()> {
    peer.write_all(b"\x81\x02in")?;
    bell.recv_timeout(TIMEOUT).map_err(io::Error::other)?;
    let mut ready = Vec::new();
    mailbox.drain(&mut ready);
    let mut undelivered = SocketEvents::default();
    assert_eq!(ready, [socket.token()]);
    assert!(socket.collect(&mut undelivered));
    assert_eq!(
        undelivered.events.peek(),
        Some(EventRef::Message { binary: false, data: b"in", fragments: &[] })
    );

    // A server would pass no key here; the peer only looks at the bytes.
    assert_eq!(socket.with_connection(|connection| connection.send(true, true, None, b"out")), Some(()));
    socket.flush();
    let mut frame = [0; 5];
    peer.read_exact(&mut frame)?;
    assert_eq!(&frame, b"\x82\x03out");
    Ok(())
}

#[test]
fn threads_live_as_long_as_there_are_sockets() -> io::Result<()> {
    const SOCKETS: u64 = 20;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let before = descriptors();
    assert_eq!(live_threads(), 0);
    for _ in 0..20 {
        let (ring, bell) = mpsc::channel();
        let mailbox = Arc::new(Mailbox::new(Box::new(Line(ring))));
        let mut ends = Vec::new();
        for token in 0..SOCKETS {
            ends.push(adopt(&mailbox, token)?);
            assert!((1..=cores).contains(&live_threads()));
        }
        for (socket, peer) in &mut ends {
            exchange(socket, peer, &mailbox, &bell)?;
        }
        // The last socket alone still has its thread.
        let (last, mut peer) = ends.remove(0);
        for (socket, mut peer) in ends {
            socket.destroy();
            assert_eq!(peer.read(&mut [0])?, 0);
        }
        exchange(&last, &mut peer, &mailbox, &bell)?;
        assert!(live_threads() >= 1);
        last.destroy();
        wait_for_the_threads_to_end();
        assert_eq!(peer.read(&mut [0])?, 0);
    }
    assert_eq!(descriptors(), before);

    // Threads that end and threads that begin at the same time.
    let (ring, _bell) = mpsc::channel();
    let mailbox = Arc::new(Mailbox::new(Box::new(Line(ring))));
    for token in 0..500 {
        let (socket, mut peer) = adopt(&mailbox, token)?;
        peer.write_all(b"\x89\x00")?;
        let mut pong = [0; 6];
        peer.read_exact(&mut pong)?;
        assert_eq!(pong[..2], *b"\x8A\x80");
        socket.destroy();
    }
    wait_for_the_threads_to_end();
    assert_eq!(descriptors(), before);
    Ok(())
}
