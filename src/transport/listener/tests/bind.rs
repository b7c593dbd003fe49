//! Sockets that can and can't be listened on.

use std::os::unix::net::UnixStream;

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Client, Harness, LOOPBACK, ListeningSocket, PendingOnClose, REQUEST, bound, is_upgrade};

#[test]
fn a_path_is_listened_on_and_not_removed() {
    let path = std::env::temp_dir().join(format!("ferrows-{}-listens", std::process::id()));
    let mut harness = Harness::new();
    let listener = harness.listen(SockAddr::unix(&path).unwrap());
    assert_eq!(harness.listeners.local_addr(listener), None);
    let mut client = Client::over(UnixStream::connect(&path).unwrap().into());
    client.write(REQUEST);
    let connection = harness.next();
    assert!(is_upgrade(&connection));
    assert_eq!(harness.listeners.local_and_peer_addr(connection.number), (None, None));
    harness.release_and_exchange(connection.number, &mut client);
    harness.listeners.close(listener, PendingOnClose::Discard, &mut harness.accepted);
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn an_unbound_socket_does_not_listen_on_another_port() {
    let unbound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let error = ListeningSocket::start(unbound, 1).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EADDRINUSE));
}

#[test]
fn a_backlog_can_be_changed_while_it_listens() {
    let mut harness = Harness::new();
    let listener = harness.listeners.listen(
        &harness.poller,
        ListeningSocket::start(bound(LOOPBACK), 1).unwrap(),
        "server",
        REQUEST.len(),
    );
    let listener = listener.unwrap();
    harness.listeners.set_backlog(listener, 511).unwrap();
    let mut client = harness.connect(listener);
    client.write(REQUEST);
    assert!(is_upgrade(&harness.next()));
}
