//! Sockets on I/O threads, seen by their owner and by a peer at the other end of a real TCP or Unix connection. What they
//! share with other sockets is in `transport::tests`.

mod ending;
mod exchange;
mod mailbox;
mod reading;
mod stress;
mod writing;

use crate::transport::tests::{
    self, Dice, Event, Family, Owner, Peer, SETUPS, key_of, lengths_and_order, opposite, pair, pattern, text,
    wait_until,
};

type Link = tests::Link<Owner>;

impl Link {
    /// Wakes the thread for this socket: it has looked at it after this was called.
    fn turn(&mut self) {
        self.socket.pause();
        self.socket.resume();
        self.turn_as_it_is();
    }

    /// The same for a socket that must stay paused: output has come by.
    fn turn_as_it_is(&mut self) {
        self.send(b"turn");
        assert_eq!(self.peer.next(), Event::Binary(b"turn".to_vec()));
    }
}
