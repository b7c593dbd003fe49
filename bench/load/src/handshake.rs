//! Opening handshake of the client (RFC 6455 section 4.1) as text: the request, and the extensions
//! in the response. `stream` and `opening` read and write it; no sockets here.

use std::{io, net::SocketAddr};

/// Maximum length of a response head.
pub const HEAD_BYTES: usize = 16 * 1024;
/// End of a head.
pub const HEAD_END: &[u8] = b"\r\n\r\n";

/// The key of RFC 6455 section 1.3, and its accept value.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// Head of an upgrade request, with an extension offer if given.
pub fn request(address: SocketAddr, offer: Option<&str>) -> String {
    let extensions = offer.map_or_else(String::new, |offer| format!("{EXTENSIONS}: {offer}\r\n"));
    format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{extensions}\r\n"
    )
}

/// The extensions in a complete response head.
///
/// # Errors
/// If it is not a 101 for this key and offer.
pub fn answer(head: &[u8], offer: Option<&str>) -> io::Result<Option<String>> {
    let head = String::from_utf8_lossy(head);
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
    use super::{ACCEPT, answer, request};

    #[test]
    fn the_request_names_the_host_and_the_offer() {
        let address = ([127, 0, 0, 1], 9).into();
        assert!(request(address, None).starts_with("GET / HTTP/1.1\r\nHost: 127.0.0.1:9\r\n"));
        assert!(request(address, Some("a; b")).ends_with("\r\nSec-WebSocket-Extensions: a; b\r\n\r\n"));
    }

    #[test]
    fn only_a_101_for_the_key_opens() {
        let accept = format!("Sec-WebSocket-Accept: {ACCEPT}\r\n");
        assert!(answer(format!("HTTP/1.1 101 a\r\n{accept}\r\n").as_bytes(), None).is_ok());
        for head in [
            format!("HTTP/1.1 200 OK\r\n{accept}\r\n"),
            "HTTP/1.1 101 a\r\nSec-WebSocket-Accept: other\r\n\r\n".into(),
            format!("HTTP/1.1 101 a\r\n{accept}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
        ] {
            assert!(answer(head.as_bytes(), None).is_err(), "{head}");
        }
    }

    #[test]
    fn an_unanswered_offer_is_an_error() {
        let head = format!("HTTP/1.1 101 a\r\nSec-WebSocket-Accept: {ACCEPT}\r\n");
        let offered = |head: String| answer(head.as_bytes(), Some("a; b"));
        let agreed = offered(format!("{head}sec-websocket-extensions: a;c=1\r\n\r\n"));
        assert_eq!(agreed.ok().flatten().as_deref(), Some("a;c=1"));
        assert!(offered(format!("{head}\r\n")).is_err());
    }
}
