//! `run`: the connector without a Functions host.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use proofpoint_sentinel::always_on::{self, Options, Rounds};
use proofpoint_sentinel::error_code;
use proofpoint_sentinel::settings::{Settings, Vars, environment};
use proofpoint_sentinel::telemetry::Telemetry;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::failure::Failure;
use super::{logging, signals};

/// How long rounds may take to save their progress once the program is told to stop. A second signal
/// ends it at once.
const WIND_DOWN: Duration = Duration::from_secs(20);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Where health, readiness, metrics and the status page are shown. Whoever can reach this address
    /// can read them
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Seconds from one round of work on a feed to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u64).range(10..=3600))]
    every: u64,
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let vars = environment();
    let telemetry = logging::for_host_with_telemetry(&vars);
    let worked = work(&arguments, vars, telemetry.clone()).await;
    if let Some(telemetry) = telemetry {
        telemetry.shut_down().await;
    }
    match worked {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!(code = %failure.code(), "{}", failure.message());
            ExitCode::FAILURE
        }
    }
}

/// Works until the program is told to stop.
async fn work(
    arguments: &Arguments,
    vars: Vars,
    telemetry: Option<Telemetry>,
) -> Result<(), Failure> {
    let settings = Settings::read(&vars)?;
    logging::warn_of_settings(&settings);
    for cluster in settings.source.unusable_clusters.iter().filter(|it| it.id.is_none()) {
        tracing::error!(code = %cluster.code(), "{cluster}");
    }
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        let reason = format!("the server on {} failed: {error}", arguments.listen);
        Failure::new(error_code::SERVER_FAILED, reason)
    })?;
    let address = listener.local_addr().unwrap_or(arguments.listen);
    let options = Options { every: Duration::from_secs(arguments.every) };
    let stop = signals::stop_token();
    let rounds = Arc::new(Rounds::new(settings, options, telemetry));
    let mut work = tokio::spawn(rounds.clone().run(stop.clone()));
    let site = tokio::spawn(always_on::serve(listener, rounds, vars, stop.clone()));
    tracing::info!(%address, "ready");

    tokio::select! {
        () = stop.cancelled() => {
            tracing::info!("stopping: progress is saved");
            let _ = timeout(WIND_DOWN, &mut work).await;
            site.abort();
            Ok(())
        }
        ended = &mut work => {
            let reason = match ended {
                Ok(()) => "there is no feed to work on".to_owned(),
                Err(fault) => format!("a fault in the program: {fault}"),
            };
            Err(Failure::new(error_code::PROGRAM_FAULT, reason))
        }
    }
}
