//! Opening handshake of the server (RFC 6455 section 4.2), reduced to an echo server: text in, text
//! out. `connection` reads and writes it.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The response to a request head that ends with an empty line; `None` if it does not request
/// WebSocket.
pub fn respond(head: &[u8]) -> Option<String> {
    let head = str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    if !lines.next()?.starts_with("GET ") {
        return None;
    }
    let (_, key) = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))?;
    let digest = Sha1::new().chain_update(key.trim()).chain_update(GUID).finalize();
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        STANDARD.encode(digest)
    ))
}

#[cfg(test)]
mod tests {
    use super::respond;

    #[test]
    fn accept_key_of_rfc_6455() {
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nsec-webSocket-Key:  dGhlIHNhbXBsZSBub25jZQ== \r\n\r\n";
        let response = respond(request).unwrap_or_default();
        assert!(response.starts_with("HTTP/1.1 101 "));
        assert!(response.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert!(response.ends_with("\r\n\r\n"));
    }

    #[test]
    fn other_requests_are_refused() {
        assert_eq!(respond(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), None);
        assert_eq!(respond(b"POST / HTTP/1.1\r\nSec-WebSocket-Key: a\r\n\r\n"), None);
        assert_eq!(respond(&[0xff, 0xfe]), None);
    }
}
