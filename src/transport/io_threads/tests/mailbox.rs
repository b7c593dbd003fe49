//! Wake-ups of an owner: one for all waiting sockets, and none for destroyed ones.

use std::sync::Arc;

use super::{Event, Family, Link, Owner, Peer, SETUPS, opposite, pair, wait_until};
use crate::protocol::Role;

#[test]
fn a_socket_is_in_the_mailbox_once_and_wakes_once() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        assert_eq!(link.owner.rings(), 0);
        for round in 1..=3 {
            for number in 0..20 {
                link.peer.ping(&[number]);
                // The event is in the inbox before the pong is sent.
                assert_eq!(link.peer.next(), Event::Pong(vec![number]));
            }
            assert_eq!(link.owner.rings(), round);
            assert_eq!(link.owner.collect(), 1);
            assert_eq!(link.owner.collect(), 0);
            assert_eq!(link.owner.seen(7).events.len(), 20 * round);
        }
    }
}

#[test]
fn one_wake_announces_many_sockets() {
    let mut owner = Owner::new();
    let mut ends: Vec<_> = (0..10)
        .map(|token| {
            let (ours, theirs) = pair(Family::Unix);
            (owner.adopt(ours, Role::Server, &[], token), Peer::new(theirs, Role::Client))
        })
        .collect();
    for (_, peer) in &mut ends {
        peer.ping(b"");
        assert_eq!(peer.next(), Event::Pong(Vec::new()));
    }
    assert_eq!(owner.rings(), 1);
    assert_eq!(owner.collect(), 10);
    for (token, (socket, _)) in (0..).zip(&ends) {
        assert_eq!(owner.seen(token).events, [Event::Ping(Vec::new())]);
        socket.destroy();
    }
}

#[test]
fn a_head_with_events_wakes() {
    let (ours, theirs) = pair(Family::Tcp);
    let role = Role::Server;
    let head = Peer::new(theirs.try_clone().unwrap(), opposite(role)).binary_frame(b"at once");
    let mut link = Link::over((ours, theirs), role, &head);
    assert_eq!(link.owner.rings(), 1);
    assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Binary(b"at once".to_vec())]);
}

#[test]
fn a_dropped_mailbox_releases_its_sockets() {
    let (ours, theirs) = pair(Family::Unix);
    let mut peer = Peer::new(theirs, Role::Client);
    let owner = Owner::new();
    let socket = owner.adopt(ours, Role::Server, &[], 1);
    peer.ping(b"");
    assert_eq!(peer.next(), Event::Pong(Vec::new()));
    assert_eq!(owner.rings(), 1);
    drop(owner);
    // The thread goes on without an owner.
    peer.ping(b"again");
    assert_eq!(peer.next(), Event::Pong(b"again".to_vec()));
    socket.destroy();
    let weak = Arc::downgrade(&socket);
    drop(socket);
    wait_until(|| weak.strong_count() == 0);
}
