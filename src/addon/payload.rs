//! Payloads that JavaScript passes to be sent: strings, `Uint8Array`s, or bytes in shared memory. Called by `functions` and
//! `connection`. Framing and unsafe code do not belong here.

use std::cell::{Cell, RefCell};

use napi::{Env, Result, sys};

use super::host::RecordMemory;
use super::sys::{Place, data_bytes, is_undefined, placed_bytes, string_bytes, unsigned};
use crate::protocol::MaskingKey;
use crate::transport::transports::Message;

/// Capacity that the buffer for strings keeps.
const KEPT_TEXT: usize = 1024 * 1024;

/// Bits of the `flags` argument of commands.
pub(super) mod flag {
    pub(in crate::addon) const BINARY: u32 = 1;
    pub(in crate::addon) const FIN: u32 = 2;
    /// The payload is a string.
    pub(in crate::addon) const STRING: u32 = 4;
    pub(in crate::addon) const MASK: u32 = 8;
    /// Of `send` only: return the total.
    pub(in crate::addon) const TOTAL: u32 = 16;
    /// The string is the one of the last `send`, and need not be encoded again.
    pub(in crate::addon) const SAME: u32 = 32;
    /// The message is to be compressed, if that was negotiated.
    pub(in crate::addon) const COMPRESS: u32 = 64;
    /// The payload is in the shared memory, and the argument is its length.
    pub(in crate::addon) const PLACED: u32 = 128;
}

/// Reads payload arguments, with buffers that are used again.
#[derive(Default)]
pub(super) struct PayloadReader {
    /// The string that was sent last, as UTF-8, if `has_text`.
    text: RefCell<Vec<u8>>,
    has_text: Cell<bool>,
    /// Copies of strings, and of bytes that other threads share.
    scratch: RefCell<Vec<u8>>,
}

impl PayloadReader {
    /// Runs `run` on the payload of a command.
    ///
    /// # Errors
    /// If `data` is no payload of the kind that `flags` name.
    pub(super) fn with_payload<R>(
        &self,
        env: Env,
        records: &RecordMemory,
        data: sys::napi_value,
        flags: u32,
        run: impl FnOnce(&[u8]) -> R,
    ) -> Result<R> {
        if flags & flag::PLACED != 0 {
            return Ok(records.with_send_area(unsigned(env, data)? as usize, run));
        }
        let mut scratch = self.scratch.borrow_mut();
        if flags & flag::STRING != 0 {
            string_bytes(env, data, &mut scratch)?;
            return Ok(run(&scratch));
        }
        data_bytes(env, data, &mut scratch, run)
    }

    /// As [`PayloadReader::with_payload`], for messages: a string that is sent again and again is encoded once, and `run` is told where
    /// bytes lie that the program has.
    pub(super) fn with_message<R>(
        &self,
        env: Env,
        records: &RecordMemory,
        data: sys::napi_value,
        flags: u32,
        run: impl FnOnce(&[u8], Option<Place>) -> R,
    ) -> Result<R> {
        if flags & flag::PLACED != 0 {
            return Ok(records.with_send_area(unsigned(env, data)? as usize, |bytes| run(bytes, None)));
        }
        if flags & flag::STRING == 0 {
            return placed_bytes(env, data, &mut self.scratch.borrow_mut(), run);
        }
        let mut text = self.text.borrow_mut();
        if flags & flag::SAME == 0 || !self.has_text.get() {
            self.has_text.set(false);
            string_bytes(env, data, &mut text)?;
            self.has_text.set(true);
        }
        let result = run(&text, None);
        // One huge string does not hold its memory for good.
        if text.capacity() > KEPT_TEXT {
            *text = Vec::new();
            self.has_text.set(false);
        }
        Ok(result)
    }

    /// Forgets the last string: the caller takes one for it that was not read.
    pub(super) fn forget_text(&self) {
        self.has_text.set(false);
    }

    /// Runs `run` on bytes, copied to a buffer if other threads share them.
    ///
    /// # Errors
    /// If `data` is no `Uint8Array`.
    pub(super) fn with_bytes<R>(
        &self,
        env: Env,
        data: sys::napi_value,
        run: impl FnOnce(&[u8]) -> R,
    ) -> Result<R> {
        data_bytes(env, data, &mut self.scratch.borrow_mut(), run)
    }

    /// Runs `run` on a string as UTF-8, during which other payloads may be read.
    ///
    /// # Errors
    /// If `data` is no string.
    pub(super) fn with_string<R>(
        &self,
        env: Env,
        data: sys::napi_value,
        run: impl FnOnce(&[u8]) -> R,
    ) -> Result<R> {
        let mut scratch = self.scratch.take();
        string_bytes(env, data, &mut scratch)?;
        let result = run(&scratch);
        // A large string does not hold its memory for good.
        if scratch.capacity() <= KEPT_TEXT {
            self.scratch.replace(scratch);
        }
        Ok(result)
    }
}

/// The message that a send command with these flags sends.
pub(super) fn message(flags: u32, key: Option<MaskingKey>, payload: &[u8]) -> Message<'_> {
    let is_set = |flag| flags & flag != 0;
    let (binary, fin, compress) = (is_set(flag::BINARY), is_set(flag::FIN), is_set(flag::COMPRESS));
    Message { binary, fin, compress, key, payload }
}

/// Runs `run` on the bytes of an argument that may be left out.
///
/// # Errors
/// If it is neither `undefined` nor a `Uint8Array`.
pub(super) fn with_optional_bytes<R>(
    env: Env,
    data: sys::napi_value,
    run: impl FnOnce(&[u8]) -> R,
) -> Result<R> {
    if is_undefined(env, data)? {
        return Ok(run(&[]));
    }
    data_bytes(env, data, &mut Vec::new(), run)
}
