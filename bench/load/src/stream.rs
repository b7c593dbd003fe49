//! Byte stream of a connection: a socket, plain or with TLS. The opening handshake blocks, later
//! operations do not. No WebSocket frames here; used by `connection`.

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

/// Maximum wait for a response head.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A non-blocking stream after the opening handshake.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    /// The TLS session, boxed because of its size.
    tls: Option<Box<ClientConnection>>,
}

impl Stream {
    /// Connects and performs the opening handshake, blocking, with a source address and an
    /// extension offer if given. Returns the stream and the answer to the offer.
    ///
    /// # Errors
    /// Errors of the socket or TLS, or a response that is not a 101 for this key and offer.
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

    /// The socket, for registration with the poll.
    pub fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// True if a read that does not fill its buffer has emptied the socket.
    pub fn short_read_is_last(&self) -> bool {
        self.tls.is_none()
    }

    /// Reads available bytes; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` if none are available; errors of the socket or TLS.
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

    /// Writes as many bytes as the socket or the session accepts.
    ///
    /// # Errors
    /// `WouldBlock` if it accepts none; errors of the socket.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(session) = &mut self.tls else { return self.socket.write(bytes) };
        match session.writer().write(bytes)? {
            // The session is full until the socket accepts its output.
            0 => {
                self.flush()?;
                Ok(0)
            }
            n => Ok(n),
        }
    }

    /// Writes the pending output of the session.
    ///
    /// # Errors
    /// `WouldBlock` if the socket accepts no more; errors of the socket.
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

/// Sends the request and reads the response. Returns its extensions.
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
    // Nothing may follow the head: these servers send only after receiving a message.
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

    /// A peer that delivers a fixed input in pieces of one byte.
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
    fn a_head_in_any_pieces_opens() {
        let request = answered(&format!("{OPEN}\r\n"));
        assert!(request.is_ok_and(|bytes| bytes.ends_with(b"\r\n\r\n")));
    }

    #[test]
    fn an_incomplete_or_endless_head_does_not_open() {
        for response in [OPEN.to_owned(), "a".repeat(100_000)] {
            assert!(answered(&response).is_err(), "{response:.60}");
        }
    }
}
