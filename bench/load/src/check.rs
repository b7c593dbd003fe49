//! Whether a message that comes is the one that was sent: its header always, its bytes where they can be compared.
//! `connection` reads it and asks; counting and timing do not belong here.

use std::io;

use crate::{deflate::Inflater, message::Messages};

/// How the messages of a connection are looked at.
#[derive(Debug)]
pub enum Check {
    /// They are what was sent, byte for byte.
    Bytes,
    /// So many more must inflate to what was sent.
    Inflate { inflater: Box<Inflater>, left: usize },
    /// They are compressed, and only their headers are read: inflating all would be most of the work here.
    Header,
}

impl Check {
    /// A header has come.
    ///
    /// # Errors
    /// It is not that of the message.
    pub fn header(&self, messages: &Messages, number: usize, first: u8, length: u64) -> io::Result<()> {
        let same = match self {
            Self::Bytes => length == messages.payload(number).len() as u64,
            Self::Inflate { .. } | Self::Header => true,
        };
        if first != messages.first_byte() || !same {
            return Err(io::Error::other(format!(
                "not what was sent: first byte {first:#04x}, length {length}"
            )));
        }
        Ok(())
    }

    /// Some of the payload has come, which begins `at` in it.
    ///
    /// # Errors
    /// It has other bytes.
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

    /// The message is complete.
    ///
    /// # Errors
    /// It does not inflate to what was sent.
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
