//! Shows what is missing between declared and live tenants and API keys.

fn main() -> std::process::ExitCode {
    qlik_plan::cli::plan_main()
}
