//! `libFuzzer` entry point of `ferrows::fuzzing::request`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::request::run(data));
