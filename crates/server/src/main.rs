//! The program `watersmeet`.

/// Gives memory back to the system after a large page or a wave of log-ins, which the C library's allocator keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    server::main()
}
