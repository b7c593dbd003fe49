//! flate2 inflates all compressed output, keeping its window between messages. Several connections
//! with any parameters are sent equal and different payloads.

use std::sync::Arc;

use flate2::{Decompress, FlushDecompress};

use super::Input;
use super::input::Rng;
use crate::connection::{Config, Connection, TimeLimits};
use crate::protocol::deflate::{
    Broadcast, DeflateParams, Level, MemLevel, OutgoingParams, PermessageDeflate, Pool, Strategy, WindowBits,
    compress_standalone,
};
use crate::protocol::frame::FrameRules;
use crate::protocol::{FrameHeader, Limits, Role};

/// Maximum bytes sent per case.
const MAX_CASE_BYTES: usize = 300_000;

/// Input: the parameters, then sends: a byte for operation and connection, two for the length, and
/// bytes to repeat. Without any, the last payload is sent again.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let outgoing = outgoing(&mut input);
    let mut rng = Rng::new(input.number16());
    let pool = Arc::new(Pool::default());
    let count = 1 + input.below(6);
    let mut ends: Vec<End> = (0..count).map(|_| End::new(&outgoing, &pool)).collect();
    let mut broadcast = Broadcast::default();
    let (mut payload, mut sent) = (Vec::new(), 0);
    while !input.is_empty() && sent < MAX_CASE_BYTES {
        let kind = input.byte();
        let length = usize::from(input.number16()) % 40_000;
        let pattern = input.short();
        if !pattern.is_empty() {
            // Sometimes similar to the last payload.
            let kept = if kind & 0x80 == 0 { 0 } else { payload.len() / 2 };
            payload.truncate(kept);
            let compress = kept + length.max(pattern.len());
            while payload.len() < compress {
                payload.extend_from_slice(pattern);
                // Sometimes with long distances.
                let apart = if kind & 0x40 == 0 { 0 } else { 200 + rng.below(2_000) };
                payload.extend((0..apart).map(|_| rng.below(256) as u8));
            }
            payload.truncate(compress);
        }
        let end = usize::from(kind >> 3) % ends.len();
        sent += payload.len() + 200;
        match kind & 7 {
            0..2 => ends[end].send(&[&payload], true, &mut broadcast),
            2 => ends[end].send(&rng.split(&payload), true, &mut broadcast),
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

/// One byte for each parameter.
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

/// The peer's inflater. Its backend keeps 32 KiB regardless of the parameters; the tests of
/// `protocol::deflate` check distances with an inflater of their own.
fn inflater(outgoing: &OutgoingParams) -> Decompress {
    // flate2 accepts no window of 8 bits.
    Decompress::new_with_window_bits(false, outgoing.window_bits.get().max(9))
}

/// A sending connection and its peer's state.
struct End {
    connection: Connection,
    outgoing: OutgoingParams,
    inflater: Decompress,
    /// True while the peer's inflater is unused.
    is_new: bool,
}

impl End {
    fn new(outgoing: &OutgoingParams, pool: &Arc<Pool>) -> Self {
        let params = DeflateParams { outgoing: outgoing.clone(), ..DeflateParams::default() };
        let extension = PermessageDeflate { params, pool: Arc::clone(pool) };
        let connection = Connection::new(Config {
            role: Role::Server,
            limits: Limits::default(),
            auto_pong: true,
            skip_utf8_validation: false,
            time_limits: TimeLimits::default(),
            deflate: Some(Arc::new(extension)),
        });
        Self { connection, outgoing: outgoing.clone(), inflater: inflater(outgoing), is_new: true }
    }

    fn trim_memory(&mut self) {
        self.connection.trim_memory();
    }

    /// Sends a message in these fragments.
    fn send(&mut self, fragments: &[&[u8]], compress: bool, broadcast: &mut Broadcast) {
        let last = fragments.len().saturating_sub(1);
        for index in 0..=last {
            let fragment = fragments.get(index).copied().unwrap_or_default();
            self.connection.send_compressed(true, index == last, None, fragment, compress, broadcast);
        }
        let is_compressed = self.check(&fragments.concat());
        let is_worth_it = self.outgoing.context_takeover
            || fragments.first().map_or(0, |first| first.len() as u64) >= self.outgoing.threshold;
        assert_eq!(is_compressed, compress && is_worth_it);
    }

    /// Sends a precompressed message.
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

    /// Checks that the output is this message. Returns true if it is compressed.
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

    /// Inflates the payload of a message with flate2.
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
        // In small steps, so that distant references are read from the window.
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
