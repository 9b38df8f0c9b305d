#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| collab::fuzz::server_frames(data));
