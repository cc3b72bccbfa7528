//! The stand-in for the vendor's cloud, as a program.

fn main() -> std::process::ExitCode {
    qlik_plan::cli::sandbox::main()
}
