//! Masking against its definition in RFC 6455 section 5.3, at any offset of a payload and in parts.

use super::Input;
use super::input::Rng;
use crate::protocol::MaskingKey;
use crate::protocol::frame::mask::{apply, copy_masked};

/// Input: the key, the offset, the seed of the splits, the number of repetitions, the payload.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let key = [input.byte(), input.byte(), input.byte(), input.byte()];
    let offset = usize::from(input.number16());
    let mut rng = Rng::new(input.number16());
    let times = 1 + usize::from(input.below(8));
    let payload = input.remaining().repeat(times);
    let masked: Vec<u8> =
        payload.iter().enumerate().map(|(at, byte)| byte ^ key[(offset + at) % 4]).collect();

    // After other bytes, for any alignment in memory.
    let before = rng.below(40);
    let mut in_place = vec![0xAA; before];
    in_place.extend_from_slice(&payload);
    apply(&mut in_place[before..], MaskingKey(key), offset);
    assert!(in_place[before..] == masked);
    assert!(in_place[..before].iter().all(|&byte| byte == 0xAA));

    let mut copied = vec![0xAA; before];
    copy_masked(&payload, MaskingKey(key), offset, &mut copied);
    assert!(copied == in_place);

    let (mut parts, mut in_parts, mut done) = (Vec::new(), payload.clone(), 0);
    for piece in rng.split(&payload) {
        copy_masked(piece, MaskingKey(key), offset + done, &mut parts);
        apply(&mut in_parts[done..done + piece.len()], MaskingKey(key), offset + done);
        done += piece.len();
    }
    assert!(parts == masked && in_parts == masked);

    apply(&mut in_parts, MaskingKey(key), offset);
    assert!(in_parts == payload, "masking twice changes nothing");
}
