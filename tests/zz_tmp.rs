//! tmp
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use ferrows::connection::{Config, Connection};
use ferrows::protocol::{Limits, Role};
use ferrows::transport::RandomKeys;
use ferrows::transport::io_threads::{Mailbox, Socket, Wake, live_threads};
struct Line;
impl Wake for Line { fn wake(&self) {} }
fn fds() -> usize { std::fs::read_dir("/proc/self/fd").unwrap().count() }
#[test]
fn x() -> io::Result<()> {
    println!("par {:?}", std::thread::available_parallelism());
    for talk in [false, true, true, false] {
        println!("before {} live {}", fds(), live_threads());
        let mailbox = Arc::new(Mailbox::new(Box::new(Line)));
        let (ours, mut theirs) = UnixStream::pair()?;
        let config = Config { role: Role::Client, limits: Limits::default(), auto_pong: true, skip_utf8_validation: false };
        let mut keys = RandomKeys::new().map_err(io::Error::other)?;
        let socket = Socket::adopt(ours.into(), Connection::new(config), &[], &mut keys, Arc::clone(&mailbox), 1)?;
        if talk { theirs.write_all(b"\x89\x00")?; let mut b=[0;6]; theirs.read_exact(&mut b)?; }
        println!("in {} live {}", fds(), live_threads());
        socket.destroy();
        while live_threads() > 0 { std::thread::yield_now(); }
        println!("dead {} live {}", fds(), live_threads());
        std::thread::sleep(Duration::from_millis(300));
        println!("dead later {}", fds());
        drop(socket);
        println!("socket dropped {}", fds());
        drop(mailbox);
        println!("mailbox dropped {}", fds());
        drop(theirs);
    }
    Ok(())
}
