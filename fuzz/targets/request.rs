//! libFuzzer's entry to `ferrows::fuzzing::request`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::request::run(data));
