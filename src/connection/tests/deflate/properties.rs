//! Messages sent by one end equal those received by the other, compressed or not, at every split;
//! flate2 inflates the same frames.

use flate2::Decompress;
use proptest::collection::vec;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::{
    Event, ends, frames, inflate_with_flate2, key_of, narrow, noise, receive_chunks, receive_inflating,
    taken, words,
};
use crate::connection::Connection;
use crate::protocol::deflate::{Broadcast, InflateError, Level, OutgoingParams};
use crate::protocol::{ProtocolError, Role};

#[derive(Debug, Clone)]
enum Command {
    /// A message in these fragments, with a ping between each two.
    Message {
        compress: bool,
        fragments: Vec<Vec<u8>>,
    },
    Ping,
    TrimMemory,
}

fn outgoing() -> impl Strategy<Value = OutgoingParams> {
    let level = prop_oneof![3 => Just(None), 1 => (0_u8..=9).prop_map(Level::new)];
    (8_u8..=15, any::<bool>(), level, 0_u64..300).prop_map(|(bits, context_takeover, level, threshold)| {
        OutgoingParams { context_takeover, level, threshold, ..narrow(bits) }
    })
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![1 => Just(0_usize), 8 => 1_usize..600, 1 => 600_usize..6_000];
    (length, 0_usize..10).prop_map(|(length, seed)| match seed {
        0 => noise(7, length),
        _ => words(seed, length),
    })
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let message = |fragments| {
        (any::<bool>(), vec(payload(), fragments))
            .prop_map(|(unwanted, fragments)| Command::Message { compress: !unwanted, fragments })
    };
    let command = prop_oneof![6 => message(1..2), 2 => message(2..5), 1 => Just(Command::Ping), 2 => Just(Command::TrimMemory)];
    vec(command, 1..14)
}

fn run(sender: &mut Connection, role: Role, commands: &[Command]) -> Vec<Event> {
    let mut expected = Vec::new();
    let key = key_of(role);
    for command in commands {
        match command {
            Command::Message { compress, fragments } => {
                for (index, fragment) in fragments.iter().enumerate() {
                    if index > 0 {
                        sender.ping(key, b"between");
                        expected.push(Event::Ping(b"between".into()));
                    }
                    let (fin, mut broadcast) = (index + 1 == fragments.len(), Broadcast::default());
                    sender.send_compressed(true, fin, key, fragment, *compress, &mut broadcast);
                }
                let lengths =
                    fragments.iter().map(|fragment| fragment.len() as u32).filter(|&length| length > 0);
                expected.push(Event::Message {
                    binary: true,
                    data: fragments.concat(),
                    fragments: if fragments.len() > 1 { lengths.collect() } else { Vec::new() },
                });
            }
            Command::Ping => {
                sender.ping(key, b"alone");
                expected.push(Event::Ping(b"alone".into()));
            }
            Command::TrimMemory => {
                sender.trim_memory();
            }
        }
    }
    expected
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn commands_become_events(
        outgoing in outgoing(),
        commands in commands(),
        client: bool,
        size in prop_oneof![1_usize..40, Just(usize::MAX)],
        trims in 0_usize..5,
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let (mut sender, mut receiver) = ends(role, &outgoing);
        let expected = run(&mut sender, role, &commands);
        let bytes = taken(&mut sender);
        prop_assert_eq!(&receive_inflating(&mut receiver, bytes.chunks(size), 0), &expected);

        // A receiver whose memory is trimmed now and then, between frames and within them.
        let (_, mut receiver) = ends(role, &outgoing);
        let mut seen = Vec::new();
        for chunk in bytes.chunks(size.min(60)) {
            seen.extend(receive_chunks(&mut receiver, [chunk]));
            for _ in 0..trims {
                receiver.trim_memory();
            }
        }
        prop_assert_eq!(&seen, &expected);
    }

    #[test]
    fn flate2_inflates_the_frames(outgoing in outgoing(), commands in commands()) {
        let (mut sender, _) = ends(Role::Server, &outgoing);
        let expected = run(&mut sender, Role::Server, &commands);
        let bytes = taken(&mut sender);
        let mut inflater = Decompress::new(false);
        let (mut compressed, mut message, mut seen) = (false, Vec::new(), Vec::new());
        for (first, payload) in frames(&bytes) {
            let (fin, opcode) = (first & 0x80 != 0, first & 0x0F);
            if opcode == 9 {
                continue;
            }
            if opcode != 0 {
                compressed = first & 0x40 != 0;
            }
            message.extend_from_slice(payload);
            if fin {
                if compressed && !outgoing.context_takeover {
                    inflater.reset(false);
                }
                let message = std::mem::take(&mut message);
                seen.push(if compressed { inflate_with_flate2(&mut inflater, &message) } else { message });
            }
        }
        let sent = expected.into_iter().filter_map(|event| match event {
            Event::Message { data, .. } => Some(data),
            _ => None,
        });
        prop_assert_eq!(seen, sent.collect::<Vec<_>>());
    }

    #[test]
    fn garbage_gives_the_same_events_at_every_split(
        before in commands(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        trims in 0_usize..3,
    ) {
        let outgoing = OutgoingParams::default();
        let (mut sender, _) = ends(Role::Server, &outgoing);
        run(&mut sender, Role::Server, &before);
        sender.close(None, b"", None);
        let mut bytes = taken(&mut sender);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
        let [mut whole, mut parts] = [(); 2].map(|()| ends(Role::Server, &outgoing).1);
        let mut seen = receive_inflating(&mut whole, [&bytes[..]], 0);
        let mut in_parts = receive_inflating(&mut parts, [head], 0);
        for _ in 0..trims {
            parts.trim_memory();
        }
        in_parts.extend(receive_inflating(&mut parts, [tail], 0));
        // The backend sometimes loses its error message.
        for seen in [&mut seen, &mut in_parts] {
            if let Some(Event::Failed(ProtocolError::InvalidDeflate(fault))) = seen.last_mut() {
                *fault = InflateError::Other;
            }
        }
        // Damaged data may end anywhere, also within a block, where trimming replaces the inflater.
        prop_assert!(trims == 2 || seen == in_parts, "{:?} {:?}", seen, in_parts);
        prop_assert_eq!(whole.is_receiving() || trims == 2, parts.is_receiving() || trims == 2);
    }
}
