//! Holds every answer that a test gets to docs/openapi.yaml: its status, headers and content type are documented, its body is valid.
//!
//! Not held: what hooks of chat platforms answer, and the console's pages, which the document leaves out.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use http::{HeaderMap, Method, Uri};
use jsonschema::{Draft, Validator};
use local::repository;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use starrocks_offboard::callers;

/// Which request an answer is for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    method: Method,
    /// The segments of the path that are not empty, as the gateway reads them.
    segments: Vec<String>,
}

impl Asked {
    pub(crate) fn of(method: &Method, uri: &Uri) -> Self {
        Self::new(method.clone(), uri.path())
    }

    /// Reads the first line of a request; `None` if it is none.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let line = bytes.split(|byte| *byte == b'\r').next()?;
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        let method = words.next()?.parse().ok()?;
        let target = words.next()?;
        let path =
            target.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or(target);
        Some(Self::new(method, path.split(['?', '#']).next().unwrap_or_default()))
    }

    fn new(method: Method, path: &str) -> Self {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let read = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        Self { method, segments: segments.map(read).collect() }
    }

    fn is_of_console(&self) -> bool {
        self.segments.first().is_some_and(|first| first == "console")
    }

    fn is_of_chat(&self) -> bool {
        let [first, caller] = &self.segments[..] else { return false };
        first == "hooks" && callers::shapes().iter().any(|shape| shape.is_chat && caller.starts_with(shape.name))
    }
}

/// An answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub(crate) status: u16,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// Asserts that an answer is one that the document has for the request.
pub(crate) fn assert_described(asked: &Asked, answered: Answered<'_>) {
    if asked.is_of_chat() || asked.is_of_console() {
        return;
    }
    let checked = match DESCRIPTION.operation(asked) {
        Some(operation) => DESCRIPTION.check(&operation, asked, answered),
        None => DESCRIPTION.check_refusal(answered),
    };
    let Answered { status, headers, body } = answered;
    checked.unwrap_or_else(|why| {
        panic!("docs/openapi.yaml: {why}\n{asked:?}\n{status} {headers:#?}\n{}", String::from_utf8_lossy(body))
    });
}

static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
    let text = fs::read_to_string(repository::root().join("docs/openapi.yaml")).unwrap();
    Description { document: serde_saphyr::from_str(&text).unwrap(), validators: Mutex::default() }
});

struct Description {
    document: Value,
    /// Compiled schemas, by their place in the document.
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Description {
    /// The place of the operation that has this method and path.
    fn operation(&self, asked: &Asked) -> Option<String> {
        let paths = self.document["paths"].as_object()?.keys();
        let fitting = paths.filter(|template| is_of(template, &asked.segments));
        let template = fitting.min_by_key(|template| template.matches('{').count())?;
        // Methods have one spelling: `delete` is none that a path has.
        let method = match asked.method.as_str() {
            "HEAD" => "get".to_owned(),
            method if method.bytes().all(|byte| byte.is_ascii_uppercase()) => method.to_lowercase(),
            _ => return None,
        };
        let place = format!("/paths/{}/{method}", escaped(template));
        self.document.pointer(&place).is_some().then_some(place)
    }

    fn check(&self, operation: &str, asked: &Asked, answered: Answered<'_>) -> Result<(), String> {
        let status = answered.status;
        let known = [status.to_string(), format!("{}XX", status / 100)];
        let place = known.iter().map(|status| format!("{operation}/responses/{status}"));
        let place = place.map(|place| self.resolved(place)).find(|place| self.document.pointer(place).is_some());
        let place = place.ok_or_else(|| format!("{operation} has no status {status}"))?;
        self.check_headers(&place, answered.headers)?;
        self.check_body(&place, asked, answered)
    }

    /// What the document does not have is refused, in a documented form.
    fn check_refusal(&self, answered: Answered<'_>) -> Result<(), String> {
        let Answered { status, headers, body } = answered;
        if status < 400 {
            return Err("a path or method that the document does not have".into());
        }
        if status == 405 && !headers.contains_key("allow") {
            return Err("405 without Allow".into());
        }
        let is_scim = headers.get("content-type").is_some_and(|value| value == "application/scim+json");
        let schema = if is_scim { "/components/schemas/ScimError" } else { "/components/schemas/Error" };
        if body.is_empty() { Ok(()) } else { self.check_json(schema, body) }
    }

    fn check_headers(&self, place: &str, headers: &HeaderMap) -> Result<(), String> {
        let none = serde_json::Map::new();
        let documented = self.document.pointer(&format!("{place}/headers")).and_then(Value::as_object).unwrap_or(&none);
        for name in documented.keys() {
            let at = self.resolved(format!("{place}/headers/{}", escaped(name)));
            let is_required = self.document.pointer(&format!("{at}/required")) == Some(&true.into());
            match headers.get(name.to_lowercase()) {
                None if is_required => return Err(format!("{place}: {name} is missing")),
                None => {}
                Some(value) => {
                    let value = value.to_str().map_err(|error| format!("{name}: {error}"))?;
                    // A header is a text; where the schema says a number, it is one in digits.
                    let value =
                        value.parse::<u64>().ok().filter(|_| name == "Retry-After").map_or(json!(value), Value::from);
                    self.check_value(&format!("{at}/schema"), &value).map_err(|why| format!("{name}: {why}"))?;
                }
            }
        }
        // Of every message, or the server's own.
        let framing = ["connection", "content-length", "content-type", "date"];
        let is_documented = |name: &str| documented.keys().any(|known| known.eq_ignore_ascii_case(name));
        match headers.keys().find(|name| !framing.contains(&name.as_str()) && !is_documented(name.as_str())) {
            Some(name) => Err(format!("{place} has no header {name}")),
            None => Ok(()),
        }
    }

    fn check_body(&self, place: &str, asked: &Asked, answered: Answered<'_>) -> Result<(), String> {
        let Answered { headers, body, .. } = answered;
        let content_type = headers.get("content-type").map(|value| value.to_str().unwrap_or_default());
        let Some(content) = self.document.pointer(&format!("{place}/content")).and_then(Value::as_object) else {
            let is_empty = body.is_empty() && content_type.is_none();
            return if is_empty { Ok(()) } else { Err(format!("{place} has no content")) };
        };
        let content_type = content_type.ok_or_else(|| format!("{place} has content"))?;
        if !content.contains_key(content_type) {
            return Err(format!("{place} has no content of {content_type}"));
        }
        let schema = format!("{place}/content/{}/schema", escaped(content_type));
        match content_type {
            _ if asked.method == Method::HEAD => Ok(()),
            "application/json" | "application/scim+json" => self.check_json(&schema, body),
            "application/yaml" => {
                let read = serde_saphyr::from_slice::<Value>(body).map_err(|error| error.to_string())?;
                self.check_value(&schema, &read)
            }
            _ => {
                let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
                self.check_value(&schema, &json!(text))
            }
        }
    }

    fn check_json(&self, schema: &str, body: &[u8]) -> Result<(), String> {
        let body: Value = serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
        self.check_value(schema, &body)
    }

    fn check_value(&self, schema: &str, value: &Value) -> Result<(), String> {
        let validator = self.validator(schema);
        let problems: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        if problems.is_empty() { Ok(()) } else { Err(format!("{schema}: {}", problems.join("; "))) }
    }

    /// The schema at this place. Its references are into the document, which therefore is the schema's root.
    fn validator(&self, schema: &str) -> Arc<Validator> {
        // A schema that cannot be used fails its own test only.
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = validators.entry(schema.to_owned()).or_insert_with(|| {
            let mut root = self.document.clone();
            root["$ref"] = format!("#{}", utf8_percent_encode(schema, NOT_IN_A_FRAGMENT)).into();
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            Arc::new(options.build(&root).unwrap_or_else(|error| panic!("{schema}: {error}")))
        });
        Arc::clone(validator)
    }

    /// The place that a reference at this place leads to, or the place itself.
    fn resolved(&self, place: String) -> String {
        let reference = self.document.pointer(&format!("{place}/$ref")).and_then(Value::as_str);
        reference.map(|reference| reference.trim_start_matches('#').to_owned()).unwrap_or(place)
    }
}

/// Whether a path is one of this template. SCIM's collections may be written in any case, and one of them in the plural.
fn is_of(template: &str, segments: &[String]) -> bool {
    let template: Vec<_> = template.split('/').skip(1).collect();
    let fits = |(expected, given): (&&str, &String)| {
        let given = if expected.ends_with("Config") { given.trim_end_matches('s') } else { given };
        expected.starts_with('{') || expected.eq_ignore_ascii_case(given)
    };
    template.len() == segments.len() && template.iter().zip(segments).all(fits)
}

/// What a JSON Pointer may not have as it is in the fragment of a reference (RFC 6901, section 6).
const NOT_IN_A_FRAGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'~').remove(b'-').remove(b'_').remove(b'.');

/// A key as a token of a JSON Pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
