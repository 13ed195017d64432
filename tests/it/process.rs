//! Programs that tests run beside themselves: our own binary, and a mail server that is not ours.
//! All of them end with the test that started them, however that ends.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// The mail server of `tests/smtp_server.py`, which takes real connections and can misbehave.
pub struct SmtpServer {
    /// Ends when its standard input closes, and is killed when it is dropped.
    _child: Child,
    pub port: u16,
    /// The certificate to trust, where it speaks TLS.
    pub cert: Option<String>,
    folder: tempfile::TempDir,
}

impl SmtpServer {
    pub async fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(python())
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp_server.py"))
            .arg(folder.path())
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 runs tests/smtp_server.py");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line)
            .expect("the mail server says its port; `make setup` fetches what it needs");
        Self {
            _child: child,
            port: u16::try_from(ready["port"].as_u64().unwrap()).unwrap(),
            cert: ready["cert"].as_str().map(str::to_owned),
            folder,
        }
    }

    /// The messages that it took, oldest first, as text with plain line ends.
    pub fn taken(&self) -> Vec<String> {
        emls(self.folder.path())
    }

    /// The files in which they are.
    pub fn files(&self) -> Vec<PathBuf> {
        files(self.folder.path())
    }

    /// How many those are.
    pub fn count(&self) -> usize {
        count(self.folder.path())
    }
}

/// The interpreter that has what `tests/requirements.txt` lists.
#[expect(clippy::disallowed_methods, reason = "how the tests are told of their Python")]
pub fn python() -> String {
    std::env::var("HOPE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// The `.eml` files of a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect());
    let mut files: Vec<PathBuf> = files.unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    files.sort();
    files
}

/// What is in those.
pub fn emls(folder: &Path) -> Vec<String> {
    let read =
        |path: &PathBuf| String::from_utf8(std::fs::read(path).unwrap()).unwrap().replace("\r\n", "\n");
    files(folder).iter().map(read).collect()
}

/// How many `.eml` files are in a folder.
pub fn count(folder: &Path) -> usize {
    let is_eml =
        |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "eml");
    std::fs::read_dir(folder).map_or(0, |entries| entries.flatten().filter(is_eml).count())
}

/// A header's value, unfolded.
pub fn header(eml: &str, name: &str) -> Option<String> {
    let (head, _) = eml.split_once("\n\n")?;
    let head = head.replace("\n ", " ").replace("\n\t", " ");
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(|value| value.trim().to_owned()))
}

/// `hope` with these arguments and settings, and none of the tests' own.
pub fn hope(arguments: &[&str], settings: &[(&str, String)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_hope"))
        .args(arguments)
        .env_clear()
        .envs(settings.iter().map(|(key, value)| (*key, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// An address on loopback that nobody listens on.
pub fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Tells a process to stop, as an operator does.
pub async fn terminate(child: &mut Child) -> std::process::ExitStatus {
    let pid = child.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    tokio::time::timeout(Duration::from_secs(15), child.wait()).await.expect("it stops").unwrap()
}

/// Waits until something holds; fails when it does not within a minute.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(180), "waited for three minutes until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What `make test` promises of itself: nothing that a test starts or writes outlives it unnoticed.
#[tokio::test]
async fn what_is_left_behind_is_found_and_fails() {
    let leaving = async |command: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/leaving-nothing");
        let ran = Command::new(script).args(["sh", "-c", command]).kill_on_drop(true).output().await.unwrap();
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    assert_eq!(leaving("exit 0").await, (Some(0), String::new()));
    assert_eq!(leaving("exit 3").await.0, Some(3), "a failure stays one");
    let (status, told) = leaving("touch $TMPDIR/forgotten").await;
    assert!(status == Some(1) && told.contains("/forgotten"), "{told}");
    // In a session of its own, as a server that was started and forgotten.
    let (status, told) = leaving("(setsid tail -f /dev/null >/dev/null 2>&1 &)").await;
    assert!(status == Some(1) && told.contains("tail -f /dev/null"), "{told}");
}
