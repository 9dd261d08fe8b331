//! Runs the cases of a kind on a stage.

use serde_json::Value;

use crate::case::{Case, Expected};
use crate::kind::{Kind, Setup};
use crate::platforms::Platforms;
use crate::stage::{Posted, Reply, Row, Stage};

/// Runs every case of every kind; `only` names those of interest.
pub async fn run<S: Stage>() {
    let only = std::env::var("KIND").unwrap_or_default();
    let mut failures = String::new();
    let mut count = 0;
    for kind in Kind::all() {
        if !only.is_empty() && kind.name != only {
            continue;
        }
        for (name, case) in kind.cases() {
            count += 1;
            if let Err(difference) = check::<S>(&kind, &case).await {
                failures += &format!("\n{name}: {}\n{difference}\n", case.about);
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(count > 0, "there are no cases");
}

async fn check<S: Stage>(kind: &Kind, case: &Case) -> Result<(), String> {
    let setup: Setup = kind.setup(case.confirm, &case.replace).slowly(case.slow);
    let mut stage = S::open(setup).await;
    let (mut reference, mut created) = (String::new(), String::new());
    let (mut told, mut deletes) = (0, 0);
    let mut last = None;
    for (number, step) in case.step.iter().enumerate() {
        let mut ask = kind.ask(&stage.host(), &format!("n{number}"));
        if let Some(secret) = &case.secret {
            ask["secret"] = secret.clone();
        }
        if let Some(say) = &step.say {
            ask["say"] = {
                let say = say.to_string().replace("{reference}", &reference).replace("{created}", &created);
                serde_json::from_str(&say).unwrap()
            };
        }
        if let Some(body) = &step.body {
            ask["body"] = Value::String(body.clone());
        }
        let mut wire = match last.take() {
            Some(wire) if step.again => wire,
            _ => Platforms::request(&kind.name, &ask),
        };
        for (name, value) in &step.headers {
            wire.set(name, value);
        }
        let reply = stage.send(&wire).await;
        last = Some(wire);
        if reply.status == 201
            && let Ok(Value::Object(body)) = serde_json::from_slice(&reply.body)
        {
            created = body["id"].as_str().unwrap().to_owned();
        }
        let posted = stage.posted(told + step.expect.posted.len()).await;
        if case.slow && number + 1 == case.step.len() {
            stage.end().await;
        }
        let seen = look(&stage, kind, &ask, &reply, &step.expect, &posted[told.min(posted.len())..], deletes);
        (told, deletes) = (posted.len(), stage.deletes());
        let newest = |from: &str| {
            let before = ["confirm `", "request `", "\"reference\":\""];
            before.into_iter().find_map(|words| after(from, words))
        };
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&reply.body),
            posted.iter().map(|p| p.body.as_str()).collect::<String>()
        );
        if let Some(found) = reply.header("x-offboard-reference").map(str::to_owned).or_else(|| newest(&said)) {
            reference = found;
        }
        let masked = |expected: Expected| mask(expected, &stage.upstream_ids(), &stage.host());
        let (seen, expected) = (masked(seen), masked(filled(&step.expect, &reply, &reference, &created)));
        if seen != expected {
            // As it would stand in the case.
            let body = placed(&normal(&read(kind, &ask, &reply)), &reply, &reference, &created);
            let posted = seen.posted.iter().map(|posted| placed(&posted.body, &reply, &reference, &created));
            let posted = posted.collect::<Vec<_>>().join("\n");
            return Err(format!(
                "step {number}: expected {expected:#?}\nbut it was {seen:#?}\n--- body\n{body}\n--- posted\n{posted}\n---"
            ));
        }
    }
    Ok(())
}

/// The reference that stands behind these words.
fn after(text: &str, words: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once(words)?;
    Some(rest.chars().take(8).collect())
}

fn look<S: Stage>(
    stage: &S,
    kind: &Kind,
    ask: &Value,
    reply: &Reply,
    expected: &Expected,
    posted: &[Posted],
    deletes: usize,
) -> Expected {
    let rows = stage.rows();
    let header = |name: &String| Some((name.clone(), reply.header(name)?.to_owned()));
    let authorized = expected.posted.iter().any(|posted| posted.authorization.is_some());
    let plain = |posted: &Posted| Posted {
        authorization: posted.authorization.clone().filter(|_| authorized),
        body: normal(&posted.body),
        ..posted.clone()
    };
    Expected {
        status: reply.status,
        code: reply.header("x-offboard-code").unwrap_or_default().to_owned(),
        content_type: expected.content_type.as_ref().and_then(|_| reply.header("content-type").map(str::to_owned)),
        body: expected.body.as_ref().map(|_| normal(&read(kind, ask, reply))),
        headers: expected.headers.keys().filter_map(header).collect(),
        row: expected.row.as_ref().and_then(|row| newest_of_its_account(&rows, row)),
        rows: expected.rows.map(|_| rows.len()),
        deletes: stage.deletes() - deletes,
        posted: posted.iter().map(plain).collect(),
    }
}

/// One event about several accounts writes their rows in any order.
fn newest_of_its_account(rows: &[Row], expected: &Row) -> Option<Row> {
    let account = |row: &Row| (row.instance.clone(), row.user_name.clone());
    rows.iter().rfind(|row| account(row) == account(expected)).or(rows.last()).cloned()
}

fn read(kind: &Kind, ask: &Value, reply: &Reply) -> String {
    if Platforms::encrypts(&kind.name) && !reply.body.is_empty() {
        return Platforms::open(&kind.name, ask, reply);
    }
    String::from_utf8(reply.body.to_vec()).unwrap()
}

/// With `{upstream}` for what TaurusDB called its requests, and `{host}` for where the gateway is: each stage has its own.
fn mask(mut expected: Expected, ids: &[String], host: &str) -> Expected {
    let hide = |text: &mut String| {
        for id in ids {
            *text = text.replace(id.as_str(), "{upstream}");
        }
        *text = text.replace(host, "{host}");
    };
    expected.body.iter_mut().for_each(hide);
    expected.posted.iter_mut().for_each(|posted| hide(&mut posted.body));
    expected
}

/// JSON without what makes no difference in it; other text as it is.
fn normal(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(json) => format!("{json:#}"),
        Err(_) => text.trim_end().to_owned(),
    }
}

fn filled(expected: &Expected, reply: &Reply, reference: &str, created: &str) -> Expected {
    let fill = |text: &String| {
        let text = text
            .replace("{request_id}", reply.header("x-request-id").unwrap_or_default())
            .replace("{row}", reply.header("x-offboard-removal").unwrap_or_default())
            .replace("{reference}", reference)
            .replace("{created}", created)
            .replace("{removal}", &departed(reply).unwrap_or_default());
        normal(&text)
    };
    Expected {
        body: expected.body.as_ref().map(fill),
        posted: expected.posted.iter().map(|posted| Posted { body: fill(&posted.body), ..posted.clone() }).collect(),
        ..expected.clone()
    }
}

/// The row of the first account of somebody who left: such an answer has no header for it.
fn departed(reply: &Reply) -> Option<String> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    Some(body["removals"][0]["removal"].as_str()?.to_owned())
}

/// The other way round.
fn placed(text: &str, reply: &Reply, reference: &str, created: &str) -> String {
    let mut text = text.to_owned();
    for (header, place) in [("x-offboard-removal", "{row}"), ("x-request-id", "{request_id}")] {
        if let Some(value) = reply.header(header) {
            text = text.replace(value, place);
        }
    }
    if let Some(id) = departed(reply) {
        text = text.replace(&id, "{removal}");
    }
    for (value, place) in [(reference, "{reference}"), (created, "{created}")] {
        if !value.is_empty() {
            text = text.replace(value, place);
        }
    }
    text
}
