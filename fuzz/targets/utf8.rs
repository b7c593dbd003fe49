//! `libFuzzer` entry point of `ferrows::fuzzing::utf8`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::utf8::run(data));
