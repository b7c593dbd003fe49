//! Where is listened: the listening socket, made as Node's `net.Server` makes it (libuv's `uv_tcp_bind`, `uv_pipe_bind` and
//! `uv_listen`), so that whoever cannot have an address is told the same. Accepting is in `accepting`.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use mio::net::{TcpListener, UnixListener};
use socket2::{Domain, SockAddr, Socket, Type};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// TCP.
    Tcp {
        /// `None`: all of this machine's, those of IPv4 alone where it has no IPv6.
        address: Option<IpAddr>,
        /// 0: any that is free.
        port: u16,
        /// An address of IPv6 takes connections over IPv4, too, unless this is set.
        ipv6_only: bool,
    },
    /// A Unix socket, which is removed from the file system at the end.
    Unix(PathBuf),
}

/// Why it can't be listened there.
#[derive(Debug)]
pub struct Refused {
    /// What the system has said.
    pub error: io::Error,
    /// The address that was tried last, where it is one of TCP.
    pub address: Option<IpAddr>,
}

/// A listening socket. Dropped, it closes.
#[derive(Debug)]
pub struct Listening {
    pub(super) source: Source,
    /// What is to be removed from the file system at the end.
    path: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) enum Source {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listening {
    /// Listens; `backlog` is how many connections the system may hold that were not accepted yet.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn open(endpoint: &Endpoint, backlog: i32) -> Result<Self, Refused> {
        match endpoint {
            Endpoint::Unix(path) => {
                open_unix(path, backlog).map_err(|error| Refused { error, address: None })
            }
            Endpoint::Tcp { address: Some(address), port, ipv6_only } => {
                open_tcp(*address, *port, *ipv6_only, backlog)
            }
            Endpoint::Tcp { address: None, port, ipv6_only } => {
                let all = open_tcp(Ipv6Addr::UNSPECIFIED.into(), *port, *ipv6_only, backlog);
                match all {
                    // That address is there, but not to be had.
                    Err(refused) if refused.error.kind() != io::ErrorKind::AddrInUse => {
                        open_tcp(Ipv4Addr::UNSPECIFIED.into(), *port, false, backlog)
                    }
                    result => result,
                }
            }
        }
    }

    /// The address that is listened on, where it is one of TCP.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.source {
            Source::Tcp(listener) => listener.local_addr().ok(),
            Source::Unix(_) => None,
        }
    }
}

impl AsRawFd for Listening {
    fn as_raw_fd(&self) -> RawFd {
        match &self.source {
            Source::Tcp(listener) => listener.as_raw_fd(),
            Source::Unix(listener) => listener.as_raw_fd(),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Before it is closed: afterwards the name may be somebody else's. Who has removed it already has done so.
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

fn open_tcp(address: IpAddr, port: u16, ipv6_only: bool, backlog: i32) -> Result<Listening, Refused> {
    listen_tcp(SocketAddr::new(address, port), ipv6_only, backlog)
        .map_err(|error| Refused { error, address: Some(address) })
}

fn listen_tcp(address: SocketAddr, ipv6_only: bool, backlog: i32) -> io::Result<Listening> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(ipv6_only)?;
    }
    // What is accepted has it from here: a system call less for each.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    start(&socket, backlog)?;
    Ok(Listening { source: Source::Tcp(TcpListener::from_std(socket.into())), path: None })
}

fn open_unix(path: &Path, backlog: i32) -> io::Result<Listening> {
    // One that is too long is no address. libuv says so with this number.
    let address = SockAddr::unix(path).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&address).map_err(|error| match error.raw_os_error() {
        // As libuv does, for the sake of Windows.
        Some(libc::ENOENT) => io::Error::from_raw_os_error(libc::EACCES),
        _ => error,
    })?;
    start(&socket, backlog)?;
    let source = Source::Unix(UnixListener::from_std(OwnedFd::from(socket).into()));
    Ok(Listening { source, path: Some(path.to_owned()) })
}

fn start(socket: &Socket, backlog: i32) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.listen(backlog)
}

/// Whether bytes may still be read from a connection.
pub(super) fn is_open(socket: &Socket) -> bool {
    let mut byte = [MaybeUninit::uninit()];
    match socket.peek(&mut byte) {
        Ok(length) => length > 0,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}
