//! Where the bytes of a connection go: a socket, bare or under TLS. The opening handshake blocks, what follows does not.
//! Knows no WebSocket frame; `connection` calls it.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream as BlockingTcpStream},
    sync::Arc,
    time::Duration,
};

use mio::net::TcpStream;
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};
use socket2::{Domain, Socket, Type};

use crate::handshake::{self, HEAD_BYTES, HEAD_END};

/// The longest wait for a response head.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A stream that is open for frames and never blocks.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    /// The session, in a box because it is large.
    tls: Option<Box<ClientConnection>>,
}

impl Stream {
    /// Connects and does the opening handshake, blocking; from an address of its own and with the offer of an extension, if
    /// they are given. Gives the answer to the offer too.
    ///
    /// # Errors
    /// What the socket or TLS reports, or a response that is not a 101 for our key and our offer.
    pub fn open(
        address: SocketAddr,
        from: Option<IpAddr>,
        tls: Option<&Arc<ClientConfig>>,
        offer: Option<&str>,
    ) -> io::Result<(Self, Option<String>)> {
        let mut socket = connect(address, from)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(HANDSHAKE_TIMEOUT))?;
        let (tls, answer) = match tls {
            None => (None, shake_hands(&mut socket, address, offer)?),
            Some(config) => {
                let name = ServerName::from(address.ip());
                let mut session =
                    ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
                let answer =
                    shake_hands(&mut rustls::Stream::new(&mut session, &mut socket), address, offer)?;
                (Some(Box::new(session)), answer)
            }
        };
        socket.set_read_timeout(None)?;
        socket.set_nonblocking(true)?;
        Ok((Self { socket: TcpStream::from_std(socket), tls }, answer))
    }

    /// The socket, to register it with the poll.
    pub fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Whether a read that does not fill its buffer has emptied the socket.
    pub fn short_read_is_last(&self) -> bool {
        self.tls.is_none()
    }

    /// Reads what is there; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there; what the socket or TLS reports.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(session) = &mut self.tls else { return self.socket.read(buffer) };
        loop {
            match session.reader().read(buffer) {
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            if session.read_tls(&mut self.socket)? == 0 {
                return Ok(0);
            }
            session.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// Takes bytes to write, as many as the socket or the session has room for.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room; what the socket reports.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(session) = &mut self.tls else { return self.socket.write(bytes) };
        match session.writer().write(bytes)? {
            // The session is full until the socket takes what it holds.
            0 => {
                self.flush()?;
                Ok(0)
            }
            n => Ok(n),
        }
    }

    /// Writes what the session still holds.
    ///
    /// # Errors
    /// `WouldBlock` when the socket takes no more; what it reports.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Some(session) = &mut self.tls {
            while session.wants_write() {
                session.write_tls(&mut self.socket)?;
            }
        }
        Ok(())
    }
}

fn connect(address: SocketAddr, from: Option<IpAddr>) -> io::Result<BlockingTcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if let Some(from) = from {
        socket.bind(&SocketAddr::new(from, 0).into())?;
    }
    socket.connect_timeout(&address.into(), HANDSHAKE_TIMEOUT)?;
    Ok(socket.into())
}

/// Asks for WebSocket and reads the answer; gives what it says of extensions.
fn shake_hands(
    stream: &mut (impl Read + Write),
    address: SocketAddr,
    offer: Option<&str>,
) -> io::Result<Option<String>> {
    // One write, so that TLS makes one record of it.
    stream.write_all(handshake::request(address, offer).as_bytes())?;
    stream.flush()?;

    let mut head = Vec::new();
    let mut piece = [0; 1024];
    // Nothing may follow the head: the servers here do not speak before they are spoken to.
    while !head.ends_with(HEAD_END) {
        if head.len() > HEAD_BYTES {
            return Err(io::Error::other("the response head is too long"));
        }
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => head.extend_from_slice(&piece[..n]),
        }
    }
    handshake::answer(&head, offer)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor, Read, Write};

    use super::shake_hands;

    /// A peer that has already said everything, in pieces of one byte.
    struct Peer(Cursor<Vec<u8>>, Vec<u8>);

    impl Read for Peer {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }

    impl Write for Peer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn answered(response: &str) -> io::Result<Vec<u8>> {
        let mut peer = Peer(Cursor::new(response.into()), Vec::new());
        shake_hands(&mut peer, ([127, 0, 0, 1], 9).into(), None).map(|_| peer.1)
    }

    const OPEN: &str = "HTTP/1.1 101 a\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    #[test]
    fn a_head_opens_in_whatever_pieces() {
        let request = answered(&format!("{OPEN}\r\n"));
        assert!(request.is_ok_and(|bytes| bytes.ends_with(b"\r\n\r\n")));
    }

    #[test]
    fn half_a_head_and_an_endless_one_do_not() {
        for response in [OPEN.to_owned(), "a".repeat(100_000)] {
            assert!(answered(&response).is_err(), "{response:.60}");
        }
    }
}
