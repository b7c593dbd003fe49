//! The attacks of hostile clients on the opening handshake: bytes, pace and end of each. Data only,
//! played by `main`, which ignores the responses.

use std::time::Duration;

/// Pace of an attack after connecting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Sends everything and waits.
    Send,
    /// Sends one byte per second.
    Slow,
    /// Sends everything, closes its writing side and waits.
    HalfClose,
    /// Sends everything and resets the connection.
    Reset,
}

/// A kind of attack.
#[derive(Debug)]
pub struct Attack {
    /// Name in the results.
    pub name: &'static str,
    /// Bytes to send.
    pub bytes: Vec<u8>,
    /// Pace.
    pub pace: Pace,
    /// Time until the attacker closes a connection that the server has not ended.
    pub timeout: Duration,
}

const SECOND: Duration = Duration::from_secs(1);
const LINE_BYTES: usize = 64 * 1024;
const UPGRADE: &str = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// All attacks, in order.
pub fn attacks() -> Vec<Attack> {
    let text =
        |name, text: String| Attack { name, bytes: text.into_bytes(), pace: Pace::Send, timeout: SECOND };
    let request = format!("GET / HTTP/1.1\r\n{UPGRADE}\r\n");
    let half = &request[..request.len() / 2];
    let long = "a".repeat(LINE_BYTES);
    let headers: Vec<_> = (0..1000).map(|number| format!("X-{number}: {number}\r\n")).collect();
    let headers = headers.concat();
    vec![
        text("a thousand headers", format!("GET / HTTP/1.1\r\n{headers}{UPGRADE}\r\n")),
        text("a request line of 64 KiB", format!("GET /{long} HTTP/1.1\r\n{UPGRADE}\r\n")),
        text("a header of 64 KiB", format!("GET / HTTP/1.1\r\nX: {long}\r\n{UPGRADE}\r\n")),
        Attack { pace: Pace::Slow, timeout: SECOND * 10, ..text("one byte a second", request.clone()) },
        text("HTTP/1.0", format!("GET / HTTP/1.0\r\n{UPGRADE}\r\n")),
        text("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".into()),
        Attack { bytes: client_hello(), ..text("a hello of TLS", String::new()) },
        text("50 requests in one write", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50)),
        Attack { bytes: garbage(1024), ..text("garbage", String::new()) },
        text("nothing", String::new()),
        Attack { pace: Pace::HalfClose, ..text("half a head, and the end", half.into()) },
        Attack { pace: Pace::Reset, ..text("half a head, and a reset", half.into()) },
        Attack { pace: Pace::Reset, ..text("a handshake, and a reset", request.clone()) },
    ]
}

/// Pseudorandom bytes, equal in every run (xorshift).
fn garbage(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let draw = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    std::iter::repeat_with(draw).take(len).collect()
}

/// The first record of a TLS client (RFC 8446 section 4.1.2), without extensions.
fn client_hello() -> Vec<u8> {
    const RANDOM_BYTES: usize = 32;
    let mut body = vec![3, 3];
    body.extend(garbage(RANDOM_BYTES));
    // No session; two suites; no compression.
    body.extend([0, 0, 4, 0x13, 1, 0x13, 2, 1, 0]);
    let prefixed = |head: &[u8], content: &[u8]| {
        let [high, low] = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
        [head, &[high, low], content].concat()
    };
    prefixed(&[0x16, 3, 1], &prefixed(&[1, 0], &body))
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES, attacks, client_hello};

    #[test]
    fn a_client_hello_has_correct_lengths() {
        let hello = client_hello();
        assert_eq!(hello[..6], [0x16, 3, 1, 0, 47, 1]);
        assert_eq!(usize::from(hello[4]) + 5, hello.len());
        assert_eq!(usize::from(hello[8]) + 9, hello.len());
    }

    #[test]
    fn long_attacks_are_long() {
        let all = attacks();
        let bytes = |name: &str| all.iter().find(|attack| attack.name == name).map_or(0, |a| a.bytes.len());
        assert!(bytes("a request line of 64 KiB") > LINE_BYTES && bytes("a header of 64 KiB") > LINE_BYTES);
        assert_eq!(bytes("garbage"), 1024);
        let heads = all.iter().find(|attack| attack.name == "a thousand headers");
        let lines = heads.map_or(0, |attack| attack.bytes.split(|byte| *byte == b'\n').count());
        assert!(lines > 1000, "{lines} lines");
    }
}
