//! Output of one active connection. A large payload that the kernel has not accepted stays where the program has it, and the output
//! has an external segment for it (see [`Output`](crate::connection::Output)). Its memory is looked up for each write, because the
//! program may change, resize or detach it meanwhile. System calls are in [`socket`](crate::transport::socket).
//!
//! There are such payloads only where the event loop drives: an I/O thread cannot reach the memory.

use super::Host;
use super::connection::ActiveConnection;
use super::payloads::Payload;
use super::poller::Readiness;
use crate::transport::socket::{Interest, SentExternal, Stop, Written};

/// Payload length in bytes from which a payload is written from the caller's memory if nothing else is queued or the kernel has refused
/// output: a copy costs more than the system call.
pub const SEND_IN_PLACE_FROM: usize = 16 * 1024;
/// The length from which it is so also with other queued output: a copy costs more than an additional system call.
const ALWAYS_IN_PLACE_FROM: usize = 256 * 1024;

impl<M> ActiveConnection<M> {
    /// Sends an unmasked message from the caller's memory, if that costs less than a copy that leaves with the tick's other output. Bytes
    /// that are not written now stay there: `keep` returns the memory and the offset at which the payload ends. `None`: they are
    /// copied. Returns false if nothing was sent.
    pub(super) fn send_in_place<H: Host<Memory = M>>(
        &self,
        binary: bool,
        fin: bool,
        payload: &[u8],
        keep: impl FnOnce() -> Option<(M, usize)>,
    ) -> bool {
        let length = payload.len();
        let is_worth_a_write =
            length >= ALWAYS_IN_PLACE_FROM || !self.is_dirty.get() || self.interest.get().write;
        if length < SEND_IN_PLACE_FROM || self.is_on_thread || !is_worth_a_write {
            return false;
        }
        let turn = if self.payloads.is_empty() { H::WRITE_TURN } else { 0 };
        let mut unsent = payload;
        match self.socket.send_external(binary, fin, payload, turn) {
            SentExternal::Nothing => return false,
            SentExternal::All => return true,
            SentExternal::Queued => {}
            SentExternal::Part(written) => {
                self.note_written(written);
                if written.is_segment_done || written.stop == Stop::Failed {
                    return true;
                }
                unsent = &payload[length - written.segment..];
            }
        }
        self.payloads.push(match keep() {
            Some((memory, end)) => Payload::Referenced(memory, end),
            None => Payload::Copied(unsent.into()),
        });
        true
    }

    /// Writes queued output, as much as the kernel accepts, until `turn` bytes are written. Returns the interest from then on. The event
    /// loop must drive, and run.
    pub(super) fn write<H: Host<Memory = M>>(&self, host: &H, mut turn: usize) -> Interest {
        let mut written = self.socket.write(&mut turn, &[]);
        while let Stop::External(length) = written.stop {
            written = self.payloads.with_first(host, length, |bytes| match bytes {
                Some(bytes) => self.socket.write(&mut turn, bytes),
                None => self.socket.fail_external(),
            });
            if written.is_segment_done {
                self.payloads.pop();
            }
        }
        self.note_written(written);
        written.interest
    }

    /// Writes queued output now, unless it waits for the kernel, with either driver. `turn` is as for [`ActiveConnection::write`].
    pub(super) fn write_now<H: Host<Memory = M>>(&self, host: &H, turn: usize) {
        if self.is_on_thread {
            self.socket.write_now();
        } else if !self.interest.get().write || (turn > H::WRITE_TURN && self.ready.get().write) {
            self.write(host, turn);
        }
    }

    fn note_written(&self, written: Written) {
        if written.stop == Stop::Failed {
            self.payloads.clear();
        }
        self.ready.set(Readiness { write: written.stop == Stop::More, ..self.ready.get() });
        // A listener's send looks at it: output must not wait for a writability that was reported already.
        self.interest.set(written.interest);
    }

    /// Copies payloads that are sent from memory of the host into the output of the socket, before it is handed back. The socket
    /// fails if their memory is gone.
    pub(super) fn copy_payloads<H: Host<Memory = M>>(&self, host: &H) {
        if self.has_payloads() {
            self.socket.copy_externals(|length, output| {
                let is_copied = self.payloads.with_first(host, length, |bytes| {
                    output.extend_from_slice(bytes.unwrap_or_default());
                    bytes.is_some()
                });
                self.payloads.pop();
                is_copied
            });
            self.payloads.clear();
        }
    }

    /// True if payloads are sent from memory of the host.
    pub(super) fn has_payloads(&self) -> bool {
        !self.payloads.is_empty()
    }
}
