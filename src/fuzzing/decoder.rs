//! The same events and output however a stream is split and delivered to the connection.

use std::sync::Arc;

use super::Input;
use super::input::Rng;
use super::receiver::{DeliveryMode, Receiver};
use super::stream::build;
use crate::connection::{Config, Connection, TimeLimits};
use crate::protocol::deflate::{DeflateParams, IncomingParams, PermessageDeflate, Pool};
use crate::protocol::{Limits, Role};

/// Input: flags, limits of a byte each, the seed of the splits, and the stream, raw or
/// [built](build).
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let is_set = |bit: u8| flags & (1 << bit) != 0;
    let role = if is_set(0) { Role::Client } else { Role::Server };
    let incoming = IncomingParams { context_takeover: !is_set(5), ..IncomingParams::default() };
    let extension = PermessageDeflate {
        params: DeflateParams { incoming, ..DeflateParams::default() },
        pool: Arc::new(Pool::default()),
    };
    let config = Config {
        role,
        limits: limits(&mut input),
        auto_pong: !is_set(1),
        skip_utf8_validation: is_set(2),
        time_limits: TimeLimits::default(),
        deflate: is_set(3).then(|| Arc::new(extension)),
    };
    let mut rng = Rng::new(input.number16());
    let stream =
        if is_set(4) { build(&mut input, super::keys::opposite(role)) } else { input.remaining().to_vec() };

    let expected = Receiver::new(Connection::new(config.clone()), &mut rng).run(&stream, DeliveryMode::Whole);
    for mode in [
        DeliveryMode::Bytewise,
        DeliveryMode::Split,
        DeliveryMode::InPlace,
        DeliveryMode::Detached,
        DeliveryMode::Detached,
    ] {
        let seen = Receiver::new(Connection::new(config.clone()), &mut rng).run(&stream, mode);
        assert!(expected.equals(&seen), "{mode:?}\n{expected:?}\n{seen:?}");
    }
}

/// One byte for each limit. The number of chunks is unlimited: it depends on the split.
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
        max_read: 0,
    }
}
