//! The OpenID Provider of `tests/node/provider.mjs`, as a process.

use std::net::SocketAddr;
use std::process::Stdio;

use bytes::Bytes;
use http::Request;
use local::http_client as client;
use serde_json::Value;
use support::python::javascript;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::console::PUBLIC_URL;

/// A running provider. It ends with its standard input, so with this.
pub(crate) struct Provider {
    /// Its `iss`, which is where it is.
    pub(crate) issuer: String,
    pub(crate) address: SocketAddr,
    _process: (Child, ChildStdin),
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let (node, scripts) = tokio::task::spawn_blocking(javascript).await.unwrap();
        let addresses = ["callback", "signin"].map(|path| format!("{PUBLIC_URL}/console/{path}"));
        let mut process = Command::new(node)
            .arg(scripts.join("provider.mjs"))
            .args(addresses)
            .current_dir(&scripts)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("it says where it is");
        let told: Value = serde_json::from_str(&line).unwrap();
        let issuer = told["issuer"].as_str().unwrap().to_owned();
        let port: u16 = issuer.rsplit(':').next().unwrap().parse().unwrap();
        let input = process.stdin.take().unwrap();
        Self { issuer, address: ([127, 0, 0, 1], port).into(), _process: (process, input) }
    }

    /// Does what the script has a path for: `rotate`, `fail`.
    pub(crate) async fn test(&self, what: &str) {
        let request = Request::post(format!("/test/{what}")).body(Bytes::new()).unwrap();
        assert_eq!(client::send(self.address, request).await.unwrap().status(), 204, "{what}");
    }
}
