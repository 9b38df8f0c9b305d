//! The program `watersmeet`.
fn main() {}
