//! `libFuzzer` entry point of `ferrows::fuzzing::connection`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::connection::run(data));
