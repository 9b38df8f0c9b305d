#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| collab::fuzz::scanner(data));
