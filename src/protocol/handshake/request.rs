//! Detection of WebSocket upgrade requests (RFC 6455 section 4.1, RFC 9112). Accepts only heads
//! that Node's parser accepts, with the same target and fields, and emits as an upgrade. Everything
//! else falls back to Node's parser, so its responses need not be reproduced here.
//!
//! httparse splits the head. It is more lenient than Node's parser in places and has no notion of
//! upgrades; the rest of this file closes that gap. `__test__/listener` compares both parsers.

use std::mem::MaybeUninit;
use std::ops::Range;

use httparse::{Request, Status};

/// Maximum length of a head in bytes: Node's default `http.maxHeaderSize`, which counts slightly
/// less than the whole head.
pub const MAX_HEAD_LENGTH: usize = 16 * 1024;
// `Field` stores offsets as `u16`.
const _: () = assert!(MAX_HEAD_LENGTH <= u16::MAX as usize);

/// Maximum number of fields. Browsers send about twenty, and proxies add a few.
const MAX_FIELDS: usize = 64;

/// Start and end of the request line.
const REQUEST_LINE_START: &[u8] = b"GET /";
const REQUEST_LINE_END: &[u8] = b" HTTP/1.1\r\n";

/// Offset of the target.
const TARGET_OFFSET: usize = 4;

/// Fields that change the meaning of the following bytes or Node's handling of the request.
const FALLBACK_FIELDS: [&[u8]; 4] = [b"content-length", b"expect", b"proxy-connection", b"transfer-encoding"];

/// Ranges of a header field's name and value in the input. The value excludes surrounding
/// whitespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    name: (u16, u16),
    value: (u16, u16),
}

impl Field {
    /// Range of the name.
    pub fn name(&self) -> Range<usize> {
        usize::from(self.name.0)..usize::from(self.name.1)
    }

    /// Range of the value.
    pub fn value(&self) -> Range<usize> {
        usize::from(self.value.0)..usize::from(self.value.1)
    }
}

/// Result of parsing the bytes received so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestHead {
    /// May still become an upgrade request.
    Incomplete,
    /// Begins with an upgrade request.
    Upgrade {
        /// Length of the head in bytes. The bytes after it belong to the connection.
        length: usize,
        /// Range of the target.
        target: Range<usize>,
    },
    /// Anything else, regardless of the bytes that follow.
    Fallback,
}

/// Parses the bytes received so far. The head may have up to `limit` bytes and never more than
/// [`MAX_HEAD_LENGTH`]. Fills `fields` for an upgrade request, in order.
///
/// More bytes can only change `Incomplete`.
pub fn parse_upgrade_request(input: &[u8], limit: usize, fields: &mut Vec<Field>) -> RequestHead {
    fields.clear();
    let limit = limit.min(MAX_HEAD_LENGTH);
    let head = &input[..input.len().min(limit)];
    let Some(target) = find_target(head) else { return RequestHead::Fallback };
    let mut room = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = Request::new(&mut []);
    match request.parse_with_uninit_headers(head, &mut room) {
        Ok(Status::Complete(length)) => {
            let head = &head[..length];
            let is_upgrade = has_whole_lines(head) && is_upgrade(head, request.headers);
            if !is_upgrade {
                return RequestHead::Fallback;
            }
            fields.extend(request.headers.iter().map(|header| locate_field(head, header)));
            RequestHead::Upgrade { length, target }
        }
        // Input that Node would reject immediately must not wait here for more.
        Ok(Status::Partial) if head.len() < limit && has_whole_lines(head) && !has_fallback_field(head) => {
            RequestHead::Incomplete
        }
        _ => RequestHead::Fallback,
    }
}

/// Returns the range of the target received so far. `None` if the input cannot become an upgrade
/// request.
fn find_target(head: &[u8]) -> Option<Range<usize>> {
    if !is_prefix_of_either(head, REQUEST_LINE_START) {
        return None;
    }
    let target = head.get(TARGET_OFFSET..).unwrap_or_default();
    let length = target.iter().position(|byte| *byte == b' ').unwrap_or(target.len());
    let (target, rest) = target.split_at(length);
    // Targets must not have a fragment, and parsers disagree on non-ASCII bytes.
    let is_plain = target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    (is_plain && is_prefix_of_either(rest, REQUEST_LINE_END)).then_some(TARGET_OFFSET..TARGET_OFFSET + length)
}

/// True if one of the two slices is a prefix of the other.
fn is_prefix_of_either(bytes: &[u8], expected: &[u8]) -> bool {
    bytes.iter().zip(expected).all(|(byte, expected)| byte == expected)
}

/// True if every complete line ends with CR LF: httparse also accepts LF alone.
fn has_whole_lines(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    // The last line is incomplete.
    lines.next_back();
    lines.all(|line| line.ends_with(b"\r"))
}

/// True if the name of a received field requires the fallback. Values are checked once the head is
/// complete.
fn has_fallback_field(head: &[u8]) -> bool {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let mut names = lines.filter_map(|line| Some(&line[..line.iter().position(|byte| *byte == b':')?]));
    names.any(is_fallback_field)
}

fn is_fallback_field(name: &[u8]) -> bool {
    FALLBACK_FIELDS.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// True if the fields request WebSocket and include none that Node handles specially.
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
            if !has_plain_whitespace(head, locate_field(head, header))
                || !is_upgrade_option_list(header.value)
            {
                return false;
            }
        } else if is_fallback_field(name) {
            return false;
        }
    }
    upgrades == 1 && connections == 1
}

/// True if a value is surrounded only by the usual whitespace. Node's parser treats a `Connection`
/// option followed by a tab as a different option.
fn has_plain_whitespace(head: &[u8], field: Field) -> bool {
    let (name, value) = (field.name(), field.value());
    let before = &head[name.end..value.start];
    (before == b":" || before == b": ") && head[value.end..].starts_with(b"\r")
}

/// True if the options of a `Connection` field are one `upgrade` and optionally `keep-alive`.
fn is_upgrade_option_list(value: &[u8]) -> bool {
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

/// Converts a field found by httparse to ranges.
fn locate_field(head: &[u8], header: &httparse::Header<'_>) -> Field {
    // Both are inside `head`, which has at most MAX_HEAD_LENGTH bytes.
    let offset = |part: &[u8]| (part.as_ptr().addr() - head.as_ptr().addr()) as u16;
    let start = offset(header.name.as_bytes());
    let end = start + header.name.len() as u16;
    // httparse does not locate empty values; their position is after the colon.
    let value = if header.value.is_empty() { end + 1 } else { offset(header.value) };
    Field { name: (start, end), value: (value, value + header.value.len() as u16) }
}
