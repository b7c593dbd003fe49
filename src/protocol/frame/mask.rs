//! Masking (RFC 6455 section 5.3), in place and while copying. Unmasking is the same operation.
//! Keys are passed in by the caller.

/// Bytes masked per step: the size of a vector register, so that the compiler vectorizes the loop.
const STEP: usize = size_of::<u128>();
const _: () = assert!(STEP.is_multiple_of(size_of::<MaskingKey>()));

/// A masking key. All-zero keys are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaskingKey(pub [u8; 4]);

impl MaskingKey {
    /// The key repeated to a step, rotated for data that begins `offset` bytes into the payload.
    const fn repeated(self, offset: usize) -> u128 {
        let [a, b, c, d] = self.0;
        let key = match offset % 4 {
            0 => [a, b, c, d],
            1 => [b, c, d, a],
            2 => [c, d, a, b],
            _ => [d, a, b, c],
        };
        u32::from_ne_bytes(key) as u128 * 0x1_0000_0001_0000_0001_0000_0001
    }
}

/// Masks `data` in place. Its first byte has `offset` in the payload.
pub fn apply(data: &mut [u8], key: MaskingKey, offset: usize) {
    let key = key.repeated(offset);
    let (steps, tail) = data.as_chunks_mut::<STEP>();
    for step in steps {
        *step = (u128::from_ne_bytes(*step) ^ key).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key.to_ne_bytes()) {
        *byte ^= key;
    }
}

/// Appends `source` to `out`, masked in the same pass. Its first byte has `offset` in the payload.
pub fn copy_masked(source: &[u8], key: MaskingKey, offset: usize, out: &mut Vec<u8>) {
    let key = key.repeated(offset);
    let (steps, tail) = source.as_chunks::<STEP>();
    out.reserve(source.len());
    // `extend` knows the length of both iterators and reserves once.
    out.extend(steps.iter().flat_map(|step| (u128::from_ne_bytes(*step) ^ key).to_ne_bytes()));
    out.extend(tail.iter().zip(key.to_ne_bytes()).map(|(byte, key)| byte ^ key));
}

#[cfg(test)]
mod tests {
    use super::{MaskingKey, apply, copy_masked};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    /// The definition in RFC 6455 section 5.3, byte by byte.
    fn scalar(data: &[u8], key: [u8; 4], offset: usize) -> Vec<u8> {
        data.iter().enumerate().map(|(index, byte)| byte ^ key[(offset + index) % 4]).collect()
    }

    proptest! {
        #[test]
        fn both_functions_match_the_definition(
            data: Vec<u8>,
            key: [u8; 4],
            offset in 0_usize..64,
            before: Vec<u8>,
        ) {
            let expected = scalar(&data, key, offset);

            let mut copied = before.clone();
            copy_masked(&data, MaskingKey(key), offset, &mut copied);
            prop_assert_eq!(&copied[..before.len()], &before[..]);
            prop_assert_eq!(&copied[before.len()..], &expected[..]);

            let mut in_place = data;
            apply(&mut in_place, MaskingKey(key), offset);
            prop_assert_eq!(in_place, expected);
        }

        #[test]
        fn a_payload_may_be_masked_in_parts(
            data: Vec<u8>,
            key: [u8; 4],
            cut in any::<proptest::sample::Index>(),
        ) {
            let cut = cut.index(data.len() + 1);
            let mut parts = Vec::new();
            copy_masked(&data[..cut], MaskingKey(key), 0, &mut parts);
            copy_masked(&data[cut..], MaskingKey(key), cut, &mut parts);
            prop_assert_eq!(parts, scalar(&data, key, 0));
        }
    }

    #[test]
    fn every_length_around_a_step() {
        let data: Vec<u8> = (0..=70).collect();
        for length in 0..=data.len() {
            let mut masked = Vec::new();
            copy_masked(&data[..length], MaskingKey([1, 2, 4, 8]), 3, &mut masked);
            assert_eq!(masked, scalar(&data[..length], [1, 2, 4, 8], 3));
        }
    }

    #[test]
    fn a_zero_key_changes_nothing() {
        let mut data = *b"seventeen bytes..";
        apply(&mut data, MaskingKey([0; 4]), 0);
        assert_eq!(&data, b"seventeen bytes..");
    }
}
