//! The text form of rules.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use http::StatusCode;

use super::fault::Fault;
use super::misbehaviour::Misbehaviour;
use super::target::Target;

/// The code of `busy`, unless the rule names another one.
const BUSY: &str = "DBS.200019";

/// The kinds with their values, and what each does.
const KINDS: [(&str, &str); 19] = [
    ("latency=DURATION", "the usual effect and answer, both after `3s` or `250ms`"),
    ("reset-before", "the connection is reset, without effect"),
    ("reset-after", "the effect, then the connection is reset"),
    ("hang", "never answered, without effect"),
    ("hang-after", "the effect, then never answered"),
    ("throttled[=SECONDS]", "429 APIGW.0308; with SECONDS, a Retry-After"),
    ("busy[=CODE]", "409 DBS.200019, or this code"),
    ("expired-token", "401 APIGW.0307"),
    ("unauthorized", "401 APIGW.0301"),
    ("status=NNN[,SECONDS]", "this status with an error body; with SECONDS, a Retry-After"),
    ("html[=NNN]", "502, or this status, with a page of HTML"),
    ("truncated", "200, and a body that ends too early, without effect"),
    ("truncated-after", "the effect, then the usual answer with a body that ends too early"),
    ("huge", "200 with a body of 10 MB, without effect"),
    ("drip", "200, and a body of one byte every 200 ms that never ends, without effect"),
    ("drip-after", "the effect, then a body as of drip"),
    ("wrong-json", "200 with undocumented JSON, without effect"),
    ("down", "every connection is reset, as by reset-before"),
    ("gone", "400 DBS.200824 (the account does not exist), without effect"),
];

impl Fault {
    /// Describes the grammar of rules for the command line.
    #[must_use]
    pub fn grammar() -> String {
        let width = KINDS.iter().map(|(form, _)| form.len()).max().unwrap_or_default();
        let kinds: Vec<String> = KINDS.iter().map(|(form, what)| format!("  {form:<width$}  {what}")).collect();
        format!(
            "[TARGET:]KIND[=VALUE][*TIMES]\n\n\
             TARGET is one of {}; without it, `delete`. TIMES is the number of requests that fail; without it, all.\n\
             Of several rules, the first that applies and is not used up decides. KIND is one of\n{}",
            Target::names(),
            kinds.join("\n"),
        )
    }
}

impl FromStr for Fault {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (on, rest) = match text.split_once(':') {
            Some((target, rest)) => (target.parse()?, rest),
            None => (Target::Delete, text),
        };
        let (rest, times) = match rest.rsplit_once('*') {
            Some((rest, times)) => {
                let number = times.parse().ok().filter(|times| *times > 0);
                (
                    rest,
                    Some(number.with_context(|| format!("`*{times}` is not a number of times; write it like `*2`"))?),
                )
            }
            None => (rest, None),
        };
        let (kind, value) = match rest.split_once('=') {
            Some((kind, value)) => (kind, Some(value)),
            None => (rest, None),
        };
        Ok(Self { on, what: misbehaviour(kind, value)?, times })
    }
}

fn misbehaviour(kind: &str, value: Option<&str>) -> anyhow::Result<Misbehaviour> {
    let what = match (kind, value) {
        ("latency", Some(value)) => return Ok(Misbehaviour::Latency(duration(value)?)),
        ("throttled", Some(value)) => return Ok(Misbehaviour::Throttled(Some(seconds(value)?))),
        ("busy", Some(code)) => return busy(code),
        ("status", Some(value)) => return with_seconds(value),
        ("html", Some(value)) => return Ok(Misbehaviour::Html(status(value)?)),
        ("throttled", None) => Misbehaviour::Throttled(None),
        ("busy", None) => Misbehaviour::Busy(BUSY.to_owned()),
        ("html", None) => Misbehaviour::Html(StatusCode::BAD_GATEWAY),
        ("latency" | "status", None) => bail!("`{kind}` needs a value; write {}", form(kind)),
        ("reset-before", _) => Misbehaviour::ResetBefore,
        ("reset-after", _) => Misbehaviour::ResetAfter,
        ("hang", _) => Misbehaviour::Hang,
        ("hang-after", _) => Misbehaviour::HangAfter,
        ("expired-token", _) => Misbehaviour::ExpiredToken,
        ("unauthorized", _) => Misbehaviour::Unauthorized,
        ("truncated", _) => Misbehaviour::Truncated,
        ("truncated-after", _) => Misbehaviour::TruncatedAfter,
        ("huge", _) => Misbehaviour::Huge,
        ("drip", _) => Misbehaviour::Drip,
        ("drip-after", _) => Misbehaviour::DripAfter,
        ("wrong-json", _) => Misbehaviour::WrongJson,
        ("down", _) => Misbehaviour::Down,
        ("gone", _) => Misbehaviour::Gone,
        _ => bail!("`{kind}` is not a fault; use one of {}", list(KINDS.iter().map(|(form, _)| *form))),
    };
    ensure!(value.is_none(), "`{kind}` takes no value; write it without `=`");
    Ok(what)
}

fn busy(code: &str) -> anyhow::Result<Misbehaviour> {
    ensure!(!code.is_empty(), "`busy=` has no code; write it like `busy={BUSY}`");
    Ok(Misbehaviour::Busy(code.to_owned()))
}

fn with_seconds(value: &str) -> anyhow::Result<Misbehaviour> {
    Ok(match value.split_once(',') {
        Some((number, after)) => Misbehaviour::Status(status(number)?, Some(seconds(after)?)),
        None => Misbehaviour::Status(status(value)?, None),
    })
}

fn status(text: &str) -> anyhow::Result<StatusCode> {
    let status = text.parse().ok().filter(|status| (200..600).contains(&StatusCode::as_u16(status)));
    status.with_context(|| format!("`{text}` is not a status; use 200 to 599"))
}

fn seconds(text: &str) -> anyhow::Result<u64> {
    text.parse().ok().with_context(|| format!("`{text}` is not a number of seconds"))
}

fn duration(text: &str) -> anyhow::Result<Duration> {
    let (number, milliseconds) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1000),
        (None, None) => ("", 0),
    };
    let number = number.parse::<u32>().ok();
    let number = number.with_context(|| format!("`{text}` is not a duration; write it like `3s` or `250ms`"))?;
    Ok(Duration::from_millis(u64::from(number) * milliseconds))
}

/// Returns the form of a kind, with its value.
fn form(kind: &str) -> &'static str {
    let mut forms = KINDS.iter().map(|(form, _)| *form);
    forms.find(|form| form.split(['=', '[']).next() == Some(kind)).unwrap_or_default()
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Fault {
        text.parse().unwrap()
    }

    #[test]
    fn rules_as_text() {
        for (text, expected) in [
            ("latency=3s", "Fault { on: Delete, what: Latency(3s), times: None }"),
            ("iam:latency=250ms*2", "Fault { on: Iam, what: Latency(250ms), times: Some(2) }"),
            ("list:reset-before", "Fault { on: List, what: ResetBefore, times: None }"),
            ("any:reset-after*1", "Fault { on: Any, what: ResetAfter, times: Some(1) }"),
            ("delete:hang", "Fault { on: Delete, what: Hang, times: None }"),
            ("hang-after", "Fault { on: Delete, what: HangAfter, times: None }"),
            ("throttled", "Fault { on: Delete, what: Throttled(None), times: None }"),
            ("throttled=30", "Fault { on: Delete, what: Throttled(Some(30)), times: None }"),
            ("busy", "Fault { on: Delete, what: Busy(\"DBS.200019\"), times: None }"),
            ("busy=DBS.280406*3", "Fault { on: Delete, what: Busy(\"DBS.280406\"), times: Some(3) }"),
            ("expired-token*1", "Fault { on: Delete, what: ExpiredToken, times: Some(1) }"),
            ("unauthorized", "Fault { on: Delete, what: Unauthorized, times: None }"),
            ("status=503", "Fault { on: Delete, what: Status(503, None), times: None }"),
            ("status=429,5*1", "Fault { on: Delete, what: Status(429, Some(5)), times: Some(1) }"),
            ("html", "Fault { on: Delete, what: Html(502), times: None }"),
            ("html=504", "Fault { on: Delete, what: Html(504), times: None }"),
            ("truncated", "Fault { on: Delete, what: Truncated, times: None }"),
            ("truncated-after", "Fault { on: Delete, what: TruncatedAfter, times: None }"),
            ("huge", "Fault { on: Delete, what: Huge, times: None }"),
            ("drip", "Fault { on: Delete, what: Drip, times: None }"),
            ("drip-after", "Fault { on: Delete, what: DripAfter, times: None }"),
            ("wrong-json", "Fault { on: Delete, what: WrongJson, times: None }"),
            ("any:down", "Fault { on: Any, what: Down, times: None }"),
            ("gone", "Fault { on: Delete, what: Gone, times: None }"),
        ] {
            assert_eq!(format!("{:?}", rule(text)), expected, "{text}");
        }
    }

    #[test]
    fn errors_of_rules_say_what_to_write() {
        for (text, expected) in [
            ("create:hang", "`create` is not a target; use one of `any`, `delete`, `list`, `iam`"),
            (":hang", "`` is not a target; use one of `any`, `delete`, `list`, `iam`"),
            ("hang=3", "`hang` takes no value; write it without `=`"),
            ("latency", "`latency` needs a value; write latency=DURATION"),
            ("status*2", "`status` needs a value; write status=NNN[,SECONDS]"),
            ("latency=3", "`3` is not a duration; write it like `3s` or `250ms`"),
            ("latency=-3s", "`-3s` is not a duration; write it like `3s` or `250ms`"),
            ("latency=s", "`s` is not a duration; write it like `3s` or `250ms`"),
            ("throttled=soon", "`soon` is not a number of seconds"),
            ("busy=", "`busy=` has no code; write it like `busy=DBS.200019`"),
            ("status=abc", "`abc` is not a status; use 200 to 599"),
            ("status=100", "`100` is not a status; use 200 to 599"),
            ("html=600", "`600` is not a status; use 200 to 599"),
            ("status=503,", "`` is not a number of seconds"),
            ("hang*0", "`*0` is not a number of times; write it like `*2`"),
            ("hang*", "`*` is not a number of times; write it like `*2`"),
            ("hang*x", "`*x` is not a number of times; write it like `*2`"),
        ] {
            assert_eq!(text.parse::<Fault>().unwrap_err().to_string(), expected, "{text}");
        }
        for text in ["", "explode", "Hang"] {
            let message = text.parse::<Fault>().unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("`{text}` is not a fault; use one of `latency=DURATION`, `")),
                "{message}"
            );
            assert!(message.ends_with(", `gone`"), "{message}");
        }
    }

    #[test]
    fn each_form_in_the_grammar_can_be_parsed() {
        let grammar = Fault::grammar();
        for (form, what) in KINDS {
            assert!(grammar.contains(form) && grammar.contains(what), "{form}");
            let text = form.replace("DURATION", "3s").replace("NNN", "500");
            let required = text.split('[').next().unwrap();
            rule(required);
            rule(&text.replace("SECONDS", "1").replace("CODE", "DBS.200047").replace(['[', ']'], ""));
        }
    }
}
