//! `libFuzzer` entry point of `ferrows::fuzzing::hostile`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::hostile::run(data));
