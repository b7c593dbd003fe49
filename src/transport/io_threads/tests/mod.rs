//! Sockets on I/O threads, between their owner and a peer over a real TCP or Unix connection.
//! `transport::tests` has the harness, and the tests of both drivers.

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
    /// Returns after the thread has polled this socket once more.
    fn wait_for_thread(&mut self) {
        self.socket.pause();
        self.socket.resume();
        self.wait_for_thread_paused();
    }

    /// Returns after the thread has written output of this socket, which may be paused and stays so.
    fn wait_for_thread_paused(&mut self) {
        self.send(b"poll");
        assert_eq!(self.peer.next(), Event::Binary(b"poll".to_vec()));
    }
}
