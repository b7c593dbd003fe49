//! permessage-deflate (RFC 7692): offer and answer, compression of messages, inflation of replies.
//! No frames or sockets here.

use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

const NAME: &str = "permessage-deflate";
/// End of a flush, omitted on the wire.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
const WINDOW_BITS: u8 = 15;

/// The client's offer.
#[derive(Clone, Copy, Debug)]
pub enum Offer {
    /// Like browsers: every message may refer to earlier ones.
    Takeover,
    /// No context takeover on either side.
    NoTakeover,
}

impl Offer {
    /// Value of `Sec-WebSocket-Extensions`.
    pub fn header(self) -> &'static str {
        match self {
            Self::Takeover => "permessage-deflate; client_max_window_bits",
            Self::NoTakeover => {
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"
            }
        }
    }
}

/// The negotiated parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    parameters: String,
    server_takeover: bool,
    client_takeover: bool,
    client_window_bits: u8,
}

impl Agreement {
    /// Parses the server's answer to an offer.
    ///
    /// # Errors
    /// If it does not match the offer, or uses an unsupported parameter.
    pub fn new(offer: Offer, answer: &str) -> io::Result<Self> {
        let refuse = || io::Error::other(format!("the server's answer to permessage-deflate: {answer:?}"));
        let mut parts = answer.split(';').map(str::trim);
        if parts.next() != Some(NAME) {
            return Err(refuse());
        }
        let takeover = matches!(offer, Offer::Takeover);
        let mut agreed = Self {
            parameters: String::new(),
            server_takeover: true,
            client_takeover: takeover,
            client_window_bits: WINDOW_BITS,
        };
        let mut parameters = Vec::new();
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let bits = value.trim_matches('"').parse::<u8>();
            let known = match (name, bits) {
                ("server_no_context_takeover", Err(_)) => {
                    agreed.server_takeover = false;
                    name.to_owned()
                }
                ("client_no_context_takeover", Err(_)) => {
                    agreed.client_takeover = false;
                    name.to_owned()
                }
                // A larger window on this side can inflate data for a smaller one.
                ("server_max_window_bits", Ok(bits @ 8..=15)) => format!("{name}={bits}"),
                // zlib does not compress with a window of 8 bits.
                ("client_max_window_bits", Ok(bits @ 9..=15)) => {
                    agreed.client_window_bits = bits;
                    format!("{name}={bits}")
                }
                _ => return Err(refuse()),
            };
            parameters.push(known);
        }
        if !takeover && agreed.server_takeover {
            return Err(refuse());
        }
        agreed.parameters = parameters.join("; ");
        Ok(agreed)
    }

    /// Parameters of the answer, in order.
    pub fn parameters(&self) -> &str {
        &self.parameters
    }

    /// The compressor for the messages of a connection.
    pub fn compressor(&self) -> Compressor {
        let state = Compress::new_with_window_bits(Compression::default(), false, self.client_window_bits);
        Compressor { state, takeover: self.client_takeover }
    }

    /// The inflater for the replies of a connection, starting with the first.
    pub fn inflater(&self) -> Inflater {
        Inflater { state: Decompress::new(false), takeover: self.server_takeover, input: Vec::new() }
    }
}

/// Compresses messages in sending order.
#[derive(Debug)]
pub struct Compressor {
    state: Compress,
    takeover: bool,
}

impl Compressor {
    /// Returns the payload of a frame.
    ///
    /// # Errors
    /// Errors of zlib.
    pub fn compress(&mut self, text: &[u8]) -> io::Result<Vec<u8>> {
        if !self.takeover {
            self.state.reset();
        }
        // Enough room for incompressible data, so that one call is sufficient.
        let mut output = Vec::with_capacity(2 * text.len() + 64);
        let before = self.state.total_in();
        self.state.compress_vec(text, &mut output, FlushCompress::Sync)?;
        if self.state.total_in() - before != text.len() as u64 || !output.ends_with(&TAIL) {
            return Err(io::Error::other("a message was not compressed in one go"));
        }
        output.truncate(output.len() - TAIL.len());
        Ok(output)
    }
}

/// Inflates replies in order of arrival.
#[derive(Debug)]
pub struct Inflater {
    state: Decompress,
    takeover: bool,
    input: Vec<u8>,
}

impl Inflater {
    /// Adds a piece of a reply's payload.
    pub fn take(&mut self, piece: &[u8]) {
        self.input.extend_from_slice(piece);
    }

    /// Checks that the complete payload inflates to `text`.
    ///
    /// # Errors
    /// If it does not.
    pub fn check(&mut self, text: &[u8]) -> io::Result<()> {
        if !self.takeover {
            self.state.reset(false);
        }
        self.input.extend_from_slice(&TAIL);
        // Room to detect output beyond the expected text.
        let mut output = Vec::with_capacity(text.len() + 64);
        let before = self.state.total_in();
        let status = self.state.decompress_vec(&self.input, &mut output, FlushDecompress::Sync)?;
        let ended = status == Status::StreamEnd;
        let whole = self.state.total_in() - before == self.input.len() as u64;
        if output != text || !(whole || ended) {
            return Err(io::Error::other("a reply inflates to other text than was sent"));
        }
        // Some servers end the stream with each message; later ones cannot refer to it.
        if ended {
            self.state.reset(false);
        }
        self.input.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Agreement, Offer};
    use crate::text::json;

    #[test]
    fn answers() {
        let read = |answer| Agreement::new(Offer::Takeover, answer);
        assert!(
            read("permessage-deflate").is_ok_and(|agreed| agreed.server_takeover && agreed.client_takeover)
        );
        let all = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                   server_max_window_bits=8; client_max_window_bits=\"12\"";
        assert!(read(all).is_ok_and(|agreed| {
            !agreed.server_takeover
                && !agreed.client_takeover
                && agreed.client_window_bits == 12
                && agreed.parameters().ends_with("=8; client_max_window_bits=12")
        }));
        for wrong in [
            "",
            "x-webkit-deflate-frame",
            "permessage-deflate; what",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=8",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate, permessage-deflate",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let asked = |answer| Agreement::new(Offer::NoTakeover, answer);
        assert!(asked("permessage-deflate").is_err());
        assert!(asked("permessage-deflate; server_no_context_takeover").is_ok());
    }

    /// Passes messages through a compressor and an inflater with the same parameters. Returns the
    /// compressed lengths.
    fn through(answer: &str, size: usize) -> io::Result<Vec<usize>> {
        let mut agreed = Agreement::new(Offer::Takeover, answer)?;
        agreed.server_takeover = agreed.client_takeover;
        let (mut compressor, mut inflater) = (agreed.compressor(), agreed.inflater());
        (0..20)
            .map(|number| {
                let payload = compressor.compress(&json(size, number))?;
                for piece in payload.chunks(100) {
                    inflater.take(piece);
                }
                inflater.check(&json(size, number))?;
                Ok(payload.len())
            })
            .collect()
    }

    #[test]
    fn the_text_compresses_like_real_json() -> io::Result<()> {
        let alone = through("permessage-deflate; client_no_context_takeover", 2048)?;
        assert!(alone.iter().all(|len| (2048 / 5..2048 / 3).contains(len)), "{alone:?}");
        let after_others = through("permessage-deflate", 2048)?;
        assert!(after_others[19] < alone[19], "{after_others:?}");
        through("permessage-deflate; client_max_window_bits=9", 65_536)?;
        Ok(())
    }

    #[test]
    fn other_text_is_an_error() -> io::Result<()> {
        let agreed = Agreement::new(Offer::Takeover, "permessage-deflate")?;
        let payload = agreed.compressor().compress(&json(2048, 1))?;
        let check = |payload: &[u8]| {
            let mut inflater = agreed.inflater();
            inflater.take(payload);
            inflater.check(&json(2048, 1))
        };
        assert!(check(&payload).is_ok());
        assert!(check(&payload[..payload.len() - 2]).is_err(), "something is missing");
        assert!(check(&agreed.compressor().compress(&json(2048, 2))?).is_err(), "another message");
        assert!(check(&json(2048, 1)).is_err(), "not compressed");
        Ok(())
    }
}
