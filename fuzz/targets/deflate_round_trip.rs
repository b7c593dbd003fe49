//! `libFuzzer` entry point of `ferrows::fuzzing::deflate_round_trip`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::deflate_round_trip::run(data));
