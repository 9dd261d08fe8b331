//! SCIM 2.0, as identity systems speak it: `/scim/v2/{caller}/Users…` (RFC 7643, RFC 7644).
//!
//! Proof: `Authorization: Bearer` with a secret that both sides have. The principal is the caller itself. Somebody who becomes
//! inactive, or is deleted, leaves: their accounts are removed (`[leavers]`), and only when all of them are gone does the
//! identity system hear that it is done. Until then `active` stays true for whoever looks, and the same request again
//! finishes the rest.
//!
//! What is kept of people is what the schema below names: enough to know whose accounts are whose.
//! How Okta and Entra write it, beside what the RFC says: `op` in any case, `"False"` for `false`, `active` in a value without
//! a path, names of attributes in any case and with the schema before them, `name.givenName` as a key
//! (<https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/>,
//! <https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility>).
//!
//! Not supported, and said so in ServiceProviderConfig: bulk, sorting, ETags, changing passwords; filters other than `eq` on
//! `userName`, `externalId` or `id`; groups.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Inbound, Keys, Kind, Place, Proof, Reading, Rendered, Said, bearer, same_secret};
use crate::command::{Actor, Delivery};
use crate::config::leavers::Identity;
use crate::config::{Caller, Config, KindShape, is_loopback};
use crate::outcome::{Language, Outcome, Words};
use crate::strict::{Fields, json, percent_decode};

pub(super) const KIND: Kind = Kind {
    shape: KindShape { is_of_leavers: true, ..KindShape::hook("scim") },
    place: Place::Scim,
    content_types: &["application/scim+json", "application/json"],
    published: None,
    open: None,
    verify,
    read,
    render,
    speech: None,
    early: None,
    later: None,
    envelope: None,
};

/// The content type of every answer.
const SCIM: &str = "application/scim+json";

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// The most people of one page.
pub const LARGEST_PAGE: usize = 200;

/// What is asked about the people of an identity system.
#[derive(Debug)]
pub enum Operation {
    /// Which of them there are.
    List {
        /// Those who match.
        filter: Option<Filter>,
        /// From this one on, counted from 1.
        start: usize,
        /// So many at most.
        count: usize,
    },
    /// One of them.
    Look(String),
    /// There is somebody new.
    Create(Person),
    /// Somebody is exactly this.
    Replace(String, Person),
    /// Something about somebody changes.
    Change(String, Vec<Change>),
    /// Somebody is gone.
    Delete(String),
}

/// What of a resource is shown, and where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// What stands before `/Users`.
    pub base: String,
    /// These and no others, in lowercase; all when it is empty.
    attributes: Vec<String>,
    /// Without these.
    excluded: Vec<String>,
}

impl View {
    fn of(base: String, attributes: &str, excluded: &str) -> Self {
        let names = |list: &str| -> Vec<String> {
            list.split(',')
                .map(|name| plain_name(name.trim()).to_ascii_lowercase())
                .filter(|name| !name.is_empty())
                .collect()
        };
        Self { base, attributes: names(attributes), excluded: names(excluded) }
    }

    /// A resource without what is not asked for. `id` and `schemas` are always there (RFC 7643, section 7, `returned`).
    fn of_resource(&self, mut resource: Map<String, Value>) -> Value {
        let names = |list: &[String], name: &str| {
            let name = name.to_ascii_lowercase();
            list.iter().any(|asked| {
                *asked == name || asked.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['.', ':']))
            })
        };
        resource.retain(|name, _| {
            let is_always = matches!(name.as_str(), "id" | "schemas");
            let is_excluded = self.excluded.contains(&name.to_ascii_lowercase());
            is_always || (!is_excluded && (self.attributes.is_empty() || names(&self.attributes, name)))
        });
        // Parts of a complex attribute.
        for (name, value) in &mut resource {
            let part = |inner: &str| format!("{}.{}", name.to_ascii_lowercase(), inner.to_ascii_lowercase());
            let whole = self.attributes.is_empty() || self.attributes.contains(&name.to_ascii_lowercase());
            let shown = |inner: &str| {
                !self.excluded.contains(&part(inner)) && (whole || self.attributes.contains(&part(inner)))
            };
            let is_complex = matches!(name.as_str(), "name" | "emails");
            match value {
                Value::Object(fields) if is_complex => fields.retain(|inner, _| shown(inner)),
                Value::Array(items) if is_complex => {
                    items
                        .iter_mut()
                        .filter_map(Value::as_object_mut)
                        .for_each(|fields| fields.retain(|inner, _| shown(inner)));
                }
                _ => {}
            }
        }
        Value::Object(resource)
    }
}

/// The one filter that there is: this attribute equals this text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// `userName`, in any case.
    UserName(String),
    /// `externalId`
    ExternalId(String),
    /// `id`
    Id(String),
}

/// Somebody, as an identity system describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The attributes that are kept, by the names that the schema has for them.
    pub attributes: Map<String, Value>,
    /// Whether they are one of us; `None` when nothing is said.
    pub active: Option<bool>,
}

/// One operation of a PATCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `remove`, and not `add` or `replace`, which come to the same for the attributes that there are.
    removes: bool,
    path: Vec<String>,
    value: Value,
}

fn verify(inbound: &Inbound, caller: &Caller, keys: &Keys, _: DateTime<Utc>) -> Result<Proof, Outcome> {
    let token = bearer(&inbound.headers)?;
    if !keys.secrets.iter().any(|key| same_secret(token.as_bytes(), &key.secret)) {
        return Err(Outcome::ProofWrong);
    }
    let parts = [inbound.method.as_str().as_bytes(), inbound.path.as_bytes(), inbound.query.as_bytes(), &inbound.body];
    Ok(Proof::of(Delivery::new(caller, &parts)))
}

fn read<'c>(inbound: &Inbound, _: &Proof, caller: &Caller, _: &'c Config, _: Language) -> Reading<'c> {
    Reading::of(Actor::system(caller), operation(inbound))
}

fn operation<'c>(inbound: &Inbound) -> Result<Said<'c>, Outcome> {
    let segments: Vec<&str> = inbound.path.split('/').skip(4).collect();
    let id = |id: &str| percent_decode(id).ok_or(Outcome::UrlMalformed);
    let view = view(inbound);
    let base = view.base.clone();
    let documents = |documents: Vec<Value>| {
        let all = documents.len();
        page(all, 1, documents)
    };
    let says = |body: Value| Ok(Said::Handshake(rendered(StatusCode::OK, &body)));
    let operation = match (&inbound.method, segments.as_slice()) {
        (&Method::GET, ["Users"]) => list(inbound)?,
        (&Method::POST, [".search"] | ["Users", ".search"]) => return search(&inbound.body, base),
        (&Method::POST, ["Users"]) => Operation::Create(Person::read(&json(&inbound.body)?, true)?),
        (&Method::GET, ["Users", user]) => Operation::Look(id(user)?),
        (&Method::PUT, ["Users", user]) => Operation::Replace(id(user)?, Person::read(&json(&inbound.body)?, true)?),
        (&Method::PATCH, ["Users", user]) => Operation::Change(id(user)?, changes(&inbound.body)?),
        (&Method::DELETE, ["Users", user]) => Operation::Delete(id(user)?),
        (&Method::GET, ["ServiceProviderConfig"]) => return says(service_provider_config(&base)),
        (&Method::GET, ["ResourceTypes"]) => return says(documents(vec![resource_type(&base)])),
        (&Method::GET, ["ResourceTypes", "User"]) => return says(resource_type(&base)),
        (&Method::GET, ["Schemas"]) => return says(documents(schemas(&base))),
        (&Method::GET, ["Schemas", name]) => {
            let name = id(name)?;
            let found = schemas(&base).into_iter().find(|schema| schema["id"] == *name);
            return says(found.ok_or(Outcome::RouteUnknown)?);
        }
        (&Method::GET, ["ResourceTypes", _]) => return Err(Outcome::RouteUnknown),
        (_, ["Users"]) => return Err(Outcome::MethodNotAllowed { allow: "GET, POST" }),
        (_, ["Users", _]) => return Err(Outcome::MethodNotAllowed { allow: "GET, PUT, PATCH, DELETE" }),
        (_, ["ServiceProviderConfig"] | ["ResourceTypes"] | ["ResourceTypes", _] | ["Schemas"] | ["Schemas", _]) => {
            return Err(Outcome::MethodNotAllowed { allow: "GET" });
        }
        _ => return Err(Outcome::RouteUnknown),
    };
    Ok(Said::Directory(operation, view))
}

/// What is shown of what there is. This machine alone is spoken to without TLS.
fn view(inbound: &Inbound) -> View {
    let prefix: Vec<&str> = inbound.path.split('/').take(4).collect();
    let scheme = if is_loopback(&inbound.host) { "http" } else { "https" };
    let base = format!("{scheme}://{}{}", inbound.host, prefix.join("/"));
    // What is wrong with the query is said where it matters.
    let query = Fields::from_form(inbound.query.as_bytes()).ok();
    let list = |name| query.as_ref().and_then(|query| query.required(name).ok()).unwrap_or_default();
    View::of(base, list("attributes"), list("excludedAttributes"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    #[serde(default)]
    attributes: Vec<String>,
    #[serde(default)]
    excluded_attributes: Vec<String>,
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
}

/// The same as a GET, asked for in a body (RFC 7644, section 3.4.3).
fn search<'c>(body: &[u8], base: String) -> Result<Said<'c>, Outcome> {
    let Search { attributes, excluded_attributes, filter, start_index, count } = json(body)?;
    let filter = filter.filter(|filter| !filter.is_empty()).map(|filter| Filter::parse(&filter)).transpose()?;
    let (start, count) = range(start_index.unwrap_or(1), count.unwrap_or(100));
    let view = View::of(base, &attributes.join(","), &excluded_attributes.join(","));
    Ok(Said::Directory(Operation::List { filter, start, count }, view))
}

/// What is out of range is in it: RFC 7644, section 3.4.2.4.
fn range(start: i64, count: i64) -> (usize, usize) {
    (usize::try_from(start.max(1)).unwrap_or(1), usize::try_from(count.max(0)).unwrap_or(0).min(LARGEST_PAGE))
}

fn list(inbound: &Inbound) -> Result<Operation, Outcome> {
    let query = Fields::from_form(inbound.query.as_bytes())?;
    let number = |name: &'static str, default: i64| match query.required(name) {
        Err(_) => Ok(default),
        Ok(text) => text.parse::<i64>().map_err(|_| Outcome::FieldInvalid {
            name,
            given: text.to_owned(),
            expected: Words { english: "a number", chinese: "数字" },
        }),
    };
    let (start, count) = range(number("startIndex", 1)?, number("count", 100)?);
    let filter = match query.required("filter") {
        Err(_) => None,
        Ok(text) => Some(Filter::parse(text)?),
    };
    Ok(Operation::List { filter, start, count })
}

impl Filter {
    fn parse(text: &str) -> Result<Self, Outcome> {
        let wrong = || Outcome::FieldInvalid {
            name: "filter",
            given: text.to_owned(),
            expected: Words {
                english: "`userName eq \"…\"`, or the same with `externalId` or `id`",
                chinese: " `userName eq \"…\"`，或对 `externalId`、`id` 的同类条件",
            },
        };
        let (attribute, rest) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let (operator, value) = rest.trim_start().split_once(' ').ok_or_else(wrong)?;
        let value: String = serde_json::from_str(value.trim()).map_err(|_| wrong())?;
        if !operator.eq_ignore_ascii_case("eq") {
            return Err(wrong());
        }
        match plain_name(attribute).to_ascii_lowercase().as_str() {
            "username" => Ok(Self::UserName(value)),
            "externalid" => Ok(Self::ExternalId(value)),
            "id" => Ok(Self::Id(value)),
            _ => Err(wrong()),
        }
    }
}

/// Without the schema before it.
fn plain_name(name: &str) -> &str {
    let schema = name.get(..USER.len()).filter(|start| start.eq_ignore_ascii_case(USER));
    schema.and_then(|_| name.get(USER.len()..)).and_then(|rest| rest.strip_prefix(':')).unwrap_or(name)
}

fn wrong_value(name: &'static str, given: &Value, english: &'static str, chinese: &'static str) -> Outcome {
    Outcome::FieldInvalid { name, given: given.to_string(), expected: Words { english, chinese } }
}

/// The longest text of an attribute, in bytes.
const LONGEST: usize = 1024;

fn text(name: &'static str, value: &Value) -> Result<Value, Outcome> {
    match value {
        Value::String(text) if text.len() <= LONGEST && !text.chars().any(char::is_control) => Ok(value.clone()),
        other => Err(wrong_value(name, other, "a text of at most 1024 bytes", "不超过 1024 字节的文本")),
    }
}

/// `true`, `"False"`, `[{"value": "true"}]`.
fn flag(value: &Value) -> Result<bool, Outcome> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Value::Array(items) if items.len() == 1 => flag(items.first().unwrap_or(&Value::Null)),
        Value::Object(fields) if fields.len() == 1 => flag(fields.get("value").unwrap_or(&Value::Null)),
        other => Err(wrong_value("active", other, "`true` or `false`", " `true` 或 `false`")),
    }
}

/// The simple attributes, as the schema spells them.
const TEXTS: [&str; 3] = ["userName", "externalId", "displayName"];
/// Those of `name`.
const NAMES: [&str; 3] = ["formatted", "familyName", "givenName"];
/// Those of each of `emails`.
const EMAIL: [&str; 3] = ["value", "type", "primary"];

fn spelled(known: &[&'static str], given: &str) -> Option<&'static str> {
    known.iter().copied().find(|name| name.eq_ignore_ascii_case(given))
}

impl Person {
    /// Reads a resource. What the schema does not name is passed over (RFC 7644, section 3.3). A whole one needs `userName`.
    fn read(body: &Map<String, Value>, is_whole: bool) -> Result<Self, Outcome> {
        let mut person = Self { attributes: Map::new(), active: None };
        for (key, value) in body {
            person.set(std::slice::from_ref(key), value)?;
        }
        let has_name =
            person.attributes.get("userName").is_some_and(|name| name.as_str().is_some_and(|n| !n.is_empty()));
        if is_whole && !has_name { Err(Outcome::FieldMissing { name: "userName" }) } else { Ok(person) }
    }

    /// One that was kept.
    pub fn kept(resource: &str, active: bool) -> Option<Self> {
        Some(Self { attributes: serde_json::from_str(resource).ok()?, active: Some(active) })
    }

    /// The name that is theirs alone among the caller's people, in lowercase.
    pub fn user_name(&self) -> String {
        self.attributes.get("userName").and_then(Value::as_str).unwrap_or_default().to_lowercase()
    }

    /// What `[leavers]` may speak of.
    pub fn identity(&self, id: &str) -> Identity {
        let mut identity = Identity::from([("id".to_owned(), id.to_owned())]);
        let mut put = |name: &str, value: Option<&Value>| {
            if let Some(Value::String(text)) = value {
                identity.insert(name.to_owned(), text.clone());
            }
        };
        for name in TEXTS {
            put(name, self.attributes.get(name));
        }
        for name in NAMES {
            put(&format!("name.{name}"), self.attributes.get("name").and_then(|of| of.get(name)));
        }
        let emails = || self.attributes.get("emails").and_then(Value::as_array).into_iter().flatten();
        let primary =
            emails().find(|email| email.get("primary") == Some(&Value::Bool(true))).or_else(|| emails().next());
        put("email", primary.and_then(|email| email.get("value")));
        put("employeeNumber", self.attributes.get(ENTERPRISE).and_then(|of| of.get("employeeNumber")));
        identity
    }

    /// Sets what stands at this path.
    fn set(&mut self, path: &[String], value: &Value) -> Result<(), Outcome> {
        let [first, rest @ ..] = path else { return Ok(()) };
        let name = plain_name(first);
        if let Some((outer, inner)) = name.split_once('.').filter(|_| !name.contains(':')) {
            // `name.givenName` as one key, as Entra writes it.
            return self.set(&[&[outer.to_owned(), inner.to_owned()], rest].concat(), value);
        }
        if name.eq_ignore_ascii_case("active") {
            self.active = Some(flag(value)?);
        } else if let Some(name) = spelled(&TEXTS, name) {
            self.attributes.insert(name.into(), text(name, value)?);
        } else if name.eq_ignore_ascii_case("name") {
            self.set_inside("name", &NAMES, rest, value)?;
        } else if name.eq_ignore_ascii_case(ENTERPRISE) {
            self.set_inside(ENTERPRISE, &["employeeNumber"], rest, value)?;
        } else if name.eq_ignore_ascii_case("emails") {
            self.set_emails(rest, value)?;
        }
        Ok(())
    }

    fn set_inside(
        &mut self,
        outer: &'static str,
        known: &[&'static str],
        rest: &[String],
        value: &Value,
    ) -> Result<(), Outcome> {
        let given: Map<String, Value> = match (rest, value) {
            ([inner, ..], value) => Map::from_iter([(inner.clone(), value.clone())]),
            ([], Value::Object(fields)) => fields.clone(),
            ([], Value::Null) => return self.unset(outer),
            ([], other) => return Err(wrong_value(outer, other, "an object", "对象")),
        };
        let kept = self.attributes.entry(outer).or_insert_with(|| Value::Object(Map::new()));
        for (key, value) in &given {
            if let (Some(name), Some(kept)) = (spelled(known, key), kept.as_object_mut()) {
                kept.insert(name.into(), text(name, value)?);
            }
        }
        Ok(())
    }

    fn unset(&mut self, name: &str) -> Result<(), Outcome> {
        self.attributes.remove(name);
        Ok(())
    }

    /// All of them, or `emails[type eq "work"].value`.
    fn set_emails(&mut self, rest: &[String], value: &Value) -> Result<(), Outcome> {
        let email = |given: &Map<String, Value>| -> Result<Value, Outcome> {
            let mut kept = Map::new();
            for (key, value) in given {
                match spelled(&EMAIL, key) {
                    Some("primary") => kept.insert("primary".into(), flag(value)?.into()),
                    Some(name) => kept.insert(name.into(), text(name, value)?),
                    None => None,
                };
            }
            Ok(Value::Object(kept))
        };
        let wrong = || wrong_value("emails", value, "a list of objects with `value`", "含 `value` 的对象列表");
        let emails = match (rest, value) {
            ([], Value::Array(items)) if items.len() <= 20 => {
                items.iter().map(|item| email(item.as_object().ok_or_else(wrong)?)).collect::<Result<Vec<_>, _>>()?
            }
            ([], Value::Object(item)) => vec![email(item)?],
            ([], Value::Null) => return self.unset("emails"),
            ([kind, inner, ..], value) => {
                let mut emails = self.attributes.get("emails").and_then(Value::as_array).cloned().unwrap_or_default();
                let set = Map::from_iter([(inner.clone(), value.clone()), ("type".to_owned(), kind.as_str().into())]);
                let set = email(&set)?;
                let place = emails.iter_mut().find(|known| known.get("type").and_then(Value::as_str) == Some(kind));
                match (place.and_then(Value::as_object_mut), set) {
                    (Some(known), Value::Object(set)) => known.extend(set),
                    (_, set) => emails.push(set),
                }
                emails
            }
            _ => return Err(wrong()),
        };
        self.attributes.insert("emails".into(), emails.into());
        Ok(())
    }

    /// Applies a change.
    ///
    /// # Errors
    ///
    /// [`Outcome::FieldInvalid`], [`Outcome::FieldMissing`] when nothing would be left of `userName`.
    pub fn change(&mut self, change: &Change) -> Result<(), Outcome> {
        if !change.removes {
            return match (change.path.as_slice(), &change.value) {
                ([], Value::Object(fields)) => {
                    fields.iter().try_for_each(|(key, value)| self.set(&parse_path(key), value))
                }
                ([], other) => {
                    Err(wrong_value("value", other, "an object, where there is no `path`", "对象（无 `path` 时）"))
                }
                (path, value) => self.set(path, value),
            };
        }
        match change.path.as_slice() {
            [name] if name.eq_ignore_ascii_case("userName") => Err(Outcome::FieldMissing { name: "userName" }),
            [name] if name.eq_ignore_ascii_case("active") => Err(Outcome::FieldMissing { name: "active" }),
            [name] => {
                let found = self.attributes.keys().find(|known| known.eq_ignore_ascii_case(plain_name(name))).cloned();
                found.map_or(Ok(()), |name| self.unset(&name))
            }
            [outer, inner, ..] => {
                let known = self.attributes.keys().find(|known| known.eq_ignore_ascii_case(plain_name(outer))).cloned();
                let of = known.and_then(|known| self.attributes.get_mut(&known)).and_then(Value::as_object_mut);
                if let Some(of) = of {
                    of.retain(|name, _| !name.eq_ignore_ascii_case(inner));
                }
                Ok(())
            }
            [] => Err(Outcome::FieldMissing { name: "path" }),
        }
    }

    /// The resource, as it is shown.
    pub fn resource(&self, id: &str, view: &View, created_at: i64, changed_at: i64) -> Value {
        let mut resource = self.attributes.clone();
        let mut schemas = vec![USER];
        if resource.contains_key(ENTERPRISE) {
            schemas.push(ENTERPRISE);
        }
        resource.insert("schemas".into(), schemas.into());
        resource.insert("id".into(), id.into());
        resource.insert("active".into(), self.active.unwrap_or(true).into());
        let time = |millis| DateTime::from_timestamp_millis(millis).map(|time: DateTime<Utc>| time.to_rfc3339());
        resource.insert(
            "meta".into(),
            json!({
                "resourceType": "User",
                "created": time(created_at),
                "lastModified": time(changed_at),
                "location": format!("{}/Users/{id}", view.base),
            }),
        );
        view.of_resource(resource)
    }
}

#[derive(Deserialize)]
struct Patch {
    #[serde(alias = "operations")]
    #[serde(rename = "Operations")]
    operations: Vec<Op>,
}

#[derive(Deserialize)]
struct Op {
    op: String,
    path: Option<String>,
    #[serde(default)]
    value: Value,
}

fn changes(body: &[u8]) -> Result<Vec<Change>, Outcome> {
    let patch: Patch = json(body)?;
    let change = |Op { op, path, value }: Op| {
        let removes = match op.to_ascii_lowercase().as_str() {
            "add" | "replace" => false,
            "remove" => true,
            _ => {
                return Err(Outcome::FieldInvalid {
                    name: "op",
                    given: op,
                    expected: Words {
                        english: "`add`, `replace` or `remove`",
                        chinese: " `add`、`replace` 或 `remove`",
                    },
                });
            }
        };
        Ok(Change { removes, path: path.map(|path| parse_path(&path)).unwrap_or_default(), value })
    };
    patch.operations.into_iter().map(change).collect()
}

/// `name.givenName`, `emails[type eq "work"].value` (as `emails`, `work`, `value`), `urn:…:User:employeeNumber`.
fn parse_path(path: &str) -> Vec<String> {
    let path = plain_name(path.trim());
    if let Some(start) = path.get(..ENTERPRISE.len()).filter(|start| start.eq_ignore_ascii_case(ENTERPRISE)) {
        let rest = path.get(ENTERPRISE.len()..).and_then(|rest| rest.strip_prefix(':'));
        return [Some(start), rest].into_iter().flatten().map(str::to_owned).collect();
    }
    if let Some((outer, rest)) = path.split_once('[')
        && let Some((filter, after)) = rest.split_once(']')
    {
        let kind = filter.split('"').nth(1).unwrap_or_default();
        let inner = after.strip_prefix('.').unwrap_or("value");
        return [outer, kind, inner].map(str::to_owned).into();
    }
    path.split('.').map(str::to_owned).collect()
}

fn render(answer: &Answer<'_>) -> Rendered {
    let status = answer.outcome.status();
    let scim_type = match answer.outcome {
        Outcome::FieldInvalid { name: "filter", .. } => Some("invalidFilter"),
        Outcome::FieldInvalid { .. } | Outcome::FieldMissing { .. } => Some("invalidValue"),
        Outcome::BodyMalformed { .. } | Outcome::FieldDoubled { .. } => Some("invalidSyntax"),
        Outcome::PersonTaken { .. } => Some("uniqueness"),
        _ => None,
    };
    let mut body = json!({
        "schemas": [ERROR],
        "status": status.as_str(),
        "detail": answer.outcome.message(answer.language),
    });
    if let (Some(scim_type), Some(fields)) = (scim_type, body.as_object_mut()) {
        fields.insert("scimType".into(), scim_type.into());
    }
    rendered(status, &body)
}

/// An answer in SCIM's content type.
pub(crate) fn rendered(status: StatusCode, body: &Value) -> Rendered {
    Rendered::of(SCIM, status, body.to_string())
}

/// A page of resources.
pub(crate) fn page(all: usize, start: usize, resources: Vec<Value>) -> Value {
    json!({
        "schemas": [LIST],
        "totalResults": all,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

fn service_provider_config(base: &str) -> Value {
    let no = json!({"supported": false});
    json!({
        "schemas": [CONFIG],
        "documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": LARGEST_PAGE},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "Authorization: Bearer, with the secret that the operator gave",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig")},
    })
}

fn resource_type(base: &str) -> Value {
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "Somebody who may have accounts",
        "schema": USER,
        "schemaExtensions": [{"schema": ENTERPRISE, "required": false}],
        "meta": {"resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/User")},
    })
}

/// An attribute of the schema.
fn attribute(name: &str, kind: &str, description: &str) -> Value {
    let mut attribute = json!({
        "name": name,
        "type": kind,
        "multiValued": false,
        "description": description,
        "required": false,
        "mutability": "readWrite",
        "returned": "default",
    });
    if let (true, Some(fields)) = (kind == "string", attribute.as_object_mut()) {
        fields.insert("caseExact".into(), false.into());
        fields.insert("uniqueness".into(), "none".into());
    }
    attribute
}

fn with(mut attribute: Value, key: &str, value: Value) -> Value {
    if let Some(fields) = attribute.as_object_mut() {
        fields.insert(key.into(), value);
    }
    attribute
}

fn schemas(base: &str) -> Vec<Value> {
    let text = |name, description| attribute(name, "string", description);
    let names = NAMES.map(|name| text(name, "Part of the name"));
    let email = [
        text("value", "The address"),
        text("type", "What it is for"),
        attribute("primary", "boolean", "Whether it is the usual one"),
    ];
    let user_name =
        with(with(text("userName", "Theirs alone"), "required", true.into()), "uniqueness", "server".into());
    let emails = with(
        with(attribute("emails", "complex", "Addresses"), "multiValued", true.into()),
        "subAttributes",
        email.to_vec().into(),
    );
    let user = [
        user_name,
        with(attribute("name", "complex", "The name"), "subAttributes", names.to_vec().into()),
        text("displayName", "The name to show"),
        emails,
        with(
            attribute("active", "boolean", "Becomes false when somebody leaves, and their accounts are removed"),
            "required",
            true.into(),
        ),
    ];
    let schema = |id: &str, name: &str, description: &str, attributes: Vec<Value>| {
        json!({
            "schemas": [SCHEMA],
            "id": id,
            "name": name,
            "description": description,
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{id}")},
        })
    };
    vec![
        schema(USER, "User", "Somebody who may have accounts", user.to_vec()),
        schema(ENTERPRISE, "EnterpriseUser", "More of them", vec![text("employeeNumber", "Their number")]),
    ]
}
