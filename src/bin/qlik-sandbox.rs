//! A stand-in for Qlik Cloud on this machine.

fn main() -> std::process::ExitCode {
    qlik_plan::cli::sandbox::main()
}
