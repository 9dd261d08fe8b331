//! Traces: what the runtime sends to a collector, and what the log says of the same request.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::harness::answer::PATIENCE;
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind};
use crate::harness::setup::Setup;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Stands in for a collector of OpenTelemetry: takes one POST of OTLP's protobuf, and returns its head and its body.
async fn collector() -> (String, JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let received = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        loop {
            stream.read_buf(&mut bytes).await.unwrap();
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if bytes.len() - end - 4 >= length.expect("the length of the body") {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                return (head, bytes.split_off(end + 4));
            }
        }
    });
    (endpoint, received)
}

fn has(bytes: &[u8], id: &str) -> bool {
    let id = hex::decode(id).unwrap();
    bytes.windows(id.len()).any(|window| window == id)
}

/// The span of a request continues the trace of its sender, and the request's log lines name the same trace. In OTLP's protobuf an id
/// is its bytes.
#[tokio::test(flavor = "multi_thread")]
async fn the_trace_of_a_request_is_that_of_its_log_lines() {
    let (endpoint, received) = collector().await;
    let mut gateway = Gateway::start(Setup::default()).await;
    gateway.options.traces = Some(endpoint);
    let mut gateway = gateway.another().await;
    let mut request = Ask::default().wire(Kind::Api, &gateway.address.to_string(), gateway.now()).request();
    request.headers_mut().insert("traceparent", format!("00-{TRACE}-{PARENT}-01").parse().unwrap());
    assert_eq!(gateway.send(request).await.code(), "SUCCESS");
    gateway.stop().await;

    let (head, spans) = timeout(PATIENCE, received).await.expect("the traces in time").unwrap();
    assert!(head.starts_with("post /v1/traces ") && head.contains("content-type: application/x-protobuf"), "{head}");
    assert!(has(&spans, TRACE) && has(&spans, PARENT), "{}", String::from_utf8_lossy(&spans));
    let lines = gateway.logs.lines();
    let events: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(!events.is_empty() && events.iter().all(|event| event["trace_id"] == TRACE), "{lines:#?}");
}
