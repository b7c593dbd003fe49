//! Receives the rest of a large frame straight into the memory of its message. `connection::detached_frame` decides which frames
//! qualify. A socket that is handed back to the host returns its frame first.

use super::Host;
use crate::connection::DetachedFrame;
use crate::transport::socket::{READS_PER_TURN, Socket, Taken};

/// Bytes that a read must have brought for the frame that it ended in to be detached.
pub(super) const LARGE_FRAME_FROM: usize = 16 * 1024;

/// Most bytes of a frame that one turn receives. A single read has no bound of its own: a peer on the same machine refills the kernel's
/// buffer while it is being read.
pub(in crate::transport) const LARGE_FRAME_TURN: usize = 1024 * 1024;

/// A detached frame, and the memory of its payload.
pub(super) struct LargeFrame<M> {
    frame: DetachedFrame,
    memory: M,
}

impl<M> LargeFrame<M> {
    /// Detaches the frame that the last read has ended in, if it is large and there is memory for it.
    pub(super) fn begin<H: Host<Memory = M>>(socket: &Socket, host: &H) -> Option<Self> {
        let (frame, begun) = socket.with_events(|connection, _| connection.detach_frame())?;
        debug_assert!(begun.len() <= frame.length(), "a frame has no more than its length");
        let memory = host.allocate(frame.length()).filter(|memory| {
            host.with_memory(memory, |bytes| bytes[..begun.len()].copy_from_slice(&begun)).is_some()
        });
        if memory.is_none() {
            // The connection buffers the payload instead.
            reattach(socket, &frame, &begun, host);
        }
        Some(Self { frame, memory: memory? })
    }

    /// Reads on into the frame in `slot`; `None` if there is none. Returns the memory of a message that is complete. The frame goes
    /// from the slot with its last byte, or when the connection takes it back.
    pub(super) fn read<H: Host<Memory = M>>(
        slot: &mut Option<Self>,
        socket: &Socket,
        ended: bool,
        host: &H,
    ) -> Option<(Taken, Option<M>)> {
        let Self { mut frame, memory } = slot.take()?;
        let mut total = Taken { more: true, bytes: 0, is_whole: false };
        let mut goes_on = true;
        let read = host.with_memory(&memory, |bytes| {
            for _ in 0..READS_PER_TURN {
                let filled = frame.received();
                let end = bytes.len().min(filled + LARGE_FRAME_TURN - total.bytes);
                if end == filled {
                    return;
                }
                let taken =
                    socket.receive_detached(ended, &mut bytes[filled..end], &mut *host.masking_keys());
                total = Taken { more: taken.more, bytes: total.bytes + taken.bytes, is_whole: false };
                if taken.bytes == 0 {
                    return;
                }
                let received = &mut bytes[..filled + taken.bytes];
                goes_on =
                    socket.with_events(|connection, _| connection.receive_detached(&mut frame, received));
                if !goes_on {
                    reattach(socket, &frame, received, host);
                    return;
                }
                if frame.received() == frame.length() {
                    // The next frame may have arrived already.
                    total.more = true;
                    return;
                }
                if !taken.more {
                    return;
                }
            }
        });
        if read.is_none() {
            // The owner is ending.
            return Some((total, None));
        }
        if frame.received() == frame.length() && goes_on {
            socket.with_events(|connection, events| connection.finish_detached(frame, events));
            return Some((total, Some(memory)));
        }
        if goes_on {
            *slot = Some(Self { frame, memory });
        }
        Some((total, None))
    }

    /// Returns the frame, with the bytes received so far, to the connection.
    pub(super) fn abandon<H: Host<Memory = M>>(self, socket: &Socket, host: &H) {
        let Self { frame, memory } = self;
        // `None`: the owner is ending.
        let _ = host.with_memory(&memory, |bytes| {
            reattach(socket, &frame, &bytes[..frame.received()], host);
        });
    }
}

/// Returns a detached frame to the connection, with the `payload` received so far.
fn reattach(socket: &Socket, frame: &DetachedFrame, payload: &[u8], host: &impl Host) {
    let mut keys = host.masking_keys();
    socket.with_events(|connection, events| connection.reattach_frame(frame, payload, &mut *keys, events));
}
