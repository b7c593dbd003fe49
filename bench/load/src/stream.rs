//! Where the bytes of a connection go: a socket, bare or under TLS. The opening handshake blocks, what follows does not.
//! Knows no WebSocket frame; `connection` calls it.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream as BlockingTcpStream},
    sync::Arc,
    time::Duration,
};

use mio::net::TcpStream;
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};

/// The longest response head that is read, and the longest wait for it.
const HEAD_BYTES: usize = 16 * 1024;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The key and its answer from RFC 6455 section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// A stream that is open for frames and never blocks.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    /// The session, in a box because it is large.
    tls: Option<Box<ClientConnection>>,
}

impl Stream {
    /// Connects and does the opening handshake, blocking; offers an extension if one is given. Gives the answer to it too.
    ///
    /// # Errors
    /// What the socket or TLS reports, or a response that is not a 101 for our key and our offer.
    pub fn open(
        address: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
        offer: Option<&str>,
    ) -> io::Result<(Self, Option<String>)> {
        let mut socket = BlockingTcpStream::connect_timeout(&address, HANDSHAKE_TIMEOUT)?;
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

/// Asks for WebSocket and reads the answer; gives what it says of extensions.
fn shake_hands(
    stream: &mut (impl Read + Write),
    address: SocketAddr,
    offer: Option<&str>,
) -> io::Result<Option<String>> {
    let extensions = offer.map_or_else(String::new, |offer| format!("{EXTENSIONS}: {offer}\r\n"));
    // One write, so that TLS makes one record of it.
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{extensions}\r\n"
    );
    stream.write_all(request.as_bytes())?;
    stream.flush()?;

    let mut head = Vec::new();
    let mut piece = [0; 1024];
    // Nothing may follow the head: the servers here do not speak before they are spoken to.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > HEAD_BYTES {
            return Err(io::Error::other("the response head is too long"));
        }
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => head.extend_from_slice(&piece[..n]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
        return Err(io::Error::other(format!("the server refused the handshake: {head:?}")));
    }
    let answer = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case(EXTENSIONS))
        .map(|(_, value)| value.trim().to_owned());
    if answer.is_some() != offer.is_some() {
        return Err(io::Error::other(format!("offered {offer:?}, the server answered {answer:?}")));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor, Read, Write};

    use super::{ACCEPT, shake_hands};

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

    #[test]
    fn a_plain_101_opens() {
        let request = answered(&format!("HTTP/1.1 101 a\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n"));
        assert!(request.is_ok_and(|bytes| bytes.starts_with(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:9\r\n")));
    }

    #[test]
    fn anything_else_does_not() {
        let accept = format!("Sec-WebSocket-Accept: {ACCEPT}\r\n");
        for response in [
            format!("HTTP/1.1 200 OK\r\n{accept}\r\n"),
            "HTTP/1.1 101 a\r\nSec-WebSocket-Accept: other\r\n\r\n".into(),
            format!("HTTP/1.1 101 a\r\n{accept}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
            format!("HTTP/1.1 101 a\r\n{accept}"),
            "a".repeat(100_000),
        ] {
            assert!(answered(&response).is_err(), "{response:.60}");
        }
    }

    #[test]
    fn an_offer_wants_an_answer() -> io::Result<()> {
        let head = format!("HTTP/1.1 101 a\r\nSec-WebSocket-Accept: {ACCEPT}\r\n");
        let offered = |response: String| {
            let mut peer = Peer(Cursor::new(response.into()), Vec::new());
            let answer = shake_hands(&mut peer, ([127, 0, 0, 1], 9).into(), Some("a; b"))?;
            io::Result::Ok((answer, String::from_utf8_lossy(&peer.1).into_owned()))
        };
        let (answer, request) = offered(format!("{head}sec-websocket-extensions: a;c=1\r\n\r\n"))?;
        assert_eq!(answer.as_deref(), Some("a;c=1"));
        assert!(request.contains("\r\nSec-WebSocket-Extensions: a; b\r\n\r\n"), "{request}");
        assert!(offered(format!("{head}\r\n")).is_err());
        Ok(())
    }
}
