//! `libFuzzer` entry point of `ferrows::fuzzing::inflate`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrows::fuzzing::inflate::run(data));
