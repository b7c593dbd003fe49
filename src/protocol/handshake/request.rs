//! Whether received bytes are the head of a request to upgrade to WebSocket (RFC 6455 section 4.1, RFC 9112) about which
//! nobody can be of two minds: Node's parser would take it, find the same target and the same fields in it, and hand it over
//! as an upgrade. Everything else is put aside, for Node's parser to judge: what it answers need not be known here.
//!
//! httparse splits the head. It is more lenient than Node's parser at some places and knows nothing of upgrades; the rest of
//! this file is what makes up for that. Where the two might differ for a reason that nobody has thought of,
//! `__test__/listener` looks.

use std::mem::MaybeUninit;
use std::ops::Range;

use httparse::{Request, Status};

/// Longest head, in bytes: what Node takes by default (`http.maxHeaderSize`), which counts a little less than all of it.
pub const MAX_HEAD_LENGTH: usize = 16 * 1024;

/// Most fields. Browsers send some twenty, and proxies add a few.
const MAX_FIELDS: usize = 64;

/// How a request line begins, and how it ends.
const BEGINNING: &[u8] = b"GET /";
const VERSION: &[u8] = b" HTTP/1.1\r\n";

/// Where the target begins.
const TARGET: usize = 4;

/// Fields that change what the bytes after the head are, or what Node does with the request.
const ASIDE: [&[u8]; 4] = [b"content-length", b"expect", b"proxy-connection", b"transfer-encoding"];

/// A header field: where in the input its name and its value are. The value is without the white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    name: (u16, u16),
    value: (u16, u16),
}

impl Field {
    /// Where the name is.
    pub fn name(&self) -> Range<usize> {
        usize::from(self.name.0)..usize::from(self.name.1)
    }

    /// Where the value is.
    pub fn value(&self) -> Range<usize> {
        usize::from(self.value.0)..usize::from(self.value.1)
    }
}

/// What is to be thought of what has come so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestHead {
    /// It may become a request to upgrade.
    Incomplete,
    /// It begins with a request to upgrade.
    Upgrade {
        /// Of the head, in bytes. What is behind it belongs to the connection.
        length: usize,
        /// Where the target is.
        target: Range<usize>,
    },
    /// It is anything else, whatever follows.
    Fallback,
}

/// Judges what a client has sent so far, of which a head may have `limit` bytes, and not more than [`MAX_HEAD_LENGTH`]. `fields` are those of
/// a request to upgrade, in their order.
///
/// More bytes may change `Incomplete`, and nothing else.
pub fn parse_upgrade_request(input: &[u8], limit: usize, fields: &mut Vec<Field>) -> RequestHead {
    fields.clear();
    let limit = limit.min(MAX_HEAD_LENGTH);
    let head = &input[..input.len().min(limit)];
    let Some(target) = target_of(head) else { return RequestHead::Fallback };
    let mut room = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = Request::new(&mut []);
    match request.parse_with_uninit_headers(head, &mut room) {
        Ok(Status::Complete(length)) => {
            let head = &head[..length];
            let is_upgrade = has_whole_lines(head) && is_upgrade(head, request.headers);
            if !is_upgrade {
                return RequestHead::Fallback;
            }
            fields.extend(request.headers.iter().map(|header| field_of(head, header)));
            RequestHead::Upgrade { length, target }
        }
        // What Node would refuse at once must not wait here for the rest.
        Ok(Status::Partial) if head.len() < limit && has_whole_lines(head) && !is_for_others(head) => {
            RequestHead::Incomplete
        }
        _ => RequestHead::Fallback,
    }
}

/// Where the target is, as far as it has come. `None`: this is not the beginning of such a request.
fn target_of(head: &[u8]) -> Option<Range<usize>> {
    if !begins(head, BEGINNING) {
        return None;
    }
    let target = head.get(TARGET..).unwrap_or_default();
    let length = target.iter().position(|byte| *byte == b' ').unwrap_or(target.len());
    let (target, rest) = target.split_at(length);
    // A fragment has no business there, and what is not ASCII is understood in more than one way.
    let is_plain = target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    (is_plain && begins(rest, VERSION)).then_some(TARGET..TARGET + length)
}

/// Whether `bytes` begin with `expected`, or `expected` with `bytes` where these are not all there.
fn begins(bytes: &[u8], expected: &[u8]) -> bool {
    bytes.iter().zip(expected).all(|(byte, expected)| byte == expected)
}

/// Whether each line that has ended has done so with CR LF: httparse takes LF alone.
fn has_whole_lines(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    // The last one has not ended.
    lines.next_back();
    lines.all(|line| line.ends_with(b"\r"))
}

/// Whether a field whose name has come shows that this is no request for here. The values of the others are looked at when
/// all are there.
fn is_for_others(head: &[u8]) -> bool {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let mut names = lines.filter_map(|line| Some(&line[..line.iter().position(|byte| *byte == b':')?]));
    names.any(is_aside)
}

fn is_aside(name: &[u8]) -> bool {
    ASIDE.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// Whether the fields ask for WebSocket, and for nothing else that Node has an opinion on.
fn is_upgrade(head: &[u8], headers: &[httparse::Header<'_>]) -> bool {
    let (mut upgrades, mut connections) = (0, 0);
    for header in headers {
        let name = header.name.as_bytes();
        if name.eq_ignore_ascii_case(b"upgrade") {
            upgrades += 1;
            if !header.value.eq_ignore_ascii_case(b"websocket") {
                return false;
            }
        } else if name.eq_ignore_ascii_case(b"connection") {
            connections += 1;
            if !is_bare(head, field_of(head, header)) || !asks_for_upgrade(header.value) {
                return false;
            }
        } else if is_aside(name) {
            return false;
        }
    }
    upgrades == 1 && connections == 1
}

/// Whether there is no white space around a value but the usual one. Node's parser reads `Connection` as it comes: for it, an
/// option with a tab behind it is another one.
fn is_bare(head: &[u8], field: Field) -> bool {
    let (name, value) = (field.name(), field.value());
    let before = &head[name.end..value.start];
    (before == b":" || before == b": ") && head[value.end..].starts_with(b"\r")
}

/// Whether the options of a `Connection` field are `upgrade`, once, and perhaps `keep-alive`, which says nothing new.
fn asks_for_upgrade(value: &[u8]) -> bool {
    let mut upgrades = 0;
    for option in value.split(|byte| *byte == b',') {
        let option = option.strip_prefix(b" ").unwrap_or(option);
        if option.eq_ignore_ascii_case(b"upgrade") {
            upgrades += 1;
        } else if !option.eq_ignore_ascii_case(b"keep-alive") {
            return false;
        }
    }
    upgrades == 1
}

/// Where a header is that httparse has found.
fn field_of(head: &[u8], header: &httparse::Header<'_>) -> Field {
    // Both lie in `head`, which is no longer than MAX_HEAD_LENGTH.
    let offset = |part: &[u8]| (part.as_ptr().addr() - head.as_ptr().addr()) as u16;
    let start = offset(header.name.as_bytes());
    let end = start + header.name.len() as u16;
    // An empty value lies nowhere; where it would be is behind the colon.
    let value = if header.value.is_empty() { end + 1 } else { offset(header.value) };
    Field { name: (start, end), value: (value, value + header.value.len() as u16) }
}
