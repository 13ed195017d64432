//! `hope`: subcommands only.

use std::process::ExitCode;

use hope_exchange::{app::App, config::Config, jobs};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("worker") => worker().await,
        _ => Err("Usage: hope worker".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the background jobs until the process is told to stop.
async fn worker() -> Result<(), String> {
    let config = Config::load(None)?;
    tracing_subscriber::fmt().with_env_filter(&config.log).with_writer(std::io::stderr).init();
    let app = App::open(config).await?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    jobs::worker(app.clone(), async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
    .await;
    app.store.close().await;
    Ok(())
}
