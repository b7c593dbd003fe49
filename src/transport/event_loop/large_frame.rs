//! Large messages on the event loop: the frame is lent by the connection, and its payload received straight into the
//! memory that the message will have, which JavaScript owns. On a thread there is no such memory: a socket that moves
//! there gives back what it has.

use super::attachment::{Attachment, Chunk};
use crate::addon::environment::Shared;
use crate::addon::raw::{Reference, create_array_buffer, with_memory};
use crate::connection::LentFrame;
use crate::transport::event_loop;
use crate::transport::socket::{READS_PER_TURN, Taken};

/// A frame on its way.
pub(super) struct Landing {
    frame: LentFrame,
    memory: Reference,
}

impl Shared {
    /// After a read: if it has ended in a large frame, the rest of that is to land.
    pub(super) fn borrow_frame(&self, attachment: &Attachment) {
        let socket = &attachment.socket;
        let Some((frame, begun)) = socket.lend_frame() else { return };
        let memory = create_array_buffer(self.env, frame.length())
            .and_then(|value| Reference::new(self.env, value))
            .and_then(|memory| {
                with_memory(self.env, &memory, |bytes| bytes[..begun.len()].copy_from_slice(&begun))?;
                Ok(memory)
            });
        match memory {
            Ok(memory) => {
                *attachment.landing.borrow_mut() = Some(Landing { frame, memory });
            }
            // Without memory, the old way of receiving it goes on.
            Err(_) => socket.return_unfinished(&frame, &begun, &mut *self.keys.borrow_mut()),
        }
    }

    /// Reads on where a frame is landing. `None`: none is.
    pub(super) fn read_landing(&self, attachment: &Attachment, ended: bool) -> Option<Taken> {
        let mut slot = attachment.landing.borrow_mut();
        let Landing { mut frame, memory } = slot.take()?;
        let socket = &attachment.socket;
        let mut keys = self.keys.borrow_mut();
        let mut total = Taken { more: true, bytes: 0, is_whole: false };
        let mut goes_on = true;
        let read = with_memory(self.env, &memory, |bytes| {
            for _ in 0..READS_PER_TURN {
                let filled = frame.received();
                let taken = event_loop::read_lent(socket, ended, &mut bytes[filled..], &mut *keys);
                total = Taken { more: taken.more, bytes: total.bytes + taken.bytes, is_whole: false };
                if taken.bytes == 0 {
                    return;
                }
                let come = &mut bytes[..filled + taken.bytes];
                goes_on = socket.take_lent(&mut frame, come);
                if !goes_on {
                    socket.return_unfinished(&frame, come, &mut *keys);
                    return;
                }
                if frame.received() == frame.length() {
                    // The next frame may be there already.
                    total.more = true;
                    return;
                }
                if !taken.more {
                    return;
                }
            }
        });
        if read.is_err() {
            // The environment is ending.
            return Some(total);
        }
        if frame.received() == frame.length() && goes_on {
            socket.return_frame(frame);
            attachment.chunk.replace(Some(Chunk::Landed(memory)));
        } else if goes_on {
            *slot = Some(Landing { frame, memory });
        }
        Some(total)
    }

    /// Gives back what has landed so far; the connection receives the rest as ever.
    pub(super) fn give_back(&self, attachment: &Attachment) {
        let Some(Landing { frame, memory }) = attachment.landing.take() else { return };
        // An error says that the environment is ending.
        let _ = with_memory(self.env, &memory, |bytes| {
            let come = &bytes[..frame.received()];
            attachment.socket.return_unfinished(&frame, come, &mut *self.keys.borrow_mut());
        });
    }
}
