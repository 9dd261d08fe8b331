//! The cloud, at its cheapest: says that every account is gone, and remembers nothing.
//!
//! The simulation that the tests have checks signatures and keeps what it saw. Under load it would take a part of the
//! two cores that differs between what is measured; this takes the same little from all.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::process::{Process, own_part};

pub(crate) const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: 7c5bb4e6b2b5a3d4\r\n\
    content-length: 20\r\n\r\n{\"result\":\"SUCCESS\"}";

/// Its process.
pub(crate) struct Upstream(Process);

impl Upstream {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Ok(Self(Process::start(own_part("upstream")?).await?))
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.0.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    pub(crate) async fn stop(self) {
        self.0.stop().await;
    }
}

/// Listens until the standard input ends.
pub(crate) async fn run() -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream));
        }
    });
    super::wait_for_the_end_of_input().await
}

async fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut unread = Vec::with_capacity(2048);
    loop {
        let Some(length) = request(&unread) else {
            if stream.read_buf(&mut unread).await? == 0 {
                return Ok(());
            }
            continue;
        };
        unread.drain(..length);
        stream.write_all(ANSWER).await?;
    }
}

/// How long the first request is, once it is there whole.
pub(crate) fn request(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(bytes.get(..head)?).to_ascii_lowercase();
    let body = if text.contains("transfer-encoding: chunked") {
        bytes.get(head..)?.windows(5).position(|window| window == b"0\r\n\r\n")? + 5
    } else {
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
    };
    (bytes.len() >= head + body).then_some(head + body)
}
