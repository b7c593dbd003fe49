//! However a stream is cut, and whatever way its chunks take into the connection: the same events, and the same answers.

use std::sync::Arc;

use super::Input;
use super::input::Dice;
use super::receiver::{Receiver, Way};
use super::stream::build;
use crate::connection::{Config, Connection};
use crate::protocol::deflate::{DeflateParams, IncomingParams, PermessageDeflate, Pool};
use crate::protocol::{Limits, Role};

/// Input: flags, limits of a byte each, how to cut, and the stream: as it is, or as [`build`] makes it.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let is_set = |bit: u8| flags & (1 << bit) != 0;
    let role = if is_set(0) { Role::Client } else { Role::Server };
    let incoming = IncomingParams { context_takeover: !is_set(5), ..IncomingParams::default() };
    let negotiated = PermessageDeflate {
        params: DeflateParams { incoming, ..DeflateParams::default() },
        pool: Arc::new(Pool::default()),
    };
    let config = Config {
        role,
        limits: limits(&mut input),
        auto_pong: !is_set(1),
        skip_utf8_validation: is_set(2),
        deflate: is_set(3).then(|| Arc::new(negotiated)),
    };
    let mut dice = Dice::new(input.number16());
    let stream =
        if is_set(4) { build(&mut input, super::keys::opposite(role)) } else { input.trim_memory().to_vec() };

    let expected = Receiver::new(Connection::new(config.clone()), &mut dice).run(&stream, Way::Whole);
    for way in [Way::Bytewise, Way::Cut, Way::InPlace, Way::Lent, Way::Lent] {
        let seen = Receiver::new(Connection::new(config.clone()), &mut dice).run(&stream, way);
        assert!(expected.equals(&seen), "{way:?}\n{expected:?}\n{seen:?}");
    }
}

/// Each from a byte. Chunks are not limited: that is the one limit that counts them.
fn limits(input: &mut Input<'_>) -> Limits {
    let payload = u64::from(input.byte());
    Limits {
        max_payload: match payload {
            0..128 => payload,
            128.. => (payload - 127) * 4096,
        },
        max_fragments: u32::from(input.byte()),
        max_buffered_chunks: 0,
        max_pending_auto_pongs: u32::from(input.byte()),
    }
}
