//! `send`: sends one request as a demo caller to a running gateway.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use clap::Args;
use http::uri::Scheme;
use http::{HeaderMap, Request, Response, Uri};

use crate::demo::answer::Answer;
use crate::demo::demo_caller::{DemoCaller, DemoRequest, nonce, now};
use crate::demo::page::{Page, Tone};
use crate::demo::{callers, settings};
use crate::http_client as client;

const DEFAULT_INSTANCE: &str = "analytics";

/// The arguments of `send`.
#[derive(Args)]
pub struct Arguments {
    /// A caller of config/offboard.toml: slack, hr or portal.
    caller: String,
    /// The request. slack: `ACCOUNT INSTANCE [REASON]` or `help`; hr: `ACCOUNT [REASON]`; portal: `ACCOUNT`.
    #[arg(required = true, value_name = "TEXT")]
    words: Vec<String>,
    /// The address of the gateway.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    to: String,
    /// The instance, for hr and portal [default: analytics]
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// The requester: a Slack user ID, or an access key ID of the portal [default: the demo caller's own]
    #[arg(long = "as", value_name = "ID")]
    id: Option<String>,
}

/// The address that a request is sent to.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// As `Host` has it, and as it is signed.
    host: String,
    /// With a port, as the network needs it.
    address: String,
}

/// Sends the request and prints the exchange. The exit code is a success if the account was removed.
///
/// # Errors
///
/// If the request cannot be made, or the gateway does not answer.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let caller = callers::caller(&arguments.caller)?;
    let target = Target::parse(&arguments.to)?;
    let config = settings::config()?;
    let (instance, id) = addressed(caller, arguments.instance.as_deref(), arguments.id.as_deref())?;
    let from_environment = caller.secret_in_environment();
    let request = caller.request(&DemoRequest {
        text: &arguments.words.join(" "),
        instance,
        config: &config,
        id,
        secret: from_environment.as_deref().unwrap_or(caller.secret),
        host: &target.host,
        now: now(),
        nonce: nonce(),
    });
    let request = match from_environment {
        Some(_) => request.with_context(|| format!("with the secret in {}", caller.environment_name()))?,
        None => request?,
    };

    let mut page = Page::new();
    write_request(&mut page, caller, id, &request);
    page.print()?;
    let response = target.send(request).await?;
    let answer = Answer::read(&response);
    write_answer(&mut page, &response, &answer);
    page.print()?;
    Ok(if answer.is_removed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the instance and the requester's ID for a request of `caller`.
///
/// # Errors
///
/// If the caller does not take the instance or the ID as an option.
fn addressed<'a>(
    caller: &DemoCaller,
    instance: Option<&'a str>,
    id: Option<&'a str>,
) -> anyhow::Result<(&'a str, &'a str)> {
    ensure!(
        instance.is_none() || !caller.grammar.contains("INSTANCE"),
        "`{}` takes the instance in its text; write {}",
        caller.name,
        caller.grammar
    );
    let id = match (caller.id, id) {
        (None, Some(_)) => {
            bail!("`{}` acts under its own name; `--as` is for callers with people or access keys", caller.name)
        }
        (own, given) => given.or(own).unwrap_or_default(),
    };
    Ok((instance.unwrap_or(DEFAULT_INSTANCE), id))
}

impl Target {
    fn parse(url: &str) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        ensure!(
            uri.scheme() == Some(&Scheme::HTTP) && matches!(uri.path(), "/" | "") && uri.query().is_none(),
            "`{url}` cannot be the address of a gateway on this machine; write `http://HOST:PORT`"
        );
        let authority = uri.authority().with_context(|| format!("`{url}` has no host"))?;
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self { host: authority.to_string(), address: format!("{}:{port}", authority.host()) })
    }

    async fn send(&self, request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host(&self.address)
            .await
            .with_context(|| format!("`{}` cannot be found", self.address))?
            .collect();
        let mut refused = None;
        // `localhost` has two addresses, and the server may listen on either.
        for address in addresses {
            match client::send(address, request.clone()).await {
                Err(error) if is_refused(&error) => refused = Some(error),
                answered => return answered,
            }
        }
        let refused = refused.with_context(|| format!("`{}` has no address", self.address))?;
        Err(refused
            .context("no gateway listens there; start it with `cargo run -- serve`, or say where it is with `--to`"))
    }
}

fn is_refused(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn write_request(page: &mut Page, caller: &DemoCaller, id: &str, request: &Request<Bytes>) {
    page.row("requester", Tone::Plain, &format!("{} (caller kind {})", caller.principal(id), caller.kind));
    let secret = match caller.secret_in_environment() {
        Some(_) => format!("{} of the environment", caller.environment_name()),
        None => "the demo secret".to_owned(),
    };
    page.row("signed with", Tone::Plain, &secret);
    page.row("request", Tone::Heading, &format!("{} {}", request.method(), request.uri()));
    page.row("", Tone::Plain, &headers(request.headers(), |_| true));
    page.row("", Tone::Plain, &String::from_utf8_lossy(request.body()));
}

fn write_answer(page: &mut Page, response: &Response<Bytes>, answer: &Answer) {
    let tone = if answer.is_removed() { Tone::Good } else { Tone::Bad };
    page.row("answer", tone, &response.status().to_string());
    page.row("", Tone::Plain, &headers(response.headers(), |name| name.starts_with("x-") || name == "allow"));
    let body = String::from_utf8_lossy(response.body());
    page.row("", Tone::Plain, &body);
    if answer.shown != body {
        page.row("shown as", Tone::Plain, &answer.shown);
    }
    let (tone, policy) = answer.policy();
    page.row("policy", tone, &policy);
}

fn headers(headers: &HeaderMap, matters: impl Fn(&str) -> bool) -> String {
    let lines = headers.iter().filter(|(name, _)| matters(name.as_str()));
    lines.map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::demo::callers::CALLERS;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn words_may_come_as_one_or_as_many_and_options_after_them() {
        for words in [
            &["send", "slack", "dave analytics left", "--to", "http://127.0.0.1:1"][..],
            &["send", "slack", "dave", "analytics", "left", "--to", "http://127.0.0.1:1"],
            &["send", "--to", "http://127.0.0.1:1", "slack", "dave", "analytics", "left"],
        ] {
            let CommandLine { arguments } = CommandLine::try_parse_from(words).unwrap();
            assert_eq!(arguments.caller, "slack");
            assert_eq!(arguments.words.join(" "), "dave analytics left");
            assert_eq!(arguments.to, "http://127.0.0.1:1");
        }
        assert!(CommandLine::try_parse_from(["send", "slack"]).is_err());
    }

    #[test]
    fn options_that_do_not_fit_the_caller_are_errors() {
        let [slack, hr, portal] = CALLERS else { panic!("expected three callers") };
        assert_eq!(addressed(slack, None, None).unwrap(), ("analytics", "U2CERLKJA"));
        assert_eq!(addressed(slack, None, Some("U1")).unwrap().1, "U1");
        assert_eq!(addressed(hr, Some("other"), None).unwrap(), ("other", ""));
        assert_eq!(addressed(portal, Some("other"), Some("K")).unwrap(), ("other", "K"));
        assert!(addressed(slack, Some("analytics"), None).is_err());
        assert!(addressed(hr, None, Some("U1")).is_err());
    }

    #[test]
    fn targets() {
        let target = |host: &str, address: &str| Some(Target { host: host.to_owned(), address: address.to_owned() });
        for (url, expected) in [
            ("http://127.0.0.1:3000", target("127.0.0.1:3000", "127.0.0.1:3000")),
            ("http://localhost/", target("localhost", "localhost:80")),
            ("http://[::1]:3000", target("[::1]:3000", "[::1]:3000")),
            ("https://127.0.0.1:3000", None),
            ("http://127.0.0.1:3000/hooks", None),
            ("http://127.0.0.1:3000/?x", None),
            ("127.0.0.1:3000", None),
            ("no url", None),
        ] {
            assert_eq!(Target::parse(url).ok(), expected, "{url}");
        }
    }

    #[tokio::test]
    async fn the_error_for_a_missing_gateway_says_how_to_start_it() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let target = Target::parse(&format!("http://{free}")).unwrap();
        let error = target.send(Request::new(Bytes::new())).await.unwrap_err();
        assert!(format!("{error:#}").contains("`cargo run -- serve`"), "{error:#}");
    }
}
