//! `libFuzzer` entry point of `ferrows::fuzzing::decoder`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::decoder::run(data));
