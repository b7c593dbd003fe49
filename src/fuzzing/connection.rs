//! Two connected ends: each receives the commands of the other in order, however the bytes are
//! split, and the byte totals are right. Valid commands only; `hostile` covers the others.

use super::Input;
use super::event::Event;
use super::input::Rng;
use super::pair::{End, Pair};
use crate::protocol::deflate::compress_standalone;
use crate::protocol::frame::mask;
use crate::protocol::{FrameHeader, MaskingKey, Opcode};

/// Maximum bytes sent per case.
const MAX_CASE_BYTES: usize = 300_000;

/// Input: the parameters of [`Pair`], then commands: a byte for command and sender, and its
/// arguments.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut pair = Pair::new(&mut input);
    let mut rng = Rng::new(input.number16());
    let mut sent = 0;
    while !input.is_empty() && sent < MAX_CASE_BYTES {
        let kind = input.byte();
        let (from, to) = if kind & 0x80 == 0 { (0, 1) } else { (1, 0) };
        let is_binary = kind & 0x40 != 0;
        if !pair.ends[from].is_closing {
            let before = pair.ends[from].connection.queued_total();
            let end = &mut pair.ends[from];
            let expected = command(end, kind & 0x1F, is_binary, &mut input, &mut rng);
            sent += (end.connection.queued_total() - before) as usize + 20;
            pair.ends[to].expected.extend(expected);
        }
        match kind & 0x1F {
            16..20 => pair.deliver(from, to, &mut rng),
            20 => pair.ends[from].trim_memory(),
            21 => pair.ends[to].set_max_payload(&mut rng),
            _ => {}
        }
        pair.check_totals();
    }
    pair.finish(&mut rng);
}

/// Executes a command of `end` and returns the event expected at the other end.
fn command(end: &mut End, kind: u8, is_binary: bool, input: &mut Input<'_>, rng: &mut Rng) -> Option<Event> {
    match kind {
        // A message, and one in fragments.
        0..4 => {
            let payload = payload(input, is_binary);
            end.send_message(is_binary, &[&payload], kind & 1 == 0)
        }
        4..8 => {
            let payload = payload(input, is_binary);
            // An empty fragment may be anywhere.
            let mut fragments = rng.split(&payload);
            fragments.insert(rng.below(fragments.len() + 1), &[]);
            fragments.truncate(40);
            end.send_message(is_binary, &fragments, kind & 1 == 0)
        }
        8 | 9 => {
            let payload = input.short();
            let cut = payload[..payload.len().min(125)].to_vec();
            let key = end.key();
            if kind == 8 {
                end.connection.ping(key, payload);
                Some(Event::Ping { data: cut, answered: false })
            } else {
                end.connection.pong(key, payload);
                Some(Event::Pong(cut))
            }
        }
        10 => {
            let payload = input.short();
            let payload = &payload[..payload.len().min(125)];
            let mut frame = Vec::new();
            let masking_key = end.key();
            let (fin, rsv1, opcode) = (true, false, Opcode::Ping);
            let payload_length = payload.len() as u64;
            FrameHeader { fin, rsv1, opcode, masking_key, payload_length }.encode(&mut frame);
            mask::copy_masked(payload, masking_key.unwrap_or(MaskingKey([0; 4])), 0, &mut frame);
            end.connection.write_raw(&frame);
            Some(Event::Ping { data: payload.into(), answered: false })
        }
        11 => {
            let code = [1000, 1001, 1003, 1007, 3000, 4999][usize::from(input.below(6))];
            let reason = String::from_utf8_lossy(input.short()).into_owned();
            // 123 bytes fit, but a cut could split a code point.
            let reason = if reason.len() > 123 { "a long reason" } else { reason.as_str() };
            let code = (!is_binary).then_some(code);
            let key = end.key();
            end.connection.close(code, reason.as_bytes(), key);
            end.is_closing = true;
            Some(code.map_or(Event::Close(1005, Vec::new()), |code| Event::Close(code, reason.into())))
        }
        12 => {
            let payload = payload(input, is_binary);
            end.send_external(is_binary, &payload)
        }
        13 => {
            let payload = payload(input, is_binary);
            let outgoing = end.connection.outgoing_params()?.clone();
            if payload.is_empty() || !end.connection.decide_compression(true, payload.len()) {
                return None;
            }
            let compressed = compress_standalone(&end.pool, &outgoing, &payload);
            let key = end.key();
            end.connection.send_precompressed(is_binary, true, key, &compressed);
            Some(Event::Message { binary: is_binary, data: payload, fragments: Vec::new() })
        }
        14 => {
            end.connection.set_auto_pong(is_binary);
            None
        }
        _ => None,
    }
}

/// Two bytes give the number of repetitions, if any, of the following bytes. UTF-8 for a text.
fn payload(input: &mut Input<'_>, is_binary: bool) -> Vec<u8> {
    let times = usize::from(input.number16());
    let times = if times < 0x8000 { 1 } else { times - 0x8000 };
    let bytes = input.short();
    let bytes =
        if is_binary { bytes.to_vec() } else { String::from_utf8_lossy(bytes).into_owned().into_bytes() };
    let times = times.min(150_000 / bytes.len().max(1));
    bytes.repeat(times)
}
