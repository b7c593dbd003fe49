//! Frame headers: the RFC's examples, order of the checks, every split, round trips.

use super::{FrameHeader, FrameRules, HeaderReader, MAX_HEADER_LENGTH};
use crate::protocol::ProtocolError as E;
use crate::protocol::{MaskingKey, Opcode, Role};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

fn rules(role: Role) -> FrameRules {
    FrameRules { role, rsv1_allowed: false, fragmented: false, message_length: 0, max_payload: 0 }
}

fn parse(bytes: &[u8], rules: &FrameRules) -> Result<Option<(FrameHeader, usize)>, E> {
    FrameHeader::parse(bytes, rules)
}

#[test]
fn the_examples_of_rfc_6455_section_5_7() {
    let plain = |opcode, fin, payload_length| FrameHeader {
        fin,
        rsv1: false,
        opcode,
        masking_key: None,
        payload_length,
    };
    let key = Some(MaskingKey([0x37, 0xFA, 0x21, 0x3D]));
    let masked = |opcode| FrameHeader { masking_key: key, ..plain(opcode, true, 5) };
    let inside = FrameRules { fragmented: true, ..rules(Role::Client) };
    for (bytes, rules, header) in [
        (&[0x81, 0x05][..], rules(Role::Client), plain(Opcode::Text, true, 5)),
        (&[0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D], rules(Role::Server), masked(Opcode::Text)),
        (&[0x01, 0x03], rules(Role::Client), plain(Opcode::Text, false, 3)),
        (&[0x80, 0x02], inside, plain(Opcode::Continuation, true, 2)),
        (&[0x89, 0x05], rules(Role::Client), plain(Opcode::Ping, true, 5)),
        (&[0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D], rules(Role::Server), masked(Opcode::Pong)),
        (&[0x82, 0x7E, 0x01, 0x00], rules(Role::Client), plain(Opcode::Binary, true, 256)),
        (&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0], rules(Role::Client), plain(Opcode::Binary, true, 65536)),
    ] {
        assert_eq!(parse(bytes, &rules), Ok(Some((header, bytes.len()))));
        let mut encoded = Vec::new();
        header.encode(&mut encoded);
        assert_eq!(encoded, bytes);
    }
}

/// Each row violates the rule of its error and as many later ones as the same bytes allow.
#[test]
fn the_first_violated_rule_is_reported() {
    let (outside, inside) =
        (rules(Role::Server), FrameRules { fragmented: true, max_payload: 10, ..rules(Role::Server) });
    let with_rsv1 = |rules| FrameRules { rsv1_allowed: true, ..rules };
    for (bytes, rules, error) in [
        (&[0x7F, 0x7F][..], outside, E::UnexpectedRsv23),
        (&[0x20, 0x01], outside, E::UnexpectedRsv23),
        (&[0x10, 0x01], outside, E::UnexpectedRsv23),
        (&[0x4F, 0x7F], outside, E::UnexpectedRsv1),
        (&[0x40, 0x7F], with_rsv1(outside), E::UnexpectedRsv1),
        (&[0x49, 0x7F], with_rsv1(outside), E::ExpectedFin),
        (&[0xC9, 0x7F], with_rsv1(outside), E::UnexpectedRsv1),
        (&[0xC3, 0x7F], with_rsv1(outside), E::InvalidOpcode(3)),
        (&[0x00, 0x7F], outside, E::InvalidOpcode(0)),
        (&[0x01, 0x7F], inside, E::InvalidOpcode(1)),
        (&[0x82, 0x7F], inside, E::InvalidOpcode(2)),
        (&[0x07, 0x7F], outside, E::InvalidOpcode(7)),
        (&[0x0B, 0x7F], outside, E::InvalidOpcode(11)),
        (&[0x08, 0x7F], outside, E::ExpectedFin),
        (&[0x89, 0x7E], outside, E::InvalidControlPayloadLength(126)),
        (&[0x8A, 0x7F], outside, E::InvalidControlPayloadLength(127)),
        (&[0x88, 0x01], outside, E::InvalidControlPayloadLength(1)),
        (&[0x88, 0x02], outside, E::ExpectedMask),
        (&[0x81, 0x7F], outside, E::ExpectedMask),
        (&[0x81, 0x85], rules(Role::Client), E::UnexpectedMask),
        (&[0x81, 0xFF, 0, 0x20, 0, 0, 0, 0, 0, 0], outside, E::UnsupportedDataPayloadLength),
        (&[0x80, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0], inside, E::UnsupportedDataPayloadLength),
        (&[0x80, 0x8B], inside, E::UnsupportedMessageLength),
        (&[0x80, 0xFE, 0x00, 0x0B], inside, E::UnsupportedMessageLength),
    ] {
        assert_eq!(parse(bytes, &rules), Err(error), "{bytes:02X?}");
        // No error is reported before the bytes that show it.
        assert_eq!(parse(&bytes[..bytes.len() - 1], &rules), Ok(None), "{bytes:02X?}");
    }
}

#[test]
fn a_ping_may_have_one_byte() {
    assert!(matches!(parse(&[0x89, 0x01], &rules(Role::Client)), Ok(Some(_))));
}

#[test]
fn max_payload_counts_the_whole_message_and_only_data() {
    let at = |message_length| FrameRules {
        fragmented: true,
        message_length,
        max_payload: 10,
        ..rules(Role::Client)
    };
    assert!(parse(&[0x80, 5], &at(5)).is_ok());
    assert_eq!(parse(&[0x80, 5], &at(6)), Err(E::UnsupportedMessageLength));
    assert!(parse(&[0x80, 0], &at(11)).is_ok());
    assert!(parse(&[0x89, 100], &at(10)).is_ok());
    assert!(parse(&[0x80, 5], &FrameRules { max_payload: 0, ..at(u64::MAX) }).is_ok());
}

#[test]
fn the_largest_safe_length_is_accepted_in_eight_bytes_and_short_ones_too() {
    let largest = parse(&[0x82, 0x7F, 0, 0x1F, 255, 255, 255, 255, 255, 255], &rules(Role::Client));
    assert!(matches!(largest, Ok(Some((FrameHeader { payload_length: 0x1F_FFFF_FFFF_FFFF, .. }, 10)))));
    let long_form = parse(&[0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0, 1], &rules(Role::Client));
    assert!(matches!(long_form, Ok(Some((FrameHeader { payload_length: 1, .. }, 10)))));
}

#[test]
fn buffered_bytes_divide_into_complete_and_incomplete_fields() {
    let bytes = [0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4];
    let mut reader = HeaderReader::default();
    let mut divided = vec![reader.buffered()];
    for byte in bytes {
        reader.read(&mut &[byte][..], &rules(Role::Server)).unwrap();
        divided.push(reader.buffered());
    }
    let with_length = (2..10).map(|length| (2, length - 2));
    let with_key = (10..14).map(|length| (10, length - 10));
    let expected: Vec<_> =
        [(0, 0), (0, 1)].into_iter().chain(with_length).chain(with_key).chain([(0, 0)]).collect();
    assert_eq!(divided, expected);
}

fn any_header() -> impl Strategy<Value = FrameHeader> {
    let opcode = prop_oneof![
        proptest::strategy::Just(Opcode::Text),
        proptest::strategy::Just(Opcode::Binary),
        proptest::strategy::Just(Opcode::Ping)
    ];
    let length = prop_oneof![0..300_u64, 65_500..65_600_u64, 0..1_u64 << 53];
    (any::<bool>(), any::<bool>(), opcode, any::<Option<[u8; 4]>>(), length).prop_map(
        |(fin, rsv1, opcode, key, length)| FrameHeader {
            fin: fin || opcode.is_control(),
            rsv1: rsv1 && !opcode.is_control(),
            opcode,
            masking_key: key.map(MaskingKey),
            payload_length: if opcode.is_control() { length % 126 } else { length },
        },
    )
}

proptest! {
    #[test]
    fn encoded_headers_are_read_back_at_every_split(
        header in any_header(),
        tail: Vec<u8>,
        cut in 0..=MAX_HEADER_LENGTH,
    ) {
        let role = if header.masking_key.is_some() { Role::Server } else { Role::Client };
        let rules = FrameRules { rsv1_allowed: true, ..rules(role) };
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        let length = bytes.len();
        bytes.extend_from_slice(&tail);

        let (mut first, mut second) = bytes.split_at(cut.min(bytes.len()));
        let mut reader = HeaderReader::default();
        let mut read = reader.read(&mut first, &rules);
        if read == Ok(None) {
            prop_assert_eq!(first.len(), 0);
            read = reader.read(&mut second, &rules);
        }
        prop_assert_eq!(read, Ok(Some(header)));
        prop_assert_eq!(first.len() + second.len(), bytes.len() - length);
    }

    #[test]
    fn any_bytes_are_a_header_an_error_or_too_short(
        bytes: Vec<u8>,
        fragmented: bool,
        rsv1_allowed: bool,
        server: bool,
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let rules = FrameRules { rsv1_allowed, fragmented, ..rules(role) };
        match FrameHeader::parse(&bytes, &rules) {
            Ok(Some((_, length))) => prop_assert!((2..=14).contains(&length) && length <= bytes.len()),
            Ok(None) => prop_assert!(bytes.len() < MAX_HEADER_LENGTH),
            Err(_) => prop_assert!(bytes.len() >= 2),
        }
    }
}
