//! Checks that a received message equals the sent one: always its header, and its bytes where they
//! can be compared. Used by `connection`; no counting or timing here.

use std::io;

use crate::{deflate::Inflater, message::Messages};

/// Check for the messages of a connection.
#[derive(Debug)]
pub enum Check {
    /// Payloads equal those sent, byte for byte.
    Bytes,
    /// The next `left` messages must inflate to those sent.
    Inflate { inflater: Box<Inflater>, left: usize },
    /// Only the headers of compressed messages: inflating all would be most of the work here.
    Header,
}

impl Check {
    /// Checks a header.
    ///
    /// # Errors
    /// If it is not that of the message.
    pub fn header(&self, messages: &Messages, number: usize, first: u8, length: u64) -> io::Result<()> {
        let same = match self {
            Self::Bytes => length == messages.payload(number).len() as u64,
            Self::Inflate { .. } | Self::Header => true,
        };
        if first != messages.first_byte() || !same {
            return Err(io::Error::other(format!(
                "differs from the sent one: first byte {first:#04x}, length {length}"
            )));
        }
        Ok(())
    }

    /// Checks a piece of the payload at offset `at`.
    ///
    /// # Errors
    /// If the bytes differ.
    pub fn piece(&mut self, messages: &Messages, number: usize, at: usize, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Bytes if *piece != messages.payload(number)[at..at + piece.len()] => {
                Err(io::Error::other("a message has other bytes than were sent"))
            }
            Self::Inflate { inflater, .. } => {
                inflater.take(piece);
                Ok(())
            }
            Self::Bytes | Self::Header => Ok(()),
        }
    }

    /// Checks a complete message.
    ///
    /// # Errors
    /// If it does not inflate to the text sent.
    pub fn end(&mut self, messages: &Messages, number: usize) -> io::Result<()> {
        if let Self::Inflate { inflater, left } = self {
            inflater.check(messages.payload(number))?;
            *left -= 1;
            if *left == 0 {
                *self = Self::Header;
            }
        }
        Ok(())
    }
}
