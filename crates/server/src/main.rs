//! The program `watersmeet`.

fn main() -> std::process::ExitCode {
    server::main()
}
