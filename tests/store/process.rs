//! Processes that tests start and kill. They die with the test, however it ends: each has a pipe from
//! it, and ends when nobody holds the other end any more.

use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use bson::{Document, doc};
use mongodb::{Client, options::ClientOptions};

/// Runs a program until the pipe closes, and then kills it.
const KEEPER: &str = r#""$@" </dev/null >/dev/null 2>&1 & child=$!; read -r _; kill -9 $child; wait $child"#;

/// A mongod of the test's own.
pub struct Mongod {
    keeper: Option<(Child, ChildStdin)>,
    program: String,
    set: Option<&'static str>,
    pub port: u16,
    folder: tempfile::TempDir,
}

impl Mongod {
    /// A server of a replica set, not yet initiated, or a standalone one.
    pub async fn start(program: &str, set: Option<&'static str>) -> Self {
        let folder = tempfile::Builder::new().prefix("hope-mongod-").tempdir().unwrap();
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = probe.local_addr().unwrap().port();
        drop(probe);
        let mut mongod = Self { keeper: None, program: program.to_owned(), set, port, folder };
        mongod.restart();
        mongod.answer(&doc! { "ping": 1 }).await;
        mongod
    }

    /// A server of an initiated set of one.
    pub async fn primary(program: &str) -> Self {
        let mongod = Self::start(program, Some("rs0")).await;
        let host = format!("127.0.0.1:{}", mongod.port);
        let config = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": host }] };
        mongod.answer(&doc! { "replSetInitiate": config }).await;
        while !mongod.answer(&doc! { "hello": 1 }).await.get_bool("isWritablePrimary").unwrap() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        mongod
    }

    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}/?replicaSet=rs0", self.port)
    }

    /// Starts it again, on the same port and the same files.
    pub fn restart(&mut self) {
        self.kill();
        let port = self.port.to_string();
        let data = self.folder.path().display().to_string();
        let mut arguments =
            vec!["--port", &port, "--dbpath", &data, "--bind_ip", "127.0.0.1", "--nounixsocket"];
        arguments.extend(["--networkMessageCompressors", "snappy,zstd", "--wiredTigerCacheSizeGB", "0.25"]);
        arguments.extend(["--setParameter", "diagnosticDataCollectionEnabled=false", "--oplogSize", "64"]);
        arguments.extend(self.set.iter().flat_map(|set| ["--replSet", set]));
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh", &self.program])
            .args(arguments)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pipe = keeper.stdin.take().unwrap();
        self.keeper = Some((keeper, pipe));
    }

    /// `kill -9`, and it is gone when this returns.
    pub fn kill(&mut self) {
        if let Some((mut keeper, pipe)) = self.keeper.take() {
            drop(pipe);
            keeper.wait().unwrap();
        }
    }

    /// Its answer to a command, as soon as it gives one.
    async fn answer(&self, command: &Document) -> Document {
        let address = format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port);
        let mut options = ClientOptions::parse(address).await.unwrap();
        options.server_selection_timeout = Some(Duration::from_secs(30));
        let client = Client::with_options(options).unwrap();
        client.database("admin").run_command(command.clone()).await.unwrap()
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        self.kill();
    }
}

/// This test binary again, running one test as a program of its own.
pub struct Twin {
    child: Child,
    /// What it says.
    pub lines: Lines<BufReader<ChildStdout>>,
}

impl Twin {
    /// `test` is to do its work only when it finds `variable`, and to call [`end_with_parent`] first.
    pub fn start(test: &str, variable: &str, value: &str) -> Self {
        Self::run(Command::new(std::env::current_exe().unwrap()), test, variable, value)
    }

    /// The same inside a shell script, which runs it as `"$@"`.
    pub fn start_in(script: &str, test: &str, variable: &str, value: &str) -> Self {
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]);
        shell.arg(std::env::current_exe().unwrap());
        Self::run(shell, test, variable, value)
    }

    fn run(mut command: Command, test: &str, variable: &str, value: &str) -> Self {
        let mut child = command
            .args(["--exact", test, "--nocapture", "--test-threads", "1"])
            .env(variable, value)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// `kill -9`, and it is gone when this returns.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Ends this process when the one that started it is gone.
pub fn end_with_parent() {
    std::thread::spawn(|| {
        std::io::stdin().lock().lines().for_each(drop);
        std::process::exit(1);
    });
}

/// Whether mount namespaces can be had here.
pub fn can_mount() -> bool {
    let mounted = Command::new("unshare")
        .args(["--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs"])
        .arg(Path::new("/mnt"))
        .stderr(Stdio::null())
        .status();
    mounted.is_ok_and(|status| status.success())
}
