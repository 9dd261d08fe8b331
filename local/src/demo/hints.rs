//! After the demonstration: commands to try, and the gateway's log.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::callers::CALLERS;
use super::page::{Page, Tone};
use super::standard_webhooks;
use crate::runtime::logs::Logs;

/// The address of the demonstration, unless another program uses it.
pub(super) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// Writes what to try while the gateway listens on `address`.
pub(super) fn write(page: &mut Page, address: SocketAddr) {
    page.gap();
    page.line(Tone::Heading, &format!("listening on http://{address}"));
    if address != LISTEN {
        page.line(Tone::Plain, &format!("(on a free port, because {LISTEN} is in use)"));
    }
    page.gap();
    page.line(Tone::Plain, "Try it from another terminal; dave, report_reader and user_test still exist:");
    page.gap();
    page.command(&format!(
        "cargo run -- send slack \"dave analytics left the company\" --to http://{address}\n\
         cargo run -- send slack \"pending\" --to http://{address}\n\
         cargo run -- send slack \"user_test analytics\" --as U0STRANGER --to http://{address}\n\
         cargo run -- send portal user_test --to http://{address}"
    ));
    page.gap();
    page.line(Tone::Plain, "Without this program: a webhook of the HR system, signed by openssl and sent by curl:");
    page.gap();
    page.command(&webhook_commands(address, standard_webhooks::CALLER.secret));
    page.gap();
    for caller in CALLERS.iter().filter(|caller| caller.secret_in_environment().is_some()) {
        page.line(
            Tone::Bad,
            &format!(
                "{} is set here: `send` signs with it, and this demonstration does not accept it.",
                caller.environment_name()
            ),
        );
    }
    page.line(Tone::Plain, "Permissions: config/policy.cedar. Callers: config/offboard.toml.");
    page.line(Tone::Plain, "Ctrl-C stops, and nothing is kept. The gateway's log follows.");
}

/// Returns a request of the HR system as shell commands, for any POSIX shell with openssl and curl.
fn webhook_commands(address: SocketAddr, secret: &str) -> String {
    format!(
        r#"body='{{"type":"account.delete","data":{{"instance":"analytics","user_name":"report_reader"}}}}'
id=msg_$(openssl rand -hex 8) now=$(date +%s)
secret={secret}
key=$(printf %s "${{secret#whsec_}}" | openssl base64 -d -A | od -An -vtx1 | tr -d ' \n')
tag=$(printf %s "$id.$now.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary |
  openssl base64 -A)
curl -i http://{address}/hooks/hr -H 'content-type: application/json' -H "webhook-id: $id" \
  -H "webhook-timestamp: $now" -H "webhook-signature: v1,$tag" -d "$body""#
    )
}

/// Prints new log lines, without end.
pub(super) async fn follow(logs: Logs) {
    let mut printed = logs.lines().len();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        for line in logs.lines().iter().skip(printed) {
            eprintln!("{line}");
            printed += 1;
        }
    }
}
