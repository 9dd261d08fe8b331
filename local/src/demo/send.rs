//! `send`: one request as a demo caller, to a gateway that is already there.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use clap::Args;
use http::uri::Scheme;
use http::{HeaderMap, Request, Response, Uri};

use super::answer::Answer;
use super::page::{Page, Tone};
use super::{Asked, DemoCaller};
use crate::http as client;

const DEFAULT_INSTANCE: &str = "analytics";

/// The arguments of `send`.
#[derive(Args)]
pub struct Arguments {
    /// A caller of config/offboard.toml: slack, hr or portal.
    caller: String,
    /// What it asks. slack: `USER_NAME INSTANCE [REASON…]` or `help`; hr: `USER_NAME [REASON…]`; portal: `USER_NAME`.
    #[arg(required = true, value_name = "TEXT_OR_USER")]
    words: Vec<String>,
    /// Where the gateway listens.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    to: String,
    /// The instance, for hr and portal [default: analytics]
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Who asks: a Slack user id, or an access key id of the portal [default: the demo caller's own]
    #[arg(long = "as", value_name = "ID")]
    id: Option<String>,
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// As `Host` says it, and as it is signed.
    host: String,
    /// As the network wants it: with a port.
    address: String,
}

/// Sends the request and prints the exchange. The exit code is a success when the account was removed.
///
/// # Errors
///
/// When the request cannot be made, or the gateway does not answer.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let caller = super::caller(&arguments.caller)?;
    let target = Target::parse(&arguments.to)?;
    let config = super::config()?;
    let (instance, id) = addressed(caller, arguments.instance.as_deref(), arguments.id.as_deref())?;
    let from_environment = secret_in_environment(caller);
    let request = super::request(
        caller,
        &Asked {
            text: &arguments.words.join(" "),
            instance,
            config: &config,
            id,
            secret: from_environment.as_deref().unwrap_or(caller.secret),
            host: &target.host,
            now: super::now(),
            nonce: super::nonce(),
        },
    );
    let request = match from_environment {
        Some(_) => request.with_context(|| format!("with the secret in {}", environment_name(caller)))?,
        None => request?,
    };

    let mut page = Page::new();
    tell_request(&mut page, caller, id, from_environment.is_some(), &request);
    page.print()?;
    let response = target.send(request).await?;
    let answer = Answer::read(&response);
    tell_answer(&mut page, &response, &answer);
    page.print()?;
    Ok(if answer.is_removed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The instance and the id that a request of `caller` is about, or what does not fit the caller.
fn addressed<'a>(
    caller: &DemoCaller,
    instance: Option<&'a str>,
    id: Option<&'a str>,
) -> anyhow::Result<(&'a str, &'a str)> {
    ensure!(
        instance.is_none() || !caller.grammar.contains("<instance>"),
        "`{}` names the instance in its words; expected {}",
        caller.name,
        caller.grammar
    );
    let id = match (caller.id, id) {
        (None, Some(_)) => {
            bail!("`{}` speaks for itself; `--as` is for callers with people or keys behind them", caller.name)
        }
        (own, given) => given.or(own).unwrap_or_default(),
    };
    Ok((instance.unwrap_or(DEFAULT_INSTANCE), id))
}

/// The name that Spin gives to the caller's variable in the environment.
pub(super) fn environment_name(caller: &DemoCaller) -> String {
    format!("SPIN_VARIABLE_{}", caller.variable.to_uppercase())
}

/// The caller's secret, when somebody has set one.
pub(super) fn secret_in_environment(caller: &DemoCaller) -> Option<String> {
    std::env::var(environment_name(caller)).ok()
}

impl Target {
    fn parse(url: &str) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        ensure!(
            uri.scheme() == Some(&Scheme::HTTP) && matches!(uri.path(), "/" | "") && uri.query().is_none(),
            "`{url}` is not where a gateway of this machine can be; expected `http://HOST:PORT`"
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
        // `localhost` has two addresses, and a server listens on one of them.
        for address in addresses {
            match client::send(address, request.clone()).await {
                Err(error) if is_refused(&error) => refused = Some(error),
                answered => return answered,
            }
        }
        let refused = refused.with_context(|| format!("`{}` has no address", self.address))?;
        Err(refused.context(
            "nobody listens there; start the gateway with `cargo run -- serve`, or say where it is with `--to`",
        ))
    }
}

fn is_refused(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn tell_request(page: &mut Page, caller: &DemoCaller, id: &str, own_secret: bool, request: &Request<Bytes>) {
    page.row("as", Tone::Plain, &format!("{} (caller kind {})", caller.principal(id), caller.kind));
    let secret = if own_secret {
        format!("{} of the environment", environment_name(caller))
    } else {
        "the demonstration's secret".to_owned()
    };
    page.row("signed with", Tone::Plain, &secret);
    page.row("request", Tone::Heading, &format!("{} {}", request.method(), request.uri()));
    page.row("", Tone::Plain, &headers(request.headers(), |_| true));
    page.row("", Tone::Plain, &String::from_utf8_lossy(request.body()));
}

fn tell_answer(page: &mut Page, response: &Response<Bytes>, answer: &Answer) {
    let tone = if answer.is_removed() { Tone::Good } else { Tone::Bad };
    page.row("answer", tone, &response.status().to_string());
    page.row("", Tone::Plain, &headers(response.headers(), |name| name.starts_with("x-") || name == "allow"));
    let body = String::from_utf8_lossy(response.body());
    page.row("", Tone::Plain, &body);
    if answer.shown != body {
        page.row("people see", Tone::Plain, &answer.shown);
    }
    let (tone, verdict) = answer.verdict();
    page.row("policy said", tone, &verdict);
}

fn headers(headers: &HeaderMap, matters: impl Fn(&str) -> bool) -> String {
    let lines = headers.iter().filter(|(name, _)| matters(name.as_str()));
    lines.map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::demo::CALLERS;

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
    async fn a_gateway_that_is_not_there_is_said_how_to_start() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let target = Target::parse(&format!("http://{free}")).unwrap();
        let error = target.send(Request::new(Bytes::new())).await.unwrap_err();
        assert!(format!("{error:#}").contains("`cargo run -- serve`"), "{error:#}");
    }
}
