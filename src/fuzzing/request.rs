//! Upgrade requests: parsed at once and by prefixes, against a second implementation of the rules.

use super::Input;
use crate::protocol::handshake::{Field, MAX_HEAD_LENGTH, RequestHead, Tail, parse_upgrade_request};

/// Input: the reduction of the maximum head length, and the bytes of a client.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let limit = MAX_HEAD_LENGTH - 64 * usize::from(input.byte());
    let bytes = input.remaining();
    let mut fields = Vec::new();
    let verdict = parse_upgrade_request(bytes, limit, &mut fields);
    if let RequestHead::Upgrade { length, target } = &verdict {
        assert!(*length <= limit);
        assert_eq!(*target, 4..4 + bytes[4..].iter().position(|byte| *byte == b' ').unwrap_or(0));
        check_head(&bytes[..*length], &fields);
    } else {
        assert!(fields.is_empty());
    }

    // The result appears with the first bytes that determine it and then stays.
    let (mut before, mut tail) = (Vec::new(), Tail::Other);
    for end in 0..bytes.len() {
        let partial = parse_upgrade_request(&bytes[..end], limit, &mut before);
        if partial != RequestHead::Incomplete {
            assert_eq!((&partial, &before), (&verdict, &fields), "{end} bytes");
        }
        // A byte that needs no parse does not change the result.
        if end > 0 && end < limit && tail.extends_with(&bytes[end - 1..end]) {
            assert_eq!(partial, RequestHead::Incomplete, "{end} bytes");
        } else {
            tail = if partial == RequestHead::Incomplete { Tail::of(&bytes[..end]) } else { Tail::Other };
        }
    }
}

/// Checks that the head of an upgrade is unambiguous.
fn check_head(head: &[u8], fields: &[Field]) {
    let text: String = head.iter().map(|byte| char::from(*byte)).collect();
    assert!(text.ends_with("\r\n\r\n") && text.find("\r\n\r\n") == Some(text.len() - 4));
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let request = lines.next().unwrap_or_default();
    let target = request.strip_prefix("GET ").and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
    assert!(target.is_some_and(|target| target.starts_with('/') && !target.contains([' ', '#'])));
    let mut asked = Vec::new();
    for field in fields {
        let part = |range: std::ops::Range<usize>| {
            head[range].iter().map(|byte| char::from(*byte)).collect::<String>()
        };
        let (name, value) = (part(field.name()), part(field.value()));
        let line = lines.next().and_then(|line| line.split_once(':'));
        assert_eq!(
            line.map(|(name, value)| (name, value.trim_matches([' ', '\t']))),
            Some((&*name, &*value))
        );
        assert!(!name.is_empty() && name.chars().all(|char| char.is_ascii_graphic() && char != ':'));
        assert!(value.chars().all(|char| char == '\t' || (char >= ' ' && char != '\u{7f}')));
        let name = name.to_lowercase();
        assert!(!["content-length", "transfer-encoding", "expect"].contains(&&*name), "{name} is for others");
        if name == "connection" || name == "upgrade" {
            asked.push(format!("{name}: {}", value.to_lowercase()));
        }
    }
    assert_eq!(lines.next(), None);
    asked.sort();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].starts_with("connection: ") && asked[0].contains("upgrade"));
    assert_eq!(asked[1], "upgrade: websocket");
}
