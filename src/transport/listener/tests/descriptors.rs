//! A process without free descriptors. The test runs itself again in a process with a low limit, apart from
//! the other tests.

use std::fs::File;
use std::process::Command;

use super::{Harness, LOOPBACK, REQUEST, is_upgrade};

/// Set in that process.
const FEW: &str = "FERROWS_TEST_FEW_DESCRIPTORS";

#[test]
fn without_descriptors_connections_are_dropped_and_no_event_repeats() {
    if std::env::var_os(FEW).is_some() {
        return drop_connections();
    }
    let this = std::env::current_exe().unwrap();
    let name = "transport::listener::tests::descriptors::without_descriptors_connections_are_dropped_and_no_event_repeats";
    let output = Command::new("sh")
        .args(["-c", r#"ulimit -n 40 && exec "$0" --exact "$1" --nocapture"#])
        .arg(this)
        .arg(name)
        .env(FEW, "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{:?}", output.stderr);
}

fn drop_connections() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    // Twice: the reserve is refilled.
    for _ in 0..2 {
        let mut all: Vec<File> = std::iter::from_fn(|| File::open("/").ok()).collect();
        all.pop();
        let mut client = harness.connect(listener);
        harness.wait();
        harness.turn();
        client.assert_closed();
        assert!(harness.accepted.is_empty() && harness.listeners.connection_count() == 0);
        assert!(!harness.listeners.has_more_to_accept());
        harness.assert_no_event();
    }

    // Without the descriptor in reserve.
    let mut all: Vec<File> = Vec::new();
    harness.listeners.close_reserve();
    all.extend(std::iter::from_fn(|| File::open("/").ok()));
    all.pop();
    let mut client = harness.connect(listener);
    harness.wait();
    harness.turn();
    assert!(!harness.listeners.has_more_to_accept());
    harness.assert_no_event();
    client.write(REQUEST);
    // It waits until descriptors are free and the owner checks.
    drop(all);
    harness.listeners.check_timeouts(listener, 0, 1, &mut harness.accepted);
    assert!(harness.listeners.has_more_to_accept());
    let connection = harness.next();
    assert!(is_upgrade(&connection));
    harness.release_and_exchange(connection.number, &mut client);
}
