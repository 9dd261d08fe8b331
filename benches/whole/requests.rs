//! What is sent: distinct requests with valid proof, as their platforms sign them, written out as they go on the wire.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::SystemTime;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Request;
use local::demo::callers::caller;
use local::demo::demo_caller::DemoRequest;
use local::simulator::senders;
use starrocks_offboard::config::Config;
use support::bench_files::{Files, access_key, instance_name};

/// How many people ask by turns.
const ACTORS: usize = 1024;

/// A folder with offboard.toml and the policies.
#[derive(Clone)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    instances: usize,
    config: Rc<Config>,
}

/// Writes a configuration with this many instances that requests go to, and this many policies in all.
pub(crate) fn folder(instances: usize, policies: usize) -> anyhow::Result<Folder> {
    let files = Files::sized(instances, policies)?;
    let path = super::folder().join(format!("config-{instances}-{policies}"));
    files.write(&path)?;
    Ok(Folder { path, instances, config: Rc::new(files.config()?) })
}

/// Which requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// TaurusDB's own DELETE, signed with an access key.
    Api,
    /// A slash command.
    Slack,
    /// The same, with the signature that webhook can check.
    #[value(skip)]
    Webhook,
}

impl Kind {
    /// What a right answer contains.
    pub(crate) fn answer(self) -> &'static str {
        match self {
            Self::Api => "\"SUCCESS\"",
            Self::Slack | Self::Webhook => "Removed",
        }
    }
}

/// The requests number `from` to `from + count`.
pub(crate) fn signed(
    kind: Kind,
    folder: &Folder,
    address: SocketAddr,
    from: usize,
    count: usize,
) -> anyhow::Result<Vec<Bytes>> {
    let caller = caller(match kind {
        Kind::Api => "portal",
        Kind::Slack | Kind::Webhook => "slack",
    })?;
    let now: DateTime<Utc> = SystemTime::now().into();
    let host = address.to_string();
    let one = |number: usize| {
        let instance = instance_name(number % folder.instances);
        // Each pair of an actor and an instance comes up, not the same actor on the same instance again.
        let turn = number / folder.instances + number;
        let (text, id) = match kind {
            Kind::Api => (format!("u{number}"), access_key(turn)),
            Kind::Slack | Kind::Webhook => {
                (format!("u{number} {instance} left the company"), format!("U{:08}", turn % ACTORS))
            }
        };
        let asked = DemoRequest {
            text: &text,
            instance: &instance,
            config: &folder.config,
            id: &id,
            secret: caller.secret,
            host: &host,
            now,
            nonce: number as u64,
        };
        let mut request = caller.request(&asked)?;
        if kind == Kind::Webhook {
            let (name, value) = senders::github(caller.secret, request.body());
            request.headers_mut().insert(name, value.parse()?);
        }
        written(&request)
    };
    (from..from + count).map(one).collect()
}

/// A request as it goes on the wire.
pub(crate) fn written(request: &Request<Bytes>) -> anyhow::Result<Bytes> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut bytes = format!("{} {path} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body().len()).as_bytes());
    bytes.extend_from_slice(request.body());
    Ok(bytes.into())
}

/// A GET.
pub(crate) fn get(path: &str, address: SocketAddr) -> Bytes {
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").into()
}
