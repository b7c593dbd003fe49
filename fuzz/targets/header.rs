//! `libFuzzer` entry point of `ferrows::fuzzing::header`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::header::run(data));
