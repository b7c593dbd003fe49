//! Replays the seeds of every target: each finding stays a regression test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::TARGETS;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The names in a folder, without their extensions.
fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_target_has_a_file_and_a_folder_of_seeds_and_there_are_no_others() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets.len(), TARGETS.len());
    assert_eq!(names(&folder("targets")), targets);
    assert_eq!(names(&folder("seeds")), targets);
}

#[test]
fn every_seed_passes() {
    for (name, run) in TARGETS {
        let seeds: Vec<PathBuf> =
            fs::read_dir(folder("seeds").join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for path in seeds {
            let seed = fs::read(&path).unwrap();
            let result = std::panic::catch_unwind(|| run(&seed));
            assert!(result.is_ok(), "{}", path.display());
        }
    }
}

#[test]
fn nothing_and_little_pass() {
    for (_, run) in TARGETS {
        run(&[]);
        for byte in 0..=u8::MAX {
            run(&[byte]);
            run(&[byte; 40]);
        }
    }
}
