//! The readers below the callers: tokens, signatures, forms, JSON, XML, searches.

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;
use starrocks_offboard::callers::kind::Verified;
use starrocks_offboard::callers::proof::Proof;
use starrocks_offboard::callers::{self, proof as headers};
use starrocks_offboard::crypto::jwks::KeySet;
use starrocks_offboard::crypto::jwt::{self, Expected};
use starrocks_offboard::crypto::sdk_hmac::{self, Message};
use starrocks_offboard::request::error::RequestError;
use starrocks_offboard::request::ids::DeliveryId;
use starrocks_offboard::request::inbound::Inbound;
use starrocks_offboard::request::removal_query::{LARGEST, ListFormat, PARAMETERS, RemovalQuery};
use starrocks_offboard::request::strict::{self, Fields};
use starrocks_offboard::secret;
use support::memory::Memory;

use crate::kinds::{self, NOW, OFFBOARD, POLICY, SCHEMA};
use crate::stories::{self, PORTAL, SECRETS};
use crate::watched::{self, Script, World};
use crate::{proof, wire};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).expect("it is a time")
}

/// A token as it came; or header and claims with an empty line between them, which the harness signs.
pub fn token(data: &[u8]) {
    let [way, text @ ..] = data else { return };
    let kind = kinds::kind(22);
    let keys = kind.published.values().next().expect("the fixture has keys");
    let keys = KeySet::parse(keys.as_bytes()).expect("they are good");
    let audiences = ["starrocks-offboard".to_owned(), "another".to_owned()];
    let expected = Expected {
        issuer: "https://login.example.com/realms/staff",
        audiences: &audiences,
        authorized_party: (way & 4 != 0).then_some("portal"),
        groups: (way & 2 != 0).then_some("groups"),
    };
    let token = if way & 1 == 0 {
        let Ok(token) = std::str::from_utf8(text) else { return };
        token.to_owned()
    } else {
        let (header, claims) = match wire::find(text, b"\n\n") {
            Some(at) => (&text[..at], &text[at + 2..]),
            None => (&br#"{"alg":"EdDSA","kid":"ed"}"#[..], text),
        };
        let key = kind.secret.get("key").and_then(toml::Value::as_str).and_then(proof::seed);
        proof::token_of(&key.expect("the fixture has a key"), header, claims)
    };
    let peeked = jwt::peek(&token);
    let verified = jwt::verify(&token, &keys, &expected, now());
    let proved = jwt::proved(&token, &keys, &expected, now());
    if let Ok(claims) = &verified {
        let all = proved.as_ref().expect("what is verified is proved");
        assert_eq!(peeked.map(|peek| peek.issuer).as_deref(), Some(expected.issuer));
        assert_eq!(all.get("sub").and_then(Json::as_str), Some(claims.subject.as_str()));
        assert!(!claims.subject.is_empty() && claims.subject.len() <= 255);
    }
    if let Ok(all) = &proved {
        assert!(token.len() <= jwt::LONGEST_TOKEN);
        assert_eq!(all.get("iss").and_then(Json::as_str), Some(expected.issuer));
        let is_meant = |aud: &Json| aud.as_str().is_some_and(|aud| audiences.iter().any(|known| known == aud));
        let aud = all.get("aud").expect("a token is for an audience");
        assert!(is_meant(aud) || aud.as_array().is_some_and(|list| list.iter().any(is_meant)), "{all:?}");
        let exp = all.get("exp").and_then(Json::as_f64).expect("a token has an end");
        assert!(exp > NOW as f64, "{all:?}");
        for name in ["nbf", "iat"] {
            assert!(all.get(name).is_none_or(|at| at.as_f64().is_some_and(|at| at <= NOW as f64 + 60.001)), "{all:?}");
        }
        // What is signed is what was proved: the payload has no second reading.
        let payload = token.split('.').nth(1).expect("three parts");
        let again = token.replacen(payload, &format!("{payload}A"), 1);
        assert!(jwt::proved(&again, &keys, &expected, now()).is_err());
    }
}

/// An `Authorization` value, then a request.
pub fn signature(data: &[u8]) {
    let [way, text @ ..] = data else { return };
    match way % 3 {
        0 => {
            let Ok(text) = std::str::from_utf8(text) else { return };
            let Ok(parsed) = sdk_hmac::parse_authorization(text) else { return };
            let written = |comma: &str| {
                let names = parsed.signed_headers.join(";");
                let signature = hex::encode(parsed.signature);
                let (algorithm, access) = (sdk_hmac::ALGORITHM, parsed.access);
                format!("{algorithm} Access={access}{comma}SignedHeaders={names}{comma}Signature={signature}")
            };
            let plain = |text: &str| text.replace(", ", ",");
            assert_eq!(plain(&written(",")), plain(text), "it says something else than what was read");
        }
        1 => {
            let Some(mut inbound) = wire::inbound(text) else { return };
            if signed_by_the_component(&mut inbound).is_some() {
                covers(&inbound);
            }
        }
        _ => {
            // RFC 9421, with whatever the fields say.
            let Some(inbound) = wire::inbound(text) else { return };
            let kind = kinds::kind(23);
            let of = callers::kind("http-signature").expect("it is a kind");
            let Some(caller) = kind.config.callers().next() else { return };
            let mut keys = headers::VerificationKeys::default();
            for key in &caller.keys {
                let parts = key.variables.iter().filter_map(|(part, variable)| {
                    let value = kind.variables.get(variable)?.clone();
                    Some((*part, secret::Secret::new(value)?))
                });
                keys.secrets.extend(headers::ActiveSecret::new(key.id.clone(), parts.collect()));
            }
            if let Ok(proof) = of.verify(&inbound, caller, &keys, now()) {
                for change in changes(&inbound) {
                    let other = of.verify(&change, caller, &keys, now());
                    let same = other.is_ok_and(|other| other.delivery == proof.delivery);
                    assert!(!same, "{inbound:?} and {change:?} are one delivery");
                }
            }
        }
    }
}

/// Signs with the component's own signer, which is what is held to its verifier here; `None` for what it does not sign.
fn signed_by_the_component(inbound: &mut Inbound) -> Option<()> {
    let date = sdk_hmac::sdk_date(now());
    proof::set(inbound, sdk_hmac::SDK_DATE, &date);
    inbound.headers.remove("authorization");
    let message = Message {
        method: inbound.method.as_str(),
        path: &inbound.path,
        query: &inbound.query,
        headers: &inbound.headers,
        host: &inbound.host,
        body: &inbound.body,
    };
    let authorization = sdk_hmac::sign(&message, "AK", b"secret", &date).ok()?;
    proof::set(inbound, "authorization", &authorization);
    Some(())
}

/// The same request, but for one thing.
fn changes(inbound: &Inbound) -> Vec<Inbound> {
    vec![
        Inbound {
            method: Method::from_bytes(format!("{}X", inbound.method).as_bytes()).expect("a method"),
            ..inbound.clone()
        },
        Inbound { path: format!("{}x", inbound.path), ..inbound.clone() },
        Inbound { query: format!("{}&x=1", inbound.query), ..inbound.clone() },
        Inbound { body: [&inbound.body[..], b"x"].concat().into(), ..inbound.clone() },
    ]
}

/// What an SDK signs, a verifier takes; and nothing that differs from it.
fn covers(inbound: &Inbound) {
    let read = |inbound: &Inbound| {
        let authorization = inbound.headers.get("authorization")?.to_str().ok()?.to_owned();
        let method = inbound.method.clone();
        let message = Message {
            method: method.as_str(),
            path: &inbound.path,
            query: &inbound.query,
            headers: &inbound.headers,
            host: &inbound.host,
            body: &inbound.body,
        };
        let parsed = sdk_hmac::parse_authorization(&authorization).ok()?;
        sdk_hmac::verify(&message, &parsed, b"secret").ok()
    };
    let verified = read(inbound).unwrap_or_else(|| panic!("signed, and not taken: {inbound:?}"));
    assert_eq!(verified.date, now());
    for change in changes(inbound) {
        assert_eq!(read(&change), None, "{change:?}");
    }
    let other = Inbound { host: "elsewhere".into(), ..inbound.clone() };
    assert_eq!(read(&other), None, "{other:?}");
}

/// JSON, forms, queries, numbers, percent-encoding, XML.
pub fn strict(data: &[u8]) {
    let [way, text @ ..] = data else { return };
    match way % 4 {
        0 => {
            let strictly = strict::json::<Json>(text);
            match (strictly, serde_json::from_slice::<Json>(text)) {
                (Ok(strictly), Ok(plain)) => assert_eq!(strictly, plain),
                (Ok(strictly), Err(why)) => panic!("not JSON ({why}), and read as {strictly}"),
                // The same, but for a key that stands twice: written without it, it is taken.
                (Err(RequestError::FieldDoubled { .. }), Ok(plain)) => {
                    // As it is written then, a number may be read as its neighbour.
                    let once = plain.to_string();
                    let plain = serde_json::from_str(&once).ok();
                    assert_eq!(strict::json::<Json>(once.as_bytes()).ok(), plain);
                }
                (Err(error), Ok(plain)) => panic!("JSON, and refused with {error:?}: {plain}"),
                (Err(_), Err(_)) => {}
            }
        }
        1 => {
            for lists in [&[][..], &["user_mentions"]] {
                let Ok(fields) = Fields::from_form_with_lists(text, lists) else { continue };
                let names: Vec<&str> = fields.names().collect();
                let mut once = names.clone();
                once.sort_unstable();
                once.dedup();
                assert_eq!(once.len(), names.len(), "a name stands twice");
                assert!(lists.iter().all(|list| !names.contains(list)));
            }
        }
        2 => {
            let Ok(text) = std::str::from_utf8(text) else { return };
            let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            assert_eq!(strict::percent_decode(&encoded).as_deref(), Some(text));
            if let Some(decoded) = strict::percent_decode(text) {
                let lenient = percent_encoding::percent_decode_str(text).decode_utf8().ok();
                assert_eq!(lenient.as_deref(), Some(decoded.as_str()));
            }
            if let Some(seconds) = strict::unix_seconds(text) {
                assert_eq!(seconds.to_string(), text);
            }
            let query = Fields::from_query(text);
            assert!(query.is_ok() || !text.is_empty());
        }
        _ => {
            // The XML that an app of WeCom's gets, decrypted.
            let kind = kinds::kind(7);
            let of = callers::kind("wecom").expect("it is a kind");
            let Some(caller) = kind.config.callers().next() else { return };
            let proof = Proof { plain: Some(text.to_vec().into()), ..Proof::of(DeliveryId::new(caller, &[b"d"])) };
            let inbound = wire::inbound(b"POST /hooks/wecom\n\n").expect("it is a request");
            let parsed = of.parse(Verified { inbound: &inbound, proof: &proof, caller }, &kind.config);
            if parsed.sender().is_some() {
                assert!(text.contains(&b'<'), "no person is named");
            }
        }
    }
}

/// A ledger with six rows about three accounts on two instances.
fn ledger_of_six() -> Memory {
    let memory = stories::memory();
    for row in 0..6 {
        let (state, instance) = if row % 2 == 0 { ("removed", "analytics") } else { ("denied", "warehouse") };
        let values = rusqlite::params![
            format!("{row:032x}"),
            state,
            (NOW - 100 + row) * 1000,
            instance,
            ["alice", "bob", "=1+1"][usize::try_from(row % 3).unwrap_or_default()],
        ];
        let sql =
            "INSERT INTO removals (id, state, asked_at, actor, caller, kind, instance, user_name, policies, attempts)
            VALUES (?1, ?2, ?3, 'slack/U2CERLKJA', 'slack', 'slack', ?4, ?5, 'p', 1)";
        memory.database.sqlite().execute(sql, values).expect("the table is there");
    }
    memory
}

/// The rows of a page in this form; none of CSV, which is looked at as text.
fn shown(form: ListFormat, text: &str) -> Vec<Json> {
    match form {
        ListFormat::Json => {
            let body: Json = serde_json::from_str(text).expect("it is JSON");
            body["removals"].as_array().cloned().expect("a list")
        }
        ListFormat::Lines => text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect(),
        ListFormat::Csv => {
            assert!(text.split("\r\n").skip(1).all(|line| line.is_empty() || line.starts_with('"')), "{text}");
            assert!(!text.contains("\"=1+1"), "a formula: {text}");
            Vec::new()
        }
    }
}

/// Asserts that the row is what the query asks for.
fn is_wanted(row: &Json, parsed: &RemovalQuery) {
    let is =
        |name: &str, wanted: &Option<String>| wanted.as_deref().is_none_or(|wanted| row[name].as_str() == Some(wanted));
    let found = is("instance", &parsed.instance)
        && is("user_name", &parsed.user_name)
        && is("actor", &parsed.actor)
        && is("state", &parsed.state.map(|state| state.as_str().to_owned()));
    assert!(found, "{row} is not what {parsed:?} wants");
    let at = row["asked_at"].as_str().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    let at = at.expect("a time").timestamp_millis();
    assert!(parsed.since.is_none_or(|since| at >= since) && parsed.until.is_none_or(|until| at < until));
    let older = |cursor: &String| row["id"].as_str().is_some_and(|id| id < cursor.as_str());
    assert!(parsed.cursor.as_ref().is_none_or(older), "{row}");
}

/// `Accept`, a line break, and the query of `GET /removals`.
pub fn search(data: &[u8]) {
    let (accept, query) = match wire::find(data, b"\n") {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (&b""[..], data),
    };
    let Ok(query) = std::str::from_utf8(query) else { return };
    let mut headers = HeaderMap::new();
    if let (false, Ok(value)) = (accept.is_empty(), HeaderValue::from_bytes(accept)) {
        headers.insert(http::header::ACCEPT, value);
    }
    let form = ListFormat::accepted(&headers);
    let parsed = Fields::from_query(query).and_then(|fields| {
        let parsed = RemovalQuery::parse(&fields);
        let known = fields.names().all(|name| PARAMETERS.contains(&name));
        assert!(known || parsed.is_err(), "an unknown parameter is passed over: {query}");
        parsed
    });
    if let Ok(parsed) = &parsed {
        assert!((1..=LARGEST).contains(&parsed.limit), "{parsed:?}");
    }
    let target = format!("/removals?{query}");
    let inbound = wire::inbound(format!("GET {target}\n\n").as_bytes()).filter(|inbound| inbound.query == query);
    let Some(mut inbound) = inbound else { return };
    inbound
        .headers
        .extend(headers.into_iter().filter_map(|(name, value)| Some((name?, value))).collect::<Vec<(HeaderName, _)>>());
    if proof::access_key(PORTAL[0], stories::SECRETS[3], NOW, &mut inbound).is_none()
        || SECRETS.iter().any(|secret| query.contains(secret))
    {
        return;
    }
    let memory = ledger_of_six();
    let world = World::new(memory, &SECRETS);
    let app = watched::app(OFFBOARD, POLICY, SCHEMA);
    let answer = watched::run(watched::ask(&world, Ok(&app), inbound, 20, Script::default()));
    let answer = answer.expect("an answer");
    match (&parsed, &form) {
        (Ok(parsed), Ok(form)) => {
            assert_eq!(answer.status(), 200, "{answer:?}");
            let text = String::from_utf8(answer.body().to_vec()).expect("it is text");
            let rows = shown(*form, &text);
            assert!(rows.len() <= usize::from(parsed.limit));
            rows.iter().for_each(|row| is_wanted(row, parsed));
        }
        _ => assert!(answer.status().is_client_error(), "{answer:?}"),
    }
    watched::keep(OFFBOARD, POLICY, SCHEMA, app);
    world.end();
}
