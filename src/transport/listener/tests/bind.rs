//! What can be listened on, and what not.

use std::os::unix::net::UnixStream;

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Client, LOOPBACK, ListeningSocket, PendingOnClose, REQUEST, Scene, bound, is_upgrade};

#[test]
fn a_path_is_listened_on_and_left_to_its_owner() {
    let path = std::env::temp_dir().join(format!("ferrows-{}-listens", std::process::id()));
    let mut scene = Scene::new();
    let listening = scene.listen(SockAddr::unix(&path).unwrap());
    assert_eq!(scene.arrivals.local_addr(listening), None);
    let mut client = Client::over(UnixStream::connect(&path).unwrap().into());
    client.write(REQUEST);
    let arrival = scene.next();
    assert!(is_upgrade(&arrival));
    assert_eq!(scene.arrivals.local_and_peer_addr(arrival.number), (None, None));
    scene.speak(arrival.number, &mut client);
    scene.arrivals.close(listening, PendingOnClose::Discard, &mut scene.arrived);
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_socket_whose_address_was_in_use_does_not_listen_elsewhere() {
    let unbound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let error = ListeningSocket::start(unbound, 1).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EADDRINUSE));
}

#[test]
fn a_backlog_can_be_changed_while_it_listens() {
    let mut scene = Scene::new();
    let listening = scene.arrivals.listen(
        &scene.poller,
        ListeningSocket::start(bound(LOOPBACK), 1).unwrap(),
        "owner",
        REQUEST.len(),
    );
    let listening = listening.unwrap();
    scene.arrivals.set_backlog(listening, 511).unwrap();
    let mut client = scene.connect(listening);
    client.write(REQUEST);
    assert!(is_upgrade(&scene.next()));
}
