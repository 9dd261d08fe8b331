//! Runs the cases of the kinds on a stage.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use crate::case::{Case, Expected, Step};
use crate::kind::{self, Kind};
use crate::platforms::Platforms;
use crate::stage::{Posted, Reply, Row, Stage, Wire};

/// Runs every case of every kind of interest.
pub async fn run<S: Stage>() {
    let mut failures = String::new();
    let mut count = 0;
    for kind in Kind::of_interest() {
        for (name, case) in kind.cases() {
            if case.simulator.is_some() && !S::HAS_SIMULATOR {
                continue;
            }
            count += 1;
            if let Err(difference) = check::<S>(&kind, &name, &case).await {
                failures += &format!("\n{name}: {}\n{difference}\n", case.about);
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(count > 0, "there are no cases");
}

async fn check<S: Stage>(kind: &Kind, name: &str, case: &Case) -> Result<(), String> {
    let mut play = Play {
        kind,
        name,
        case,
        stage: S::open(kind.setup_of(case)).await,
        reference: String::new(),
        row: String::new(),
        created: String::new(),
        posted: 0,
        deletes: 0,
        last: None,
    };
    for (number, step) in case.step.iter().enumerate() {
        play.step(number, step).await.map_err(|difference| format!("step {number}: {difference}"))?;
    }
    Ok(())
}

/// A case while it runs.
struct Play<'c, S> {
    kind: &'c Kind,
    name: &'c str,
    case: &'c Case,
    stage: S,
    /// The reference of the request that waits.
    reference: String,
    /// The id of the newest row that an answer named.
    row: String,
    /// The id of the SCIM user that a step created.
    created: String,
    /// How many messages were sent to the platform in the steps before.
    posted: usize,
    /// How many DELETEs were sent in the steps before.
    deletes: usize,
    /// The request of the step before.
    last: Option<Wire>,
}

/// What came of a step.
struct Answered {
    ask: Value,
    reply: Reply,
    /// Every message to the platform, those of earlier steps included.
    posted: Vec<Posted>,
}

impl<S: Stage> Play<'_, S> {
    async fn step(&mut self, number: usize, step: &Step) -> Result<(), String> {
        let ask = self.ask(number, step);
        let mut wire = match self.last.take() {
            Some(wire) if step.again => wire,
            _ => Platforms::request(&self.kind.name, &ask),
        };
        for (name, value) in &step.headers {
            wire.set(name, value);
        }
        let reply = self.stage.send(&wire).await;
        self.last = Some(wire);
        if reply.status == 201
            && let Ok(Value::Object(body)) = serde_json::from_slice(&reply.body)
        {
            self.created = body["id"].as_str().unwrap().to_owned();
        }
        let posted = self.stage.posted(self.posted + step.expect.posted.len()).await;
        if self.case.slow && number + 1 == self.case.step.len() {
            self.stage.end().await;
        }
        let answered = Answered { ask, reply, posted };
        let seen = self.look(&answered, &step.expect);
        (self.posted, self.deletes) = (answered.posted.len(), self.stage.deletes());
        self.note_reference(&answered);
        self.compare(&answered, seen, &step.expect)?;
        if step.expect.consistent {
            let consistent = catch_unwind(AssertUnwindSafe(|| self.stage.assert_consistent(&answered.reply)));
            consistent.map_err(|_| "answer, row and log line do not agree, see above".to_owned())?;
        }
        Ok(())
    }

    /// The order to the platform.
    fn ask(&self, number: usize, step: &Step) -> Value {
        let mut ask = self.kind.ask(&self.stage.host(), &format!("n{number}"));
        if let Some(secret) = &self.case.secret {
            ask["secret"] = secret.clone();
        }
        if let Some(say) = &step.say {
            let say = say.to_string().replace("{reference}", &self.reference).replace("{created}", &self.created);
            ask["say"] = serde_json::from_str(&say).unwrap();
        }
        if let Some(body) = &step.body {
            ask["body"] = Value::String(body.clone());
        }
        ask
    }

    /// Keeps the newest reference that a header, the answer or a message names.
    fn note_reference(&mut self, answered: &Answered) {
        let reply = &answered.reply;
        let posted: String = answered.posted.iter().map(|posted| posted.body.as_str()).collect();
        let said = format!("{}{posted}", String::from_utf8_lossy(&reply.body));
        // The buttons have it: of Slack, and of Feishu, whose card is a text of JSON.
        let before = ["\"value\":\"", "\\\"id\\\":\\\"", "confirm ", "\"reference\":\""];
        let in_words = || before.into_iter().find_map(|words| after(&said, words));
        if let Some(found) = reply.header("x-offboard-reference").map(str::to_owned).or_else(in_words) {
            self.reference = found;
        }
        // An early answer names the request alone, whose id its row has.
        let of_request = reply.header("x-request-id").filter(|_| self.row.is_empty());
        if let Some(found) = reply.header("x-offboard-removal").or(of_request) {
            self.row = found.to_owned();
        }
    }

    /// What came of the step, as far as `expected` looks.
    fn look(&self, answered: &Answered, expected: &Expected) -> Expected {
        let (reply, rows) = (&answered.reply, self.stage.rows());
        let header = |name: &str| reply.header(name).map(str::to_owned);
        let mut headers: Vec<&str> = expected.headers.keys().map(String::as_str).collect();
        if expected.consistent {
            headers.extend(["allow", "x-offboard-confirmed-by"]);
        }
        let deletes = self.stage.deletes() - self.deletes;
        let last_delete = || self.stage.last_delete().filter(|_| deletes > 0).unwrap_or_default();
        let is_upstream = |id: &str| self.stage.upstream_ids().iter().any(|upstream| upstream == id);
        Expected {
            status: reply.status,
            code: header("x-offboard-code").unwrap_or_default(),
            content_type: expected.content_type.as_ref().and_then(|_| header("content-type")),
            body: expected.body.as_ref().map(|_| normal(&self.read(answered))),
            message: expected.message.as_ref().map(|_| message(&self.read(answered))),
            headers: headers.into_iter().filter_map(|name| Some((name.to_owned(), header(name)?))).collect(),
            upstream_request_id: expected
                .upstream_request_id
                .map(|_| reply.header("x-request-id").is_some_and(is_upstream)),
            consistent: expected.consistent,
            row: expected.row.as_ref().and_then(|row| newest_of_its_account(&rows, row)),
            rows: expected.rows.map(|_| rows.len()),
            deletes,
            delete: expected.delete.as_ref().map(|expected| last_delete().limited_to(expected)),
            gone: expected.gone.map(|_| !self.stage.has_alice()),
            posted: self.newly_posted(answered, expected),
        }
    }

    fn newly_posted(&self, answered: &Answered, expected: &Expected) -> Vec<Posted> {
        let authorized = expected.posted.iter().any(|posted| posted.authorization.is_some());
        let plain = |posted: &Posted| Posted {
            authorization: posted.authorization.clone().filter(|_| authorized),
            body: normal(&posted.body),
            ..posted.clone()
        };
        answered.posted.iter().skip(self.posted).map(plain).collect()
    }

    /// The body of the answer, decrypted where the kind encrypts.
    fn read(&self, Answered { ask, reply, .. }: &Answered) -> String {
        if Platforms::encrypts(&self.kind.name) && !reply.body.is_empty() {
            return Platforms::open(&self.kind.name, ask, reply);
        }
        String::from_utf8(reply.body.to_vec()).unwrap()
    }

    fn compare(&self, answered: &Answered, seen: Expected, expected: &Expected) -> Result<(), String> {
        let written = expected;
        let (seen, expected) = (self.mask(seen), self.mask(self.filled(expected, &answered.reply)));
        if seen == expected {
            return Ok(());
        }
        if std::env::var_os("BLESS").is_some() {
            self.bless(written, &seen, &answered.reply);
            let texts = Expected { body: seen.body.clone(), message: seen.message.clone(), ..expected.clone() };
            let posted = seen.posted.iter().zip(&expected.posted);
            let posted =
                posted.map(|(seen, expected)| Posted { body: seen.body.clone(), ..expected.clone() }).collect();
            if seen == (Expected { posted, ..texts }) {
                return Ok(());
            }
        }
        // In the form of the case, to be copied into it.
        let body = self.with_places(&normal(&self.read(answered)), &answered.reply);
        let posted = seen.posted.iter().map(|posted| self.with_places(&posted.body, &answered.reply));
        let posted = posted.collect::<Vec<_>>().join("\n");
        Err(format!("expected {expected:#?}\nbut it was {seen:#?}\n--- body\n{body}\n--- posted\n{posted}\n---"))
    }

    /// Writes the texts that came into the file of the case, in the place of those that were expected.
    fn bless(&self, expected: &Expected, seen: &Expected, reply: &Reply) {
        let path = kind::folder().join(self.name);
        let mut file = std::fs::read_to_string(&path).unwrap();
        let posted = expected.posted.iter().zip(&seen.posted).map(|(old, new)| (Some(&old.body), Some(&new.body)));
        let texts = [(expected.body.as_ref(), seen.body.as_ref()), (expected.message.as_ref(), seen.message.as_ref())];
        for (old, new) in texts.into_iter().chain(posted) {
            if let (Some(old), Some(new)) = (old, new)
                && self.mask_text(&normal(&self.fill(old, reply))) != *new
            {
                let new = self.with_places(new, reply);
                // A text stands between three quotes, or in one line with its line breaks escaped, as in JSON.
                let in_one_line = |text: &str| Value::from(text).to_string();
                file = file.replacen(old.trim_end(), &new, 1).replacen(&in_one_line(old), &in_one_line(&new), 1);
            }
        }
        std::fs::write(path, file).unwrap();
    }

    /// Puts `{upstream}` for TaurusDB's request ids and `{host}` for the gateway's authority: each stage has its own. Puts `{time}` for
    /// times, because a component takes some.
    fn mask(&self, mut expected: Expected) -> Expected {
        let hide = |text: &mut String| *text = self.mask_text(text);
        expected.body.iter_mut().for_each(hide);
        expected.message.iter_mut().for_each(hide);
        expected.posted.iter_mut().for_each(|posted| hide(&mut posted.body));
        expected
    }

    fn mask_text(&self, text: &str) -> String {
        let mut text = without_times(text).replace(&self.stage.host(), "{host}");
        for id in self.stage.upstream_ids() {
            text = text.replace(&id, "{upstream}");
        }
        text
    }

    fn fill(&self, text: &str, reply: &Reply) -> String {
        text.replace("{request_id}", reply.header("x-request-id").unwrap_or_default())
            .replace("{row}", reply.header("x-offboard-removal").unwrap_or(&self.row))
            .replace("{reference}", &self.reference)
            .replace("{created}", &self.created)
            .replace("{removal}", &first_removal(reply).unwrap_or_default())
    }

    /// Puts the values for `{request_id}` and the like.
    fn filled(&self, expected: &Expected, reply: &Reply) -> Expected {
        let fill = |text: &String| self.fill(text, reply);
        let body = |posted: &Posted| normal(&fill(&posted.body));
        Expected {
            body: expected.body.as_ref().map(|text| normal(&fill(text))),
            message: expected.message.as_ref().map(fill),
            posted: expected.posted.iter().map(|posted| Posted { body: body(posted), ..posted.clone() }).collect(),
            ..expected.clone()
        }
    }

    /// The reverse of `filled`.
    fn with_places(&self, text: &str, reply: &Reply) -> String {
        let mut text = text.to_owned();
        for (header, place) in [("x-offboard-removal", "{row}"), ("x-request-id", "{request_id}")] {
            if let Some(value) = reply.header(header) {
                text = text.replace(value, place);
            }
        }
        if let Some(id) = first_removal(reply) {
            text = text.replace(&id, "{removal}");
        }
        let kept = [(&self.row, "{row}"), (&self.reference, "{reference}"), (&self.created, "{created}")];
        for (value, place) in kept {
            if !value.is_empty() {
                text = text.replace(value, place);
            }
        }
        text
    }
}

/// The text with `{time}` for each time, as chat and JSON write them.
fn without_times(text: &str) -> String {
    const FORMS: [&str; 3] = ["0000-00-00 00:00 +00:00", "0000-00-00T00:00:00.000Z", "0000-00-00T00:00:00Z"];
    let is_at = |rest: &str, form: &str| {
        let fits = |(given, form): (u8, u8)| if form == b'0' { given.is_ascii_digit() } else { given == form };
        rest.len() >= form.len() && rest.bytes().zip(form.bytes()).all(fits)
    };
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let form = FORMS.iter().find(|form| is_at(rest, form));
        match form {
            Some(_) => masked.push_str("{time}"),
            None => masked.push(next),
        }
        rest = &rest[form.map_or(next.len_utf8(), |form| form.len())..];
    }
    masked
}

/// The last reference that follows these words. A policy's name may follow them too.
fn after(text: &str, words: &str) -> Option<String> {
    let is_one = |found: &str| found.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    text.rmatch_indices(words)
        .filter_map(|(at, _)| text.get(at + words.len()..)?.get(..8))
        .find(|found| is_one(found))
        .map(str::to_owned)
}

/// An event about several accounts writes their rows in any order.
fn newest_of_its_account(rows: &[Row], expected: &Row) -> Option<Row> {
    let account = |row: &Row| (row.instance.clone(), row.user_name.clone());
    let mut row = rows.iter().rfind(|row| account(row) == account(expected)).or(rows.last()).cloned()?;
    row.caller = row.caller.filter(|_| expected.caller.is_some());
    row.policies = row.policies.filter(|_| expected.policies.is_some());
    Some(row)
}

/// JSON in one form, whatever its spaces; other text as it is.
fn normal(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut json) => {
            json.sort_all_objects();
            format!("{json:#}")
        }
        Err(_) => text.trim_end().to_owned(),
    }
}

/// What the body of an answer says to a person.
fn message(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let said = ["text", "error_msg"].iter().find_map(|key| body[key].as_str());
    said.unwrap_or_default().to_owned()
}

/// The ledger's id of the first account of a leaver: such an answer has no header for it.
fn first_removal(reply: &Reply) -> Option<String> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    Some(body["removals"][0]["removal"].as_str()?.to_owned())
}
