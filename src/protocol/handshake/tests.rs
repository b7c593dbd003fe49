//! Upgrade requests: examples, every split of each, and random mutations. `__test__/listener`
//! compares the results with Node's parser.

use super::{Field, MAX_HEAD_LENGTH, RequestHead, Tail, parse_upgrade_request};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{Index, select};

const PLAIN: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: a.example:80\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The two required fields of an upgrade.
const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

fn parse(input: &[u8]) -> (RequestHead, Vec<Field>) {
    let mut fields = vec![];
    (parse_upgrade_request(input, MAX_HEAD_LENGTH, &mut fields), fields)
}

fn parse_head(input: impl AsRef<[u8]>) -> RequestHead {
    parse(input.as_ref()).0
}

fn is_upgrade(input: impl AsRef<[u8]>) -> bool {
    matches!(parse_head(input), RequestHead::Upgrade { .. })
}

/// An upgrade request with these additional lines.
fn with(lines: impl AsRef<[u8]>) -> Vec<u8> {
    [b"GET / HTTP/1.1\r\n", UPGRADE.as_bytes(), lines.as_ref(), b"\r\n"].concat()
}

/// Names and values as text.
fn texts(input: &[u8]) -> Vec<(&str, &str)> {
    let (_, fields) = parse(input);
    let text = |range| str::from_utf8(&input[range]).unwrap();
    fields.iter().map(|field| (text(field.name()), text(field.value()))).collect()
}

/// True if later bytes only ever change `Incomplete`.
fn is_stable_at_every_split(input: &[u8]) -> bool {
    let whole = parse(input);
    (0..input.len()).all(|end| {
        let so_far = parse(&input[..end]);
        match so_far.0 {
            RequestHead::Incomplete => so_far.1.is_empty(),
            _ => so_far == whole,
        }
    })
}

#[test]
fn a_request_to_upgrade_is_found_with_its_target_and_fields() {
    let input = [PLAIN.as_bytes(), b"\x81\x80\n\n\0\0"].concat();
    assert_eq!(parse_head(&input), RequestHead::Upgrade { length: PLAIN.len(), target: 4..16 });
    assert_eq!(
        texts(&input),
        [
            ("Host", "a.example:80"),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"),
        ]
    );
    assert!(is_stable_at_every_split(&input));
}

#[test]
fn values_exclude_whitespace_and_may_be_empty() {
    let input = with("A:b\r\nC: \t d \t e \t \r\nF:\r\nG: \t\r\nH: i:j\r\n");
    assert_eq!(texts(&input)[2..], [("A", "b"), ("C", "d \t e"), ("F", ""), ("G", ""), ("H", "i:j")]);
    let (_, fields) = parse(&input);
    for empty in [fields[4], fields[5]] {
        assert_eq!(input[empty.name().end], b':');
        assert_eq!(empty.value(), empty.name().end + 1..empty.name().end + 1);
    }
}

#[test]
fn requests_of_browsers_and_other_clients_are_accepted() {
    for (upgrade, connection) in
        [("websocket", "keep-alive, Upgrade"), ("websocket", "Upgrade,Keep-Alive"), ("WebSocket", "upgrade")]
    {
        assert!(is_upgrade(format!(
            "GET /?a=%20&b[]='\"(1) HTTP/1.1\r\nUPGRADE: {upgrade}\r\nconnection: {connection}\r\n\r\n"
        )));
    }
    assert!(is_upgrade(with(b"X: caf\xe9\r\n")));
    assert!(is_upgrade(with("A: 1\r\nA: 2\r\nHost: b\r\nHost: c\r\n")));
}

#[test]
fn everything_else_falls_back_at_every_split() {
    let changed = |from: &str, to: &str| {
        assert!(PLAIN.contains(from), "{from}");
        PLAIN.replacen(from, to, 1).into_bytes()
    };
    for input in [
        // Other requests.
        changed("GET", "POST"),
        changed("GET", "get"),
        changed("HTTP/1.1", "HTTP/1.0"),
        changed("HTTP/1.1", "HTTP/1.2"),
        changed("HTTP/1.1", "http/1.1"),
        changed("GET /", "GET http://a/"),
        changed("GET /", "GET *"),
        changed("/chat", "/chat#1"),
        changed("/chat", "/ch\u{e9}t"),
        changed("/chat", "/ch\tat"),
        changed(" HTTP/1.1", ""),
        changed("GET ", "GET  "),
        changed(" HTTP", "  HTTP"),
        changed("1.1\r", "1.1 \r"),
        changed("GET", "\r\nGET"),
        // Other fields.
        changed("Upgrade: websocket\r\n", ""),
        changed("Upgrade: websocket", "Upgrade: h2c"),
        changed("Upgrade: websocket", "Upgrade:"),
        changed("Upgrade: websocket", "Upgrade: websocket, h2c"),
        changed("Connection: Upgrade\r\n", ""),
        changed("Connection: Upgrade", "Connection: keep-alive"),
        changed("Connection: Upgrade", "Connection: close, Upgrade"),
        changed("Connection: Upgrade", "Connection: Upgrade, Upgrade"),
        changed("Connection: Upgrade", "Connection: Upgrade;"),
        changed("Connection: Upgrade", "Connection: Upgrade\t"),
        changed("Connection: Upgrade", "Connection: Upgrade "),
        changed("Connection: Upgrade", "Connection:\tUpgrade"),
        changed("Connection: Upgrade", "Connection:  Upgrade"),
        changed("Connection: Upgrade", "Connection: keep-alive ,Upgrade"),
        with(UPGRADE),
        with("Upgrade: websocket\r\n"),
        with("Content-Length: 0\r\n"),
        with("transfer-encoding: chunked\r\n"),
        with("Expect: 100-continue\r\n"),
        with("Proxy-Connection: close\r\n"),
        // Line endings and whitespace that parsers interpret differently.
        changed("\r\n\r\n", "\n\n"),
        changed("\r\nUpgrade", "\nUpgrade"),
        changed("\r\nUpgrade", "\rUpgrade"),
        changed("\r\nUpgrade", "\r\n Upgrade"),
        changed("Host:", "Host :"),
        changed("Host:", "Ho st:"),
        changed("Host:", ":"),
        changed("Host: a.example:80", "Host"),
        changed("a.example", "a\0example"),
        changed("a.example", "a\u{7f}example"),
        // Other protocols.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"\x81\x80\0\0\0\0".to_vec(),
        b"\0".to_vec(),
    ] {
        let text = String::from_utf8_lossy(&input);
        assert_eq!(parse_head(&input), RequestHead::Fallback, "{text}");
        assert!(is_stable_at_every_split(&input), "{text}");
    }
}

#[test]
fn input_that_node_rejects_immediately_falls_back_immediately() {
    for input in [
        "POST",
        "GET /a#",
        "GET / HTTP/1.0",
        "GET / HTTP/1.1\r\nA: b\n",
        "GET / HTTP/1.1\r\nA: b\0",
        "GET / HTTP/1.1\r\nA b",
        "GET / HTTP/1.1\r\nContent-Length:",
        "GET / HTTP/1.1\r\nA: b\r\nTransfer-Encoding:",
    ] {
        assert_eq!(parse_head(input), RequestHead::Fallback, "{input}");
    }
    for input in ["", "GET", "GET /", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nExpect", "GET /:Expect:"] {
        assert_eq!(parse_head(input), RequestHead::Incomplete, "{input}");
    }
}

#[test]
fn a_head_may_be_as_long_as_the_limit() {
    let head = with(format!("A: {}\r\n", "b".repeat(1000)));
    let mut fields = vec![];
    let rest = [&head[..], &[0; 100]].concat();
    let length = head.len();
    let whole = RequestHead::Upgrade { length, target: 4..5 };
    assert_eq!(parse_upgrade_request(&rest, length, &mut fields), whole);
    assert_eq!(parse_upgrade_request(&rest, length - 1, &mut fields), RequestHead::Fallback);
    assert_eq!(parse_upgrade_request(&head[..length - 1], length, &mut fields), RequestHead::Incomplete);
    assert_eq!(parse_upgrade_request(&head[..length - 1], length - 1, &mut fields), RequestHead::Fallback);

    // Never longer than Node's default.
    let begun = format!("GET /{}", "a".repeat(MAX_HEAD_LENGTH - 6));
    assert_eq!(parse_upgrade_request(begun.as_bytes(), usize::MAX, &mut fields), RequestHead::Incomplete);
    assert_eq!(
        parse_upgrade_request(format!("{begun}a").as_bytes(), usize::MAX, &mut fields),
        RequestHead::Fallback
    );
}

#[test]
fn there_may_be_64_fields() {
    assert_eq!(parse(&with("A: b\r\n".repeat(62))).1.len(), 64);
    assert_eq!(parse_head(with("A: b\r\n".repeat(63))), RequestHead::Fallback);
}

/// Almost valid requests.
fn requests() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("Host: a\r\n".to_owned()),
        Just("Connection: keep-alive, Upgrade\r\n".to_owned()),
        Just("Content-Length: 0\r\n".to_owned()),
        Just("Expect: 100-continue\r\n".to_owned()),
        "[A-Za-z0-9-]{1,12}:[ \t]{0,2}[ -~]{0,20}[ \t]{0,2}\r\n",
    ];
    let change = (any::<Index>(), 0..3, select(b"\r\n\r\n :#\t\0aZ/,\x7f\x80\xff".to_vec()));
    (vec(line, 0..6), vec(change, 0..4), vec(any::<u8>(), 0..10)).prop_map(|(lines, changes, behind)| {
        let mut request = with(lines.concat());
        for (at, what, byte) in changes {
            let at = at.index(request.len());
            match what {
                0 => request[at] = byte,
                1 => request.insert(at, byte),
                _ => drop(request.remove(at)),
            }
        }
        request.extend(behind);
        request
    })
}

proptest! {
    #[test]
    fn splits_change_nothing(input in requests()) {
        prop_assert!(is_stable_at_every_split(&input));
        count_unparsed(&input);
    }

    #[test]
    fn fields_match_the_lines(input in requests()) {
        let (parse_head, fields) = parse(&input);
        if let RequestHead::Upgrade { length, target } = parse_head {
            let mut written = [b"GET ", &input[target], b" HTTP/1.1\r\n"].concat();
            let mut copied = written.clone();
            let mut lines = input[written.len()..length].split(|byte| *byte == b'\n');
            for field in &fields {
                written.extend([&input[field.name()], b":", &input[field.value()], b"\r\n"].concat());
                let line = lines.next().unwrap().trim_ascii();
                let colon = line.iter().position(|byte| *byte == b':').unwrap();
                let value = line[colon + 1..].trim_ascii();
                copied.extend([&line[..colon], b":", value, b"\r\n"].concat());
            }
            prop_assert_eq!(lines.next(), Some(&b"\r"[..]));
            prop_assert_eq!(written, copied);
        }
    }
}

/// Asserts that each byte that needs no parse, according to the tail of the bytes before, changes nothing.
/// Returns the number of these bytes.
fn count_unparsed(input: &[u8]) -> usize {
    let (mut tail, mut unparsed) = (Tail::Other, 0);
    for end in 1..input.len() {
        let verdict = parse_head(&input[..end]);
        if tail.extends_with(&input[end - 1..end]) && end < MAX_HEAD_LENGTH {
            assert_eq!(verdict, RequestHead::Incomplete, "{end} bytes of {input:?}");
            unparsed += 1;
        } else {
            tail = if verdict == RequestHead::Incomplete { Tail::of(&input[..end]) } else { Tail::Other };
        }
    }
    unparsed
}

#[test]
fn most_bytes_of_a_head_that_drips_need_no_parse() {
    let unparsed = count_unparsed(PLAIN.as_bytes());
    assert!(unparsed > PLAIN.len() * 2 / 3, "{unparsed} of {}", PLAIN.len());
}

#[test]
fn a_tail_is_extended_only_by_bytes_that_its_part_may_have() {
    for (head, tail, allowed, others) in [
        ("", Tail::Other, "", "Ga \r"),
        ("GET", Tail::Other, "", " T"),
        ("GET /a", Tail::Target, "b/?=&", " #\r\n\u{7f}"),
        ("GET /a H", Tail::Other, "", "T"),
        ("GET / HTTP/1.1\r", Tail::Other, "", "\n"),
        ("GET / HTTP/1.1\r\n", Tail::Other, "", "A\r"),
        ("GET / HTTP/1.1\r\nA", Tail::Name, "b-_1", " :\r\n\t("),
        ("GET / HTTP/1.1\r\nA:", Tail::Value, " :b,(~", "\r\n\t\0\u{7f}"),
        ("GET / HTTP/1.1\r\nA: b\r", Tail::Other, "", "\n"),
    ] {
        assert_eq!(Tail::of(head.as_bytes()), tail, "{head:?}");
        assert!(allowed.bytes().all(|byte| tail.extends_with(&[byte])), "{head:?}");
        assert!(!others.bytes().any(|byte| tail.extends_with(&[byte])), "{head:?}");
    }
    assert!(Tail::Value.extends_with(b"\x80\xff"));
}
