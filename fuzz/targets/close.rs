//! `libFuzzer` entry point of `ferrows::fuzzing::close`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::close::run(data));
