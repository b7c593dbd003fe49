//! Where can be listened, and where not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use super::{Client, Closing, Endpoint, LOOPBACK, Listening, REQUEST, Scene, is_upgrade};

/// A path that nobody else has.
fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ferrows-{}-{name}", std::process::id()))
}

fn errno(endpoint: &Endpoint) -> (Option<i32>, Option<IpAddr>) {
    let refused = Listening::open(endpoint, 1).unwrap_err();
    (refused.error.raw_os_error(), refused.address)
}

#[test]
fn a_unix_socket_is_removed_at_the_end() {
    let path = path("listens");
    let mut scene = Scene::new();
    let listening = scene.listen(&Endpoint::Unix(path.clone()));
    assert_eq!(scene.arrivals.address(listening), None);
    let mut client = Client::over(UnixStream::connect(&path).unwrap().into());
    client.write(REQUEST);
    let arrival = scene.next();
    assert!(is_upgrade(&arrival));
    assert_eq!(scene.arrivals.ends(arrival.number), (None, None));
    assert_eq!(errno(&Endpoint::Unix(path.clone())), (Some(libc::EADDRINUSE), None));
    scene.speak(arrival.number, &mut client);

    assert!(path.exists());
    scene.arrivals.close(listening, Closing::Drop, &mut scene.arrived);
    assert!(!path.exists());
}

#[test]
fn the_reasons_are_those_that_node_would_have() {
    let missing = path("missing").join("socket");
    assert_eq!(errno(&Endpoint::Unix(missing)), (Some(libc::EACCES), None));
    let long = path(&"long".repeat(40));
    assert_eq!(errno(&Endpoint::Unix(long)), (Some(libc::EINVAL), None));

    let taken = Listening::open(&LOOPBACK, 1).unwrap();
    let address = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let port = taken.address().unwrap().port();
    let same = Endpoint::Tcp { address, port, ipv6_only: false };
    assert_eq!(errno(&same), (Some(libc::EADDRINUSE), address));
    // TEST-NET-1 of RFC 5737: nobody has it.
    let nobodys = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    let foreign = Endpoint::Tcp { address: nobodys, port: 0, ipv6_only: false };
    assert_eq!(errno(&foreign), (Some(libc::EADDRNOTAVAIL), nobodys));
}

#[test]
fn all_addresses_are_those_of_both_protocols_where_there_are_both() {
    let mut scene = Scene::new();
    let listening = scene.listen(&Endpoint::Tcp { address: None, port: 0, ipv6_only: false });
    let address = scene.arrivals.address(listening).unwrap();
    assert!(address.ip().is_unspecified());
    let mut client = Client::new((Ipv4Addr::LOCALHOST, address.port()).into());
    client.write(REQUEST);
    let number = scene.next().number;
    let (here, _) = scene.arrivals.ends(number);
    let here = here.unwrap().ip();
    assert_eq!(here.to_canonical(), IpAddr::V4(Ipv4Addr::LOCALHOST));
    if address.is_ipv6() {
        // As Node shows it.
        assert_eq!(here.to_string(), "::ffff:127.0.0.1");
        let taken = Endpoint::Tcp { address: None, port: address.port(), ipv6_only: false };
        assert_eq!(errno(&taken), (Some(libc::EADDRINUSE), Some(Ipv6Addr::UNSPECIFIED.into())));
    }
}
