//! A client that costs next to nothing, so that what is measured is the server: prepared requests,
//! one in flight on each connection, answers read by their length.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends `requests` round and round for `span`, and returns how long each took.
pub async fn load(
    address: SocketAddr,
    requests: &[Vec<u8>],
    connections: usize,
    span: Duration,
) -> (Vec<Duration>, Duration) {
    let requests: Arc<[Vec<u8>]> = requests.to_vec().into();
    let started = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|number| {
            let requests = Arc::clone(&requests);
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("the server listens");
                stream.set_nodelay(true).expect("a TCP stream");
                let mut buffer = Vec::with_capacity(64 * 1024);
                let mut times = Vec::new();
                let mut next = number * requests.len() / connections.max(1);
                while started.elapsed() < span {
                    let sent = Instant::now();
                    stream.write_all(&requests[next % requests.len()]).await.expect("the server reads");
                    read_answer(&mut stream, &mut buffer).await;
                    times.push(sent.elapsed());
                    next += 1;
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("no answer was wrong"));
    }
    (times, started.elapsed())
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
            assert!(text.starts_with("http/1.1 200"), "{text}");
            let length: usize = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .and_then(|value| value.trim().parse().ok())
                .expect("answers have a length");
            let whole = head + 4 + length;
            while buffer.len() < whole {
                assert!(
                    stream.read_buf(buffer).await.expect("the server answers") > 0,
                    "the answer ended early"
                );
            }
            let body = &buffer[head + 4..];
            let is_good = !contains(body, b"\"errors\":[") && !contains(body, b"\"message\":");
            assert!(is_good, "{}", String::from_utf8_lossy(body));
            return;
        }
        assert!(stream.read_buf(buffer).await.expect("the server answers") > 0, "the connection was closed");
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    // Errors stand at the beginning or the end; looking there keeps the client cheap.
    let edge = 200.min(body.len());
    let found = |slice: &[u8]| slice.windows(part.len()).any(|window| window == part);
    found(&body[..edge]) || found(&body[body.len() - edge..])
}
