//! libFuzzer's entry to `ferrows::fuzzing::decoder`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::decoder::run(data));
