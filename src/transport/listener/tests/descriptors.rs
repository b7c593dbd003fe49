//! A process without free descriptors. It must not be that of the other tests: this one runs again in one of its own, with
//! few.

use std::fs::File;
use std::process::Command;

use super::{LOOPBACK, REQUEST, Scene, is_upgrade};

/// What says that this is that process.
const FEW: &str = "FERROWS_TEST_FEW_DESCRIPTORS";

#[test]
fn without_descriptors_who_comes_is_turned_away_and_nothing_spins() {
    if std::env::var_os(FEW).is_some() {
        return turn_away();
    }
    let this = std::env::current_exe().unwrap();
    let name = "transport::listener::tests::descriptors::without_descriptors_who_comes_is_turned_away_and_nothing_spins";
    let output = Command::new("sh")
        .args(["-c", r#"ulimit -n 40 && exec "$0" --exact "$1" --nocapture"#])
        .arg(this)
        .arg(name)
        .env(FEW, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{:?}", output.stderr);
}

fn turn_away() {
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    // Twice: what was kept for that is there again.
    for _ in 0..2 {
        let mut all: Vec<File> = std::iter::from_fn(|| File::open("/").ok()).collect();
        all.pop();
        let mut client = scene.connect(listening);
        scene.wait();
        scene.turn();
        client.assert_closed();
        assert!(scene.arrived.is_empty() && scene.arrivals.connection_count() == 0);
        assert!(!scene.arrivals.has_backlog());
        scene.assert_quiet();
    }

    // Not even the one that is kept.
    let mut all: Vec<File> = Vec::new();
    scene.arrivals.lose_spare();
    all.extend(std::iter::from_fn(|| File::open("/").ok()));
    all.pop();
    let mut client = scene.connect(listening);
    scene.wait();
    scene.turn();
    assert!(!scene.arrivals.has_backlog());
    scene.assert_quiet();
    client.write(REQUEST);
    // It waits, until there are descriptors again and somebody looks.
    drop(all);
    scene.arrivals.check_timeouts(listening, 0, 1, &mut scene.arrived);
    assert!(scene.arrivals.has_backlog());
    let arrival = scene.next();
    assert!(is_upgrade(&arrival));
    scene.speak(arrival.number, &mut client);
}
