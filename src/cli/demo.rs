//! placeholder
#[derive(clap::Args)]
pub struct Arguments {}
pub async fn run(_: Arguments) -> std::process::ExitCode { std::process::ExitCode::SUCCESS }
