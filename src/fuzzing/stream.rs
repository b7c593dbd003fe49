//! Streams of a peer: arbitrary bytes, or frames valid enough to reach deep into the code, some
//! larger than the fuzzer's input.

use super::Input;
use crate::protocol::deflate::{OutgoingParams, Pool, compress_standalone, strip_trailer};
use crate::protocol::frame::mask;
use crate::protocol::{FrameHeader, MaskingKey, Opcode, Role};

/// Maximum bytes per case.
const MAX_CASE_BYTES: usize = 300_000;

/// Turns the remaining `input` into a stream sent by `sends`. A byte selects the next item: up to
/// 99, that many raw bytes; otherwise a frame, whose first byte follows, with
///
/// * 100 to 139: the number of payload bytes in the next byte;
/// * 140 to 179: the same, deflated;
/// * 180 to 209: a payload repeated from them, 100 times the number in the next two bytes long, at
///   most 200,000 bytes;
/// * 210 and above: the same, deflated.
pub(super) fn build(input: &mut Input<'_>, sends: Role) -> Vec<u8> {
    let (mut stream, pool) = (Vec::new(), Pool::default());
    while !input.is_empty() && stream.len() < MAX_CASE_BYTES {
        let kind = input.byte();
        if kind < 100 {
            stream.extend_from_slice(input.slice(usize::from(kind)));
            continue;
        }
        let first = input.byte();
        let payload = if kind < 180 { input.short().to_vec() } else { large(input) };
        let is_deflated = matches!(kind, 140..180 | 210..);
        let payload = if is_deflated && !payload.is_empty() {
            let compressed = compress_standalone(&pool, &OutgoingParams::default(), &payload);
            strip_trailer(&compressed, first & 0x80 != 0).to_vec()
        } else {
            payload
        };
        let key = sends.must_mask_sent().then_some(MaskingKey([kind, first, 0, 0x5A]));
        frame(first, key, &payload, &mut stream);
    }
    stream
}

/// A few bytes repeated, or slowly changing numbers.
fn large(input: &mut Input<'_>) -> Vec<u8> {
    let length = (usize::from(input.number16()) * 100).min(200_000);
    let pattern = input.short();
    if let [] | [_] = pattern {
        let seed = usize::from(pattern.first().copied().unwrap_or_default());
        return (0..length).map(|at| ((at * (at >> 5) + seed) % 127) as u8).collect();
    }
    pattern.iter().copied().cycle().take(length).collect()
}

/// A frame with an arbitrary first byte.
fn frame(first: u8, key: Option<MaskingKey>, payload: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let header = FrameHeader {
        fin: true,
        rsv1: false,
        opcode: Opcode::Binary,
        masking_key: key,
        payload_length: payload.len() as u64,
    };
    header.encode(out);
    out[start] = first;
    match key {
        Some(key) => mask::copy_masked(payload, key, 0, out),
        None => out.extend_from_slice(payload),
    }
}
