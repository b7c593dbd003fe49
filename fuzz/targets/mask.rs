//! `libFuzzer` entry point of `ferrows::fuzzing::mask`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::mask::run(data));
