//! `hope`: the service and what its operators need. Subcommands only; the library does the work.

use std::{fs, io::IsTerminal, path::PathBuf, process::ExitCode};

use chrono::TimeDelta;
use clap::{Args, Parser, Subcommand, ValueEnum};
use hope_exchange::{
    actions::{member, organisation, second_factor, session, topic},
    app::App,
    clock::{Clock, Timestamp},
    config::{Config, LogFormat},
    demo,
    domain::{attachment::Attachment, email::EmailAddress, member::Role, taxonomy::Taxonomy},
    ids::Ids,
    jobs,
    keys::{KEPT_MINUTES, Keys, LEAD_MINUTES},
    progress::Progress,
    schema, server,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Answering a query allocates many small things; this allocator answers about a third more of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The HOPE exchange: where heads of patient experience share ideas, case studies and answers.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// A file of settings that override config/default.toml. The environment overrides both.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the service, with a worker inside it unless HOPE_WORKER=false.
    Serve,
    /// Runs only the background jobs.
    Worker,
    /// Runs the service on data/demo with a believable community, made at the first start.
    Demo(DemoArgs),
    /// Writes the API's schemas and the collections' indexes as files.
    Schema(SchemaArgs),
    /// Reads the settings, tries the store and the mail, and says what is wrong.
    Check,
    /// Takes over files from elsewhere.
    #[command(subcommand)]
    Import(Import),
    /// The weekly digest.
    #[command(subcommand)]
    Digest(Digest),
    /// Members' roles, sessions and second factors.
    #[command(subcommand)]
    Member(MemberCommand),
    /// The keys that sign access tokens.
    #[command(subcommand)]
    Keys(KeysCommand),
}

#[derive(Args)]
struct DemoArgs {
    /// The same seed gives the same community.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Args)]
struct SchemaArgs {
    /// Changes nothing; fails when a file is not up to date.
    #[arg(long)]
    check: bool,
    #[arg(long, default_value = "schema", value_name = "FOLDER")]
    folder: PathBuf,
}

#[derive(Subcommand)]
enum Import {
    /// The directory, as CSV from the Organisation Data Service or of integrated care boards. Safe to
    /// repeat.
    Organisations {
        file: PathBuf,
        /// The type of those that have none yet, a slug of `organisation_types` in config/taxonomy.toml.
        /// Without it, it is guessed from their names.
        #[arg(long = "type", value_name = "SLUG")]
        kind: Option<String>,
    },
}

#[derive(Subcommand)]
enum Digest {
    /// Shows the digest that a member would get now. Nothing is written or sent.
    Preview { email: String },
    /// Plans and sends the digests that are due.
    Run {
        /// As if it were this moment, for example 2026-03-03T07:30:00Z.
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
}

#[derive(Subcommand)]
enum MemberCommand {
    /// Gives a member a role. The first administrator comes from here.
    Grant { email: String, role: RoleArg },
    /// Ends all sessions of a member, for example when a laptop is lost.
    SignOut { email: String },
    /// Takes the authenticator apps, passkeys and recovery codes of somebody who lost them, and signs them
    /// out. Make sure that it is them who ask. They are told by e-mail.
    ResetSecondFactor { email: String },
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Publishes a new key, which signs a few minutes later. The old one is removed, by the service or by
    /// the next of these, when the last token that it signed has expired. Nobody is signed out. Run it as
    /// the service's user, who alone can read keys.
    Rotate(RotateArgs),
}

#[derive(Args)]
struct RotateArgs {
    /// After so many seconds it signs. With fewer than 120, those who keep the published keys may meet one
    /// that they don't know.
    #[arg(long, value_name = "SECONDS", default_value_t = LEAD_MINUTES * 60)]
    signs_after: i64,
    /// The present keys are known to others: removes them at once. Programs get new access tokens with
    /// their refresh tokens, within a minute everywhere.
    #[arg(long, conflicts_with = "signs_after")]
    leaked: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArg {
    Member,
    Partner,
    Moderator,
    Administrator,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Member => Self::Member,
            RoleArg::Partner => Self::Partner,
            RoleArg::Moderator => Self::Moderator,
            RoleArg::Administrator => Self::Administrator,
        }
    }
}

type Outcome = Result<(), String>;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Outcome {
    if let Command::Schema(args) = &cli.command {
        return write_schema(args);
    }
    let config = Config::load(cli.config.as_ref(), matches!(cli.command, Command::Demo(_)))?;
    start_logging(&config)?;
    match cli.command {
        Command::Serve => serve(App::open(config).await?).await,
        Command::Worker => work(App::open(config).await?).await,
        Command::Demo(args) => serve_demo(App::open(config).await?, args.seed).await,
        Command::Check => check(config).await,
        Command::Import(Import::Organisations { file, kind }) => {
            import(App::open(config).await?, &file, kind.as_deref()).await
        }
        Command::Digest(Digest::Preview { email }) => preview(App::open(config).await?, &email).await,
        Command::Digest(Digest::Run { at }) => run_digests(config, at).await,
        Command::Member(MemberCommand::Grant { email, role }) => {
            grant(App::open(config).await?, &email, role).await
        }
        Command::Member(MemberCommand::SignOut { email }) => sign_out(App::open(config).await?, &email).await,
        Command::Member(MemberCommand::ResetSecondFactor { email }) => {
            reset_second_factor(App::open(config).await?, &email).await
        }
        Command::Keys(KeysCommand::Rotate(args)) => rotate_keys(&config, &args),
        Command::Schema(_) => Ok(()),
    }
}

fn start_logging(config: &Config) -> Outcome {
    let filter =
        tracing_subscriber::EnvFilter::try_new(&config.log).map_err(|error| format!("log: {error}"))?;
    // Whatever level is asked for: these log each word of what they read, which is what members wrote.
    let quiet = ["html5ever=warn", "markup5ever=warn"].into_iter().filter_map(|quiet| quiet.parse().ok());
    let filter = quiet.fold(filter, tracing_subscriber::EnvFilter::add_directive);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let logs = logs.with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
    Ok(())
}

/// Tells when the process is asked to stop.
fn stop_signal() -> Result<watch::Receiver<bool>, String> {
    let failed = |error| format!("signals can't be heard: {error}");
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tell.send(true).ok();
    });
    Ok(told)
}

async fn stopped(mut told: watch::Receiver<bool>) {
    told.wait_for(|stop| *stop).await.ok();
}

async fn serve(app: App) -> Outcome {
    topic::seed(&app).await.map_err(|error| error.to_string())?;
    organisation::seed(&app).await.map_err(|error| error.to_string())?;
    let address = app.config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("{address} can't be listened on: {error}"))?;
    let stop = stop_signal()?;
    eprintln!("The HOPE exchange is at {}", app.config.public_url);
    let worker = app.config.worker.then(|| tokio::spawn(jobs::worker(app.clone(), stopped(stop.clone()))));
    server::serve(app.clone(), listener, stopped(stop))
        .await
        .map_err(|error| format!("The server failed: {error}"))?;
    if let Some(worker) = worker {
        worker.await.map_err(|error| format!("The worker failed: {error}"))?;
    }
    app.store.close().await;
    Ok(())
}

async fn work(app: App) -> Outcome {
    eprintln!("The worker is running.");
    jobs::worker(app.clone(), stopped(stop_signal()?)).await;
    app.store.close().await;
    Ok(())
}

async fn serve_demo(app: App, seed: u64) -> Outcome {
    topic::seed(&app).await.map_err(|error| error.to_string())?;
    {
        let progress = Progress::new("Making the demonstration community", 0);
        let made = demo::seed(&app, seed, demo::Size::Written, |done, total| progress.set(done, total)).await;
        made.map_err(|error| error.to_string())?;
    }
    serve(app).await
}

fn write_schema(args: &SchemaArgs) -> Outcome {
    if !args.check {
        return schema::write(&args.folder);
    }
    match schema::stale(&args.folder).as_slice() {
        [] => Ok(()),
        stale => Err(format!(
            "Not up to date in {}: {}. Run `hope schema`.",
            args.folder.display(),
            stale.join(", ")
        )),
    }
}

async fn check(config: Config) -> Outcome {
    println!("Settings: they can be read.");
    let app = App::open(config).await?;
    app.store
        .ping()
        .await
        .map_err(|error| format!("Store: {} does not answer: {error}", app.config.store))?;
    println!("Store: {} answers.", app.config.store);
    app.mailer.check().await.map_err(|error| format!("Mail: {} does not work: {error}", app.config.mail))?;
    println!("Mail: {} answers.", app.config.mail);
    let files = app.blobs.check(&app.ids.fresh::<Attachment>()).await;
    files.map_err(|error| format!("Attachments: {} does not work: {error}", app.config.attachments))?;
    println!("Attachments: {} answers.", app.config.attachments);
    for provider in app.providers.all() {
        let found = provider.check(app.clock.now()).await;
        found.map_err(|failure| format!("Single sign-on: {} {failure}.", provider.name()))?;
        println!("Single sign-on: {} answers.", provider.name());
    }
    Ok(())
}

async fn import(app: App, file: &PathBuf, kind: Option<&str>) -> Outcome {
    if let Some(unknown) =
        kind.filter(|kind| !Taxonomy::read().is_ok_and(|known| known.has_organisation_type(kind)))
    {
        return Err(format!("There is no type of organisation {unknown:?}: config/taxonomy.toml has them."));
    }
    let bytes = fs::read(file).map_err(|error| format!("{} can't be read: {error}", file.display()))?;
    let report = {
        let progress =
            Progress::new("Importing organisations", bytes.iter().filter(|byte| **byte == b'\n').count());
        organisation::import(&app, &bytes, kind, |rows| progress.add(rows))
            .await
            .map_err(|error| error.to_string())?
    };
    println!("{} rows", report.rows);
    println!("added {}", report.added);
    println!("changed {}", report.changed);
    println!("unchanged {}", report.unchanged);
    println!("refused {}", report.refused.len());
    for refusal in &report.refused {
        println!("  line {}: {}", refusal.line, refusal.reason);
    }
    app.store.close().await;
    Ok(())
}

async fn preview(app: App, email: &str) -> Outcome {
    let email = EmailAddress::parse(email)?;
    let member = member::with_address(&app, &email.key()).await.map_err(|error| error.to_string())?;
    let member = member.ok_or("No member has this address.")?;
    match jobs::digest::preview(&app, &member).await.map_err(|error| error.to_string())? {
        None => println!("There would be no digest: there is nothing new for this member."),
        Some(preview) => {
            println!("Subject: {}\n\n{}", preview.message.subject, preview.message.text);
            println!("\nWhy, with points:");
            for (item, words) in &preview.content.items {
                println!("  {:7.2}  {:?}: {}. {}", item.score, item.section, words.title, words.why);
            }
        }
    }
    Ok(())
}

async fn run_digests(config: Config, at: Option<Timestamp>) -> Outcome {
    let app = match at {
        None => App::open(config).await?,
        Some(at) => App::open_at(config, Clock::manual(at)).await?,
    };
    let sent = jobs::digest::run(&app).await.map_err(|error| error.to_string())?;
    println!("planned {}", sent.planned);
    println!("jobs done {}", sent.run);
    app.store.close().await;
    Ok(())
}

async fn grant(app: App, email: &str, role: RoleArg) -> Outcome {
    let member = member::grant(&app, email, role.into()).await.map_err(|error| error.to_string())?;
    println!("{} is {:?} now.", member.email.as_str(), member.role);
    app.store.close().await;
    Ok(())
}

async fn sign_out(app: App, email: &str) -> Outcome {
    let email = EmailAddress::parse(email)?;
    let member = member::with_address(&app, &email.key()).await.map_err(|error| error.to_string())?;
    let member = member.ok_or("No member has this address.")?;
    session::end_all(&app, &member.id).await.map_err(|error| error.to_string())?;
    println!("{} is signed out everywhere.", member.email.as_str());
    app.store.close().await;
    Ok(())
}

async fn reset_second_factor(app: App, email: &str) -> Outcome {
    let member = second_factor::reset_by_operator(&app, email).await.map_err(|error| error.to_string())?;
    println!("{} has no second factor now.", member.email.as_str());
    app.store.close().await;
    Ok(())
}

/// Works on the folder of keys alone: no store is needed, and running processes notice by themselves.
fn rotate_keys(config: &Config, args: &RotateArgs) -> Outcome {
    let clock = Clock::System { offset: config.clock_offset };
    let ids = Ids::system(clock.clone());
    let keys = Keys::open(&config.data.join("keys"), &ids)?;
    // After that: a first key that was made by it is none that waits.
    let now = clock.now();
    let signs_after = if args.leaked { 0 } else { args.signs_after.max(0) };
    let new = keys.rotate(&ids, now, now.plus(TimeDelta::seconds(signs_after)))?;
    let removed = if args.leaked {
        println!("{} is published, and signs from now on.", new.kid);
        keys.keep_only(&new.kid)
    } else {
        println!("{} is published, and signs from {}.", new.kid, new.signs_from);
        keys.retire(now)
    };
    for kid in &removed {
        println!("{kid} is removed.");
    }
    for old in keys.all().iter().filter(|key| key.kid != new.kid) {
        println!("{} is removed {KEPT_MINUTES} minutes after the next one signs.", old.kid);
    }
    Ok(())
}
