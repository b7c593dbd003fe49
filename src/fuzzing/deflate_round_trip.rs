//! What connections send compressed, inflated by flate2 alone, which keeps its window from one message to the next: several
//! connections with all settings, that are sent the same and other things.

use std::sync::Arc;

use flate2::{Decompress, FlushDecompress};

use super::Input;
use super::input::Dice;
use crate::connection::{Config, Connection};
use crate::protocol::deflate::{
    Broadcast, DeflateParams, Level, MemLevel, OutgoingParams, PermessageDeflate, Pool, Strategy, WindowBits,
    compress_standalone,
};
use crate::protocol::frame::FrameRules;
use crate::protocol::{FrameHeader, Limits, Role};

/// All that one case may send.
const LONGEST: usize = 300_000;

/// Input: the settings, and then what is sent: a byte for what is done and by whom, two for the length, and bytes that are
/// repeated. Without any, the payload before is sent once more.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let outgoing = outgoing(&mut input);
    let mut dice = Dice::new(input.number16());
    let pool = Arc::new(Pool::default());
    let count = 1 + input.below(6);
    let mut ends: Vec<End> = (0..count).map(|_| End::new(&outgoing, &pool)).collect();
    let mut broadcast = Broadcast::default();
    let (mut payload, mut sent) = (Vec::new(), 0);
    while !input.is_empty() && sent < LONGEST {
        let kind = input.byte();
        let length = usize::from(input.number16()) % 40_000;
        let pattern = input.short();
        if !pattern.is_empty() {
            // Much like the one before, now and then.
            let kept = if kind & 0x80 == 0 { 0 } else { payload.len() / 2 };
            payload.truncate(kept);
            let wanted = kept + length.max(pattern.len());
            while payload.len() < wanted {
                payload.extend_from_slice(pattern);
                // Far from each other, now and then.
                let apart = if kind & 0x40 == 0 { 0 } else { 200 + dice.below(2_000) };
                payload.extend((0..apart).map(|_| dice.below(256) as u8));
            }
            payload.truncate(wanted);
        }
        let end = usize::from(kind >> 3) % ends.len();
        sent += payload.len() + 200;
        match kind & 7 {
            0..2 => ends[end].send(&[&payload], true, &mut broadcast),
            2 => ends[end].send(&dice.cut(&payload), true, &mut broadcast),
            3 => ends[end].send(&[&payload], false, &mut broadcast),
            4 => ends[end].send_precompressed(&pool, &outgoing, &payload),
            5 => ends[end].trim_memory(),
            6 => broadcast.clear(),
            _ => {
                for end in &mut ends {
                    end.send(&[&payload], true, &mut broadcast);
                }
                sent += ends.len() * payload.len();
            }
        }
    }
}

/// From a byte each.
fn outgoing(input: &mut Input<'_>) -> OutgoingParams {
    const STRATEGIES: [Strategy; 5] =
        [Strategy::Default, Strategy::Filtered, Strategy::HuffmanOnly, Strategy::Rle, Strategy::Fixed];
    let default = OutgoingParams::default();
    let flags = input.byte();
    OutgoingParams {
        window_bits: WindowBits::new(8 + input.below(8)).unwrap_or(default.window_bits),
        context_takeover: flags & 1 == 0,
        level: Level::new(input.byte()),
        mem_level: MemLevel::new(input.byte()).unwrap_or_default(),
        strategy: STRATEGIES[usize::from(input.below(5))],
        dictionary: (flags & 2 != 0).then(|| Arc::from(input.short().repeat(1 + usize::from(flags >> 4)))),
        threshold: if flags & 4 == 0 { 0 } else { 200 },
    }
}

/// The peer's. Its backend keeps 32 KiB whatever it is told: how far back the data refers is for the tests of
/// `protocol::deflate` to see, which have an inflater of their own.
fn inflater(outgoing: &OutgoingParams) -> Decompress {
    // flate2 takes no window of 8 bits.
    Decompress::new_with_window_bits(false, outgoing.window_bits.get().max(9))
}

/// A connection that sends, and what its peer keeps.
struct End {
    connection: Connection,
    outgoing: OutgoingParams,
    inflater: Decompress,
    /// Whether the peer's inflater is as new.
    is_new: bool,
}

impl End {
    fn new(outgoing: &OutgoingParams, pool: &Arc<Pool>) -> Self {
        let params = DeflateParams { outgoing: outgoing.clone(), ..DeflateParams::default() };
        let negotiated = PermessageDeflate { params, pool: Arc::clone(pool) };
        let connection = Connection::new(Config {
            role: Role::Server,
            limits: Limits::default(),
            auto_pong: true,
            skip_utf8_validation: false,
            deflate: Some(Arc::new(negotiated)),
        });
        Self { connection, outgoing: outgoing.clone(), inflater: inflater(outgoing), is_new: true }
    }

    fn trim_memory(&mut self) {
        self.connection.trim_memory();
    }

    /// Sends a message in these fragments.
    fn send(&mut self, fragments: &[&[u8]], wanted: bool, broadcast: &mut Broadcast) {
        let last = fragments.len().saturating_sub(1);
        for index in 0..=last {
            let fragment = fragments.get(index).copied().unwrap_or_default();
            self.connection.send_compressed(true, index == last, None, fragment, wanted, broadcast);
        }
        let is_compressed = self.check(&fragments.concat());
        let is_worth_it = self.outgoing.context_takeover
            || fragments.first().map_or(0, |first| first.len() as u64) >= self.outgoing.threshold;
        assert_eq!(is_compressed, wanted && is_worth_it);
    }

    /// Sends a message that is compressed elsewhere.
    fn send_precompressed(&mut self, pool: &Pool, outgoing: &OutgoingParams, payload: &[u8]) {
        if !payload.is_empty() && self.connection.decide_compression(true, payload.len()) {
            self.connection.send_precompressed(
                true,
                true,
                None,
                &compress_standalone(pool, outgoing, payload),
            );
            assert!(self.check(payload));
        }
    }

    /// The output is this message. Whether it is compressed.
    fn check(&mut self, expected: &[u8]) -> bool {
        let mut output = Vec::new();
        self.connection.take_output(&mut output);
        let (mut rest, mut payload, mut is_compressed) = (&output[..], Vec::new(), false);
        while !rest.is_empty() {
            let rules = FrameRules {
                role: Role::Client,
                rsv1_allowed: true,
                fragmented: !payload.is_empty(),
                message_length: 0,
                max_payload: 0,
            };
            let Ok(Some((header, start))) = FrameHeader::parse(rest, &rules) else {
                unreachable!("not a frame: {rest:?}")
            };
            let (frame, behind) = rest[start..].split_at(header.payload_length as usize);
            is_compressed |= header.rsv1;
            payload.extend_from_slice(frame);
            rest = behind;
            assert_eq!(header.fin, rest.is_empty());
        }
        let message = if is_compressed { self.inflate(payload) } else { payload };
        assert!(message == expected, "{} bytes became {}", expected.len(), message.len());
        is_compressed
    }

    /// What flate2 makes of the payload of a message.
    fn inflate(&mut self, mut payload: Vec<u8>) -> Vec<u8> {
        if self.is_new || !self.outgoing.context_takeover {
            self.inflater = inflater(&self.outgoing);
            if let Some(dictionary) = self.outgoing.dictionary.as_deref().filter(|bytes| !bytes.is_empty()) {
                assert!(self.inflater.set_dictionary(dictionary).is_ok());
            }
            self.is_new = false;
        }
        payload.extend_from_slice(&[0, 0, 0xFF, 0xFF]);
        let (mut output, start) = (Vec::new(), self.inflater.total_in());
        // In small steps, so that what is far back comes out of the window.
        let mut step = [0; 64];
        loop {
            let rest = &payload[(self.inflater.total_in() - start) as usize..];
            let before = self.inflater.total_out();
            let status = self.inflater.decompress(rest, &mut step, FlushDecompress::Sync);
            assert!(status.is_ok(), "{status:?}");
            let written = (self.inflater.total_out() - before) as usize;
            output.extend_from_slice(&step[..written]);
            if written < step.len() {
                assert_eq!(self.inflater.total_in() - start, payload.len() as u64);
                return output;
            }
        }
    }
}
