//! Shared and individual payloads for several receivers, mixed in any order: each peer receives
//! exactly its own messages.

use flate2::Decompress;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};

use super::{Event, ends, frames, inflate_with_flate2, key_of, narrow, noise, receive, taken, words};
use crate::connection::Connection;
use crate::protocol::Role;
use crate::protocol::deflate::{Broadcast, Level, OutgoingParams, Pool, compress_standalone};

#[derive(Debug, Clone)]
enum Step {
    /// The same payload to all of these, in order.
    Shared {
        receivers: u16,
        payload: usize,
    },
    /// A payload to one receiver: compressed alone, uncompressed, precompressed, or in fragments.
    Own {
        receiver: usize,
        payload: usize,
    },
    Plain {
        receiver: usize,
        payload: usize,
    },
    Alone {
        receiver: usize,
        payload: usize,
    },
    Fragments {
        receiver: usize,
        payloads: Vec<(usize, bool)>,
    },
    TrimMemory {
        receiver: usize,
    },
    PeerRest {
        receiver: usize,
    },
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (receiver, payload) = (|| 0_usize..8, || 0_usize..14);
    let step = prop_oneof![
        6 => (Just(u16::MAX), payload()).prop_map(|(receivers, payload)| Step::Shared { receivers, payload }),
        4 => (any::<u16>(), payload()).prop_map(|(receivers, payload)| Step::Shared { receivers, payload }),
        2 => (receiver(), payload()).prop_map(|(receiver, payload)| Step::Own { receiver, payload }),
        1 => (receiver(), payload()).prop_map(|(receiver, payload)| Step::Plain { receiver, payload }),
        1 => (receiver(), payload()).prop_map(|(receiver, payload)| Step::Alone { receiver, payload }),
        1 => (receiver(), vec((payload(), any::<bool>()), 2..4))
            .prop_map(|(receiver, payloads)| Step::Fragments { receiver, payloads }),
        1 => receiver().prop_map(|receiver| Step::TrimMemory { receiver }),
        1 => receiver().prop_map(|receiver| Step::PeerRest { receiver }),
        1 => Just(Step::Forget),
    ];
    vec(step, 1..40)
}

/// Similar payloads, except that one is too short to be shared and one is empty.
fn payload(number: usize) -> Vec<u8> {
    match number {
        0 => Vec::new(),
        1 => words(1, 60),
        2 => noise(1, 400),
        3 => words(3, 6_000),
        _ => [&words(number % 3, 150)[..], &words(number, 60)].concat(),
    }
}

/// Both ends of a connection, and flate2 as an independent observer.
struct Link {
    sender: Connection,
    peer: Connection,
    inflater: Decompress,
    expected: Vec<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Link {
    fn new(role: Role, outgoing: &OutgoingParams) -> Self {
        let (sender, peer) = ends(role, outgoing);
        Self { sender, peer, inflater: Decompress::new(false), expected: Vec::new(), bytes: Vec::new() }
    }

    fn send(&mut self, payload: &[u8], compress: bool, broadcast: &mut Broadcast) {
        let key = key_of(self.sender.config.role);
        self.sender.send_compressed(true, true, key, payload, compress, broadcast);
        self.expected.push(payload.to_vec());
    }

    fn send_precompressed(&mut self, payload: &[u8], fin: bool) -> bool {
        let key = key_of(self.sender.config.role);
        let may = self.sender.decide_compression(true, payload.len()) && !payload.is_empty();
        if may {
            let compressed =
                compress_standalone(&Pool::default(), self.sender.outgoing_params().unwrap(), payload);
            self.sender.send_precompressed(true, fin, key, &compressed);
        }
        may
    }

    fn send_fragments(&mut self, payloads: &[(usize, bool)], broadcast: &mut Broadcast) {
        let key = key_of(self.sender.config.role);
        let mut message = Vec::new();
        for (index, &(number, alone)) in payloads.iter().enumerate() {
            let (fin, part) = (index + 1 == payloads.len(), payload(number));
            if !alone || !self.send_precompressed(&part, fin) {
                self.sender.send_compressed(true, fin, key, &part, true, broadcast);
            }
            message.extend(part);
        }
        self.expected.push(message);
    }

    /// Delivers the new output to the peer.
    fn deliver(&mut self) -> Vec<Vec<u8>> {
        let bytes = taken(&mut self.sender);
        let seen = receive(&mut self.peer, &bytes).into_iter().map(|event| match event {
            Event::Message { data, .. } => data,
            event => panic!("{event:?}"),
        });
        self.bytes.extend_from_slice(&bytes);
        seen.collect()
    }

    /// Inflates all frames of a server with flate2.
    fn inflate_frames(&mut self, takeover: bool) -> Vec<Vec<u8>> {
        let (mut compressed, mut message, mut seen) = (false, Vec::new(), Vec::new());
        for (first, payload) in frames(&self.bytes) {
            if first & 0x0F != 0 {
                compressed = first & 0x40 != 0;
            }
            message.extend_from_slice(payload);
            if first & 0x80 != 0 {
                if !takeover && compressed {
                    self.inflater.reset(false);
                }
                let message = std::mem::take(&mut message);
                seen.push(if compressed {
                    inflate_with_flate2(&mut self.inflater, &message)
                } else {
                    message
                });
            }
        }
        seen
    }
}

fn outgoing() -> impl Strategy<Value = OutgoingParams> {
    let bits = prop_oneof![4 => Just(15_u8), 1 => 8_u8..15];
    let level = prop_oneof![6 => Just(None), 1 => Just(Level::new(6)), 1 => Just(Level::new(1))];
    (bits, prop_oneof![5 => Just(true), 1 => Just(false)], level).prop_map(
        |(bits, context_takeover, level)| OutgoingParams {
            context_takeover,
            level,
            threshold: 100,
            ..narrow(bits)
        },
    )
}

fn run(lines: &mut [Link], steps: &[Step]) {
    let mut broadcast = Broadcast::default();
    let count = lines.len();
    for step in steps {
        match step {
            Step::Shared { receivers, payload: number } => {
                for (index, line) in lines.iter_mut().enumerate() {
                    if receivers >> index & 1 == 1 {
                        line.send(&payload(*number), true, &mut broadcast);
                    }
                }
            }
            Step::Own { receiver, payload: number } => {
                // Sent to this receiver only.
                let own = [&payload(*number)[..], &words(*receiver + 20, 90)].concat();
                lines[receiver % count].send(&own, true, &mut broadcast);
            }
            Step::Plain { receiver, payload: number } => {
                lines[receiver % count].send(&payload(*number), false, &mut broadcast);
            }
            Step::Alone { receiver, payload: number } => {
                let line = &mut lines[receiver % count];
                if line.send_precompressed(&payload(*number), true) {
                    line.expected.push(payload(*number));
                }
            }
            Step::Fragments { receiver, payloads } => {
                lines[receiver % count].send_fragments(payloads, &mut broadcast);
            }
            Step::TrimMemory { receiver } => {
                lines[receiver % count].sender.trim_memory();
            }
            Step::PeerRest { receiver } => {
                let line = &mut lines[receiver % count];
                let came = line.deliver();
                let expected: Vec<_> = line.expected.drain(..came.len()).collect();
                assert!(came == expected);
                line.peer.trim_memory();
            }
            Step::Forget => broadcast.clear(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn each_peer_receives_its_messages(
        outgoing in vec(outgoing(), 1..5),
        count in 1_usize..9,
        steps in steps(),
        client: bool,
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let mut lines: Vec<Link> =
            (0..count).map(|index| Link::new(role, &outgoing[index * outgoing.len() / count])).collect();
        run(&mut lines, &steps);
        for (index, line) in lines.iter_mut().enumerate() {
            let came = line.deliver();
            prop_assert!(came == line.expected, "receiver {index}");
        }
    }

    #[test]
    fn flate2_inflates_each_payload(
        outgoing in outgoing(),
        count in 1_usize..9,
        steps in steps(),
    ) {
        let steps: Vec<Step> =
            steps.into_iter().filter(|step| !matches!(step, Step::PeerRest { .. })).collect();
        let mut lines: Vec<Link> = (0..count).map(|_| Link::new(Role::Server, &outgoing)).collect();
        run(&mut lines, &steps);
        for (index, line) in lines.iter_mut().enumerate() {
            line.deliver();
            let heard = line.inflate_frames(outgoing.context_takeover);
            prop_assert!(heard == line.expected, "receiver {index}");
        }
    }
}
