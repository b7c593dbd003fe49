//! Black-box tests of a connection, and helpers shared by the other test files.

mod deflate;
mod idle;
mod in_place;
mod limits;
mod output;
mod ping_pong;
mod receive;
mod round_trip;
mod send;

use super::{Config, Connection, EventBatch, EventRef, MaskingKeys, TimeLimits};
use crate::protocol::{Limits, MaskingKey, ProtocolError, Role};

/// The masking key used by every test.
const KEY: MaskingKey = MaskingKey([0x37, 0xFA, 0x21, 0x3D]);

/// Counts the keys requested.
#[derive(Default)]
struct CountingKeys(u8);

impl MaskingKeys for CountingKeys {
    fn next_key(&mut self) -> MaskingKey {
        self.0 = self.0.wrapping_add(1);
        MaskingKey([self.0; 4])
    }
}

/// An [`EventRef`] that owns its bytes.
#[derive(Debug, Clone, PartialEq)]
enum Event {
    Message { binary: bool, data: Vec<u8>, fragments: Vec<u32> },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, Vec<u8>),
    Failed(ProtocolError),
    Inflating,
    Flooded,
}

impl Event {
    fn text(data: &str) -> Self {
        Self::Message { binary: false, data: data.into(), fragments: Vec::new() }
    }

    fn binary(data: &[u8]) -> Self {
        Self::Message { binary: true, data: data.into(), fragments: Vec::new() }
    }
}

impl From<EventRef<'_>> for Event {
    fn from(event: EventRef<'_>) -> Self {
        match event {
            EventRef::Message { binary, data, fragments } => {
                Self::Message { binary, data: data.into(), fragments: fragments.into() }
            }
            EventRef::InChunk { .. } => unreachable!("only received in place, which looks for itself"),
            EventRef::Ping { data: payload, .. } => Self::Ping(payload.into()),
            EventRef::Pong(payload) => Self::Pong(payload.into()),
            EventRef::Close { code, reason } => Self::Close(code, reason.into()),
            EventRef::Failed(error) => Self::Failed(error),
            EventRef::Inflating => Self::Inflating,
            EventRef::Flooded => Self::Flooded,
        }
    }
}

fn config(role: Role) -> Config {
    Config {
        role,
        limits: Limits::default(),
        auto_pong: true,
        skip_utf8_validation: false,
        time_limits: TimeLimits::default(),
        deflate: None,
    }
}

fn server() -> Connection {
    Connection::new(config(Role::Server))
}

fn client() -> Connection {
    Connection::new(config(Role::Client))
}

fn with_limits(role: Role, limits: Limits) -> Connection {
    Connection::new(Config { limits, ..config(role) })
}

/// Events of `connection` for these chunks.
fn receive_chunks<'a>(connection: &mut Connection, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut events = EventBatch::new();
    for chunk in chunks {
        connection.receive(chunk, &mut CountingKeys::default(), &mut events);
    }
    let mut seen = Vec::new();
    while let Some(event) = events.peek() {
        seen.push(event.into());
        events.advance();
    }
    seen
}

fn receive(connection: &mut Connection, bytes: &[u8]) -> Vec<Event> {
    receive_chunks(connection, [bytes])
}

/// Asserts that `stream` gives the same events and output, ending with `last`, wherever it is
/// split.
fn assert_same_however_cut(connect: impl Fn() -> Connection, stream: &[u8], last: &Event) {
    let mut whole = connect();
    let expected = receive(&mut whole, stream);
    assert_eq!(expected.last(), Some(last));
    assert!(!whole.is_receiving());

    let mut bytewise = connect();
    assert_eq!(receive_chunks(&mut bytewise, stream.chunks(1)), expected);
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        let mut connection = connect();
        assert_eq!(receive_chunks(&mut connection, [head, tail]), expected, "cut at {cut}");
        assert_eq!(connection.queued_total(), whole.queued_total());
    }
}

/// The masking key for a sender with this role.
fn key_of(role: Role) -> Option<MaskingKey> {
    role.must_mask_sent().then_some(KEY)
}

fn opposite(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}
