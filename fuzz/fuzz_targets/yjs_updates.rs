#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| collab::fuzz::yjs_updates(data));
