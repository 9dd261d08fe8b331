//! SDK-HMAC-SHA256 beside the signer of Huawei Cloud's own SDK for Python.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use starrocks_offboard::callers;
use starrocks_offboard::callers::proof::{ActiveSecret, VerificationKeys};
use starrocks_offboard::config::callers::Caller;
use starrocks_offboard::crypto::sdk_hmac::{self, Authorization, Message, SignatureError, parse_authorization};
use starrocks_offboard::request::inbound::Inbound;
use starrocks_offboard::secret::Secret;

use crate::callers::differential::shared::{Dice, Python, cases};

const PIECES: [&str; 34] = [
    "a", "Z", "m", "0", "9", "-", ".", "_", "~", " ", "%", "+", "=", "&", "?", "#", "*", "'", "(", ")", "!", "@", ":",
    ";", ",", "$", "\"", "\\", "é", "用户", "😀", "%2F", "%20", "\u{a0}",
];

/// What a header's value is made of; what stands at its ends is white space to Python, some of it not to HTTP.
const VALUES: [&str; 14] =
    ["a", "B", "7", " ", "  ", "\t", ";q=0.5", ", ", "\"x\"", "é", "用", "😀", "\u{a0}", "\u{3000}"];

/// What a client that uses the SDK wants to send.
#[derive(Debug, Clone)]
struct Wanted {
    method: String,
    /// As it is sent.
    path: String,
    /// A value is a text, a list of texts, or true or false.
    query: Vec<(String, Value)>,
    headers: Vec<(String, String)>,
    host: String,
    body: Vec<u8>,
    access_key: String,
    secret_key: String,
}

impl Wanted {
    fn random(dice: &mut Dice) -> Self {
        let path = if dice.one_in(4) { documented(dice) } else { random_path(dice) };
        let mut query = Vec::new();
        for _ in 0..dice.below(6) {
            let name = dice.pick(&PIECES).to_owned() + &dice.text(&PIECES, 5);
            // A name stands again, in Python either as a list or as a second pair.
            match dice.below(10) {
                0 if query.iter().all(|(known, _)| *known != name) => {
                    let values: Vec<_> = (0..dice.below(4)).map(|_| dice.text(&PIECES, 3)).collect();
                    query.push((name, json!(values)));
                }
                1 if query.iter().all(|(known, _)| *known != name) => query.push((name, json!(dice.one_in(2)))),
                2 => {
                    let texts: Vec<_> = query.iter().filter(|(_, value)| value.is_string()).cloned().collect();
                    if let Some((name, _)) = texts.first() {
                        query.push((name.clone(), json!(dice.text(&PIECES, 6))));
                    }
                }
                3 => query.push((name, json!(""))),
                _ if query.iter().all(|(known, value)| *known != name || value.is_string()) => {
                    query.push((name, json!(dice.text(&PIECES, 6))));
                }
                _ => {}
            }
        }
        // Two values of one name are to be of one kind, or Python cannot sort them.
        let names: Vec<_> =
            query.iter().filter(|(_, value)| !value.is_string()).map(|(name, _)| name.clone()).collect();
        query.retain(|(name, value)| !value.is_string() || !names.contains(name));

        let host =
            dice.pick(&["gaussdb.cn-north-4.myhuaweicloud.com", "localhost", "127.0.0.1", "[::1]", "Example.COM"]);
        let port = dice.pick(&["", "", ":443", ":8080"]);
        let host = format!("{host}{port}");
        let date = format!(
            "202{}0{}1{}T0{}3{}4{}Z",
            dice.below(7),
            dice.below(9) + 1,
            dice.below(10),
            dice.below(10),
            dice.below(10),
            dice.below(10)
        );
        let mut headers = vec![(odd_case(dice, "X-Sdk-Date"), date)];
        if dice.one_in(5) {
            headers.push((odd_case(dice, "Host"), host.clone()));
        }
        if dice.one_in(2) {
            let media_type = dice.pick(&["application/json", "application/json;charset=UTF-8", "application/bson"]);
            headers.push(("Content-Type".into(), media_type.into()));
        }
        for number in 0..dice.below(6) {
            let name =
                dice.pick(&["X-Project-Id", "x-language", "User-Agent", "X_Under_Score", "Accept", "X-!#$%&'*.^`|~"]);
            let value = dice.text(&VALUES, 6);
            headers.push((odd_case(dice, &format!("{name}{number}")), value));
        }
        dice.shuffle(&mut headers);
        let length = dice.pick(&[0, 0, 1, 17, 200]);
        Self {
            method: dice.pick(&["GET", "DELETE", "PUT", "POST", "PATCH", "HEAD", "OPTIONS", "PURGE"]).into(),
            path,
            query,
            headers,
            host,
            body: dice.bytes(length),
            access_key: format!("AK{}", dice.text(&["A", "z", "0", "-", "_", "=", "/", "+", ";", "%"], 20)),
            secret_key: format!("{}s", dice.text(&PIECES, 40)),
        }
    }

    fn case(&self) -> Value {
        json!({
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "host": self.host,
            "body": STANDARD.encode(&self.body),
            "access_key": self.access_key,
            "secret_key": self.secret_key,
        })
    }

    /// What the query says, every value by itself.
    fn parameters(&self) -> Vec<(String, String)> {
        let texts = |value: &Value| match value {
            Value::String(text) => vec![text.clone()],
            Value::Array(list) => list.iter().map(|text| text.as_str().unwrap().to_owned()).collect(),
            other => vec![other.to_string()],
        };
        let pairs = |(name, value): &(String, Value)| {
            let name = name.clone();
            texts(value).into_iter().map(move |text| (name.clone(), text))
        };
        self.query.iter().flat_map(pairs).collect()
    }
}

fn documented(dice: &mut Dice) -> String {
    let users = dice.pick(&["users", "user"]);
    format!("/v3/{}/instances/{}in17/starrocks/{users}", hex::encode(dice.bytes(16)), hex::encode(dice.bytes(16)))
}

fn random_path(dice: &mut Dice) -> String {
    let segments: String = (0..dice.below(6))
        .map(|_| {
            let text = dice.text(&PIECES, 6);
            format!("/{}", spelled(dice, &text, "!$&'()*+,;=:@"))
        })
        .collect();
    let end = if segments.is_empty() || dice.one_in(8) { "/" } else { "" };
    segments + end
}

fn odd_case(dice: &mut Dice, name: &str) -> String {
    let odd = |letter: char| if dice.one_in(2) { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
    name.chars().map(odd).collect()
}

/// Percent-encoded in one of the ways that mean the same; `bare` may stay as they are.
fn spelled(dice: &mut Dice, text: &str, bare: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        let character = char::from(byte);
        let unreserved = character.is_ascii_alphanumeric() || "-._~".contains(character);
        if (unreserved && !dice.one_in(10)) || (bare.contains(character) && dice.one_in(2)) {
            written.push(character);
        } else if dice.one_in(3) {
            written += &format!("%{byte:02x}");
        } else {
            written += &format!("%{byte:02X}");
        }
    }
    written
}

/// A request as it arrives.
#[derive(Debug, Clone)]
struct Arrived {
    method: String,
    path: String,
    query: String,
    /// With `Authorization`, and `Host` only where the client wrote it among them.
    headers: HeaderMap,
    host: String,
    body: Vec<u8>,
}

impl Arrived {
    /// What the SDK made of it, and HTTP's own freedom: white space around values.
    fn new(dice: &mut Dice, wanted: &Wanted, signed: &Value) -> Self {
        let mut headers = HeaderMap::new();
        for pair in signed["headers"].as_array().unwrap() {
            let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            let latin1: Vec<u8> = value.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
            let around = |dice: &mut Dice| dice.pick(&["", "", " ", "\t ", "   "]).as_bytes();
            let spaced = match name.to_ascii_lowercase().as_str() {
                "authorization" | "host" => latin1,
                _ => [around(dice), &latin1, around(dice)].concat(),
            };
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(&spaced).unwrap());
        }
        let uri = signed["uri"].as_str().unwrap();
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        Self {
            method: wanted.method.clone(),
            path: path.into(),
            query: query.into(),
            headers,
            host: wanted.host.clone(),
            body: wanted.body.clone(),
        }
    }

    fn message(&self) -> Message<'_> {
        Message {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            host: &self.host,
            body: &self.body,
        }
    }

    fn authorization(&self) -> &str {
        self.headers["authorization"].to_str().unwrap()
    }

    fn set(&mut self, name: &str, value: &str) {
        self.headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }

    /// A signed header that is neither the host nor the date.
    fn any_signed(&self, dice: &mut Dice) -> Option<String> {
        let names = parse_authorization(self.authorization()).unwrap().signed_headers;
        let names: Vec<_> = names.into_iter().filter(|name| !["host", sdk_hmac::SDK_DATE].contains(name)).collect();
        (!names.is_empty()).then(|| dice.pick(&names).to_owned())
    }

    fn verify(&self, secret_key: &str) -> Result<sdk_hmac::Verified, SignatureError> {
        let authorization = parse_authorization(self.authorization())?;
        sdk_hmac::verify(&self.message(), &authorization, secret_key.as_bytes())
    }

    /// To the `api` kind: the access key that it proves.
    fn heard(&self, wanted: &Wanted, date: chrono::DateTime<chrono::Utc>) -> Option<String> {
        let secret = Secret::new(wanted.secret_key.clone()).unwrap();
        let key = ActiveSecret::new(Some(wanted.access_key.clone()), vec![("secret", secret)]).unwrap();
        let inbound = Inbound {
            method: Method::from_bytes(self.method.as_bytes()).unwrap(),
            path: self.path.clone(),
            query: self.query.clone(),
            host: self.host.clone(),
            headers: self.headers.clone(),
            body: Bytes::from(self.body.clone()),
        };
        let keys = VerificationKeys { secrets: vec![key], published: None };
        let kind = callers::kind("api").unwrap();
        kind.verify(&inbound, &Caller::new("portal", "api"), &keys, date).unwrap().key_id
    }
}

/// A change that we have to notice, or not to; `None` when there is nothing to change.
type Alteration = fn(&mut Dice, &mut Arrived, &mut String) -> Option<Result<(), SignatureError>>;

const MISMATCH: Option<Result<(), SignatureError>> = Some(Err(SignatureError::Mismatch));

const ALTERATIONS: [(&str, Alteration); 28] = [
    ("another method", |_, request, _| {
        request.method.push('X');
        MISMATCH
    }),
    ("a longer path", |_, request, _| {
        request.path.push('x');
        MISMATCH
    }),
    ("one more segment", |_, request, _| {
        request.path.insert_str(0, "/x");
        MISMATCH
    }),
    // The signature says nothing about it.
    ("a slash at the end", |_, request, _| {
        let ends = request.path.ends_with('/');
        request.path.push('/');
        (!ends).then_some(Ok(()))
    }),
    ("half an escape in the path", |dice, request, _| {
        request.path += dice.pick(&["%", "%4", "%zz", "%+1"]);
        Some(Err(SignatureError::PercentEncoding("path")))
    }),
    ("an encoded slash", |dice, request, _| {
        request.path += dice.pick(&["%2F", "%2f"]);
        Some(Err(SignatureError::EncodedSlash))
    }),
    ("one more parameter", |dice, request, _| {
        let more = dice.pick(&["zz", "zz=", "zz=1", "0=", "%00=%00"]);
        request.query = [more, request.query.as_str()].join(if request.query.is_empty() { "" } else { "&" });
        MISMATCH
    }),
    ("a parameter twice", |dice, request, _| {
        let parameters: Vec<_> = request.query.split('&').map(str::to_owned).collect();
        request.query += &format!("&{}", dice.pick(&parameters));
        (!parameters[0].is_empty()).then_some(Err(SignatureError::Mismatch))
    }),
    ("one parameter less", |dice, request, _| {
        let mut parameters: Vec<_> = request.query.split('&').map(str::to_owned).collect();
        parameters.remove(dice.below(parameters.len()));
        let changed = !request.query.is_empty();
        request.query = parameters.join("&");
        changed.then_some(Err(SignatureError::Mismatch))
    }),
    ("a longer value", |_, request, _| {
        let changed = !request.query.is_empty();
        request.query.push('x');
        changed.then_some(Err(SignatureError::Mismatch))
    }),
    ("a space as a plus", |_, request, _| {
        let changed = request.query.contains("%20");
        request.query = request.query.replacen("%20", "+", 1);
        changed.then_some(Err(SignatureError::Plus))
    }),
    ("a parameter without a name", |dice, request, _| {
        request.query += dice.pick(&["&", "&=x", "&&"]);
        Some(Err(SignatureError::NamelessParameter))
    }),
    ("half an escape in the query", |dice, request, _| {
        let more = dice.pick(&["a=%", "a=%4", "%zz=1"]);
        request.query = [request.query.as_str(), more].join(if request.query.is_empty() { "" } else { "&" });
        Some(Err(SignatureError::PercentEncoding("query")))
    }),
    ("a longer header", |dice, request, _| {
        let name = request.any_signed(dice)?;
        let longer = [request.headers[&name].as_bytes(), b"x"].concat();
        request
            .headers
            .insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(&longer).unwrap());
        MISMATCH
    }),
    ("a header less", |dice, request, _| {
        let name = request.any_signed(dice)?;
        request.headers.remove(&name);
        Some(Err(SignatureError::Missing(name)))
    }),
    ("a header twice", |dice, request, _| {
        let name = request.any_signed(dice)?;
        let value = request.headers[&name].clone();
        request.headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        Some(Err(SignatureError::Doubled(name)))
    }),
    ("an unsigned header more", |_, request, _| {
        request.set("x-unsigned", "1");
        request.set("x_under_score", "1");
        Some(Ok(()))
    }),
    ("another host", |_, request, _| {
        request.host.insert(0, 'x');
        let doubled = SignatureError::Doubled("host".into());
        Some(Err(if request.headers.contains_key("host") { doubled } else { SignatureError::Mismatch }))
    }),
    ("another body", |dice, request, _| {
        match request.body.len() {
            0 => request.body.push(b' '),
            length => request.body[dice.below(length)] ^= 1,
        }
        MISMATCH
    }),
    ("a longer body", |_, request, _| {
        request.body.push(0);
        MISMATCH
    }),
    ("another date", |_, request, _| {
        request.set(sdk_hmac::SDK_DATE, "20190101T000000Z");
        MISMATCH
    }),
    ("no date", |_, request, _| {
        request.headers.remove(sdk_hmac::SDK_DATE);
        Some(Err(SignatureError::Missing(sdk_hmac::SDK_DATE.into())))
    }),
    ("what is no date", |dice, request, _| {
        request.set(sdk_hmac::SDK_DATE, dice.pick(&["20190101T000060Z", "20190229T000000Z", "20190101000000", "x"]));
        Some(Err(SignatureError::Date))
    }),
    ("another digit of the signature", |dice, request, _| {
        let mut text = request.authorization().to_owned();
        let at = text.len() - 1 - dice.below(64);
        let other = if &text[at..=at] == "0" { "1" } else { "0" };
        text.replace_range(at..=at, other);
        request.set("authorization", &text);
        MISMATCH
    }),
    ("a name less in SignedHeaders", |dice, request, _| {
        let name = request.any_signed(dice)?;
        let Authorization { access, mut signed_headers, signature } =
            parse_authorization(request.authorization()).unwrap();
        signed_headers.retain(|known| *known != name);
        let (names, signature) = (signed_headers.join(";"), hex::encode(signature));
        let text = format!("{} Access={access}, SignedHeaders={names}, Signature={signature}", sdk_hmac::ALGORITHM);
        request.set("authorization", &text);
        MISMATCH
    }),
    ("no host in SignedHeaders", |_, request, _| {
        let text = request.authorization().replace("host;", "");
        request.set("authorization", &text);
        Some(Err(SignatureError::NotCovered("host")))
    }),
    ("another secret key", |_, _, secret_key| {
        secret_key.push('x');
        MISMATCH
    }),
    ("no secret key", |_, _, secret_key| {
        secret_key.clear();
        Some(Err(SignatureError::EmptySecret))
    }),
];

#[test]
fn what_the_sdk_signs_we_take_and_sign_in_the_same_way() {
    let dice = &mut Dice::of("requests");
    let wanted: Vec<_> = (0..cases(10_000)).map(|_| Wanted::random(dice)).collect();
    let signed = Python::ask("sdk_sign", &wanted.iter().map(Wanted::case).collect::<Vec<_>>());
    let mut altered = [0; ALTERATIONS.len()];
    for (number, (wanted, signed)) in wanted.iter().zip(&signed).enumerate() {
        let request = Arrived::new(dice, wanted, signed);
        let verified =
            request.verify(&wanted.secret_key).unwrap_or_else(|error| panic!("{error}\n{wanted:?}\n{signed}"));
        let date = sdk_hmac::sdk_date(verified.date);
        let again = sdk_hmac::sign(&request.message(), &wanted.access_key, wanted.secret_key.as_bytes(), &date);
        assert_eq!(again.as_deref(), Ok(request.authorization()), "{wanted:?}");
        assert_eq!(request.heard(wanted, verified.date).as_ref(), Some(&wanted.access_key), "{wanted:?}");

        // The same query, as another client would write it.
        let mut parameters = wanted.parameters();
        dice.shuffle(&mut parameters);
        let mut query = Vec::new();
        for (name, value) in &parameters {
            let (name, written) = (spelled(dice, name, "!$'()*,;:@/?"), spelled(dice, value, "!$'()*,;:@/?="));
            query.push(if value.is_empty() && dice.one_in(2) { name } else { format!("{name}={written}") });
        }
        let otherwise = Arrived { query: query.join("&"), ..request.clone() };
        assert_eq!(otherwise.verify(&wanted.secret_key).as_ref(), Ok(&verified), "{}\n{wanted:?}", otherwise.query);

        let place = number % ALTERATIONS.len();
        let (name, alter) = ALTERATIONS[place];
        let (mut other, mut secret_key) = (request, wanted.secret_key.clone());
        if let Some(expected) = alter(dice, &mut other, &mut secret_key) {
            altered[place] += 1;
            assert_eq!(other.verify(&secret_key).map(|_| ()), expected, "{name}\n{other:?}\n{wanted:?}");
        }
    }
    for (count, (name, _)) in altered.iter().zip(ALTERATIONS) {
        assert!(*count * ALTERATIONS.len() * 10 >= wanted.len(), "{name}: only {count} of {}", wanted.len());
    }
}

/// What the SDK signs and we do not take: `sign`'s module documentation says why. None of it is anything that a client of the
/// documented call sends.
#[test]
fn what_the_sdk_signs_and_we_refuse_on_purpose() {
    type Odd = fn(&mut Wanted);
    let odd: [(&str, Odd, SignatureError); 10] = [
        ("an encoded slash", |wanted| wanted.path += "/a%2Fb", SignatureError::EncodedSlash),
        ("half an escape", |wanted| wanted.path += "/%zz", SignatureError::PercentEncoding("path")),
        // Python signs U+FFFD in its place, so that many paths have one signature.
        ("a path that is not UTF-8", |wanted| wanted.path += "/%FF", SignatureError::Mismatch),
        (
            "a parameter without a name",
            |wanted| wanted.query = vec![(String::new(), json!("x"))],
            SignatureError::NamelessParameter,
        ),
        (
            "a body of another type, which the SDK leaves unsigned",
            |wanted| {
                wanted.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                wanted.headers.push(("Content-Type".into(), "text/plain".into()));
                wanted.body = b"x".to_vec();
            },
            SignatureError::Mismatch,
        ),
        (
            "two headers of one name",
            |wanted| wanted.headers.extend([("X-Twice".into(), "1".into()), ("x-twice".into(), "1".into())]),
            SignatureError::Field("SignedHeaders"),
        ),
        ("a method in lowercase", |wanted| wanted.method.make_ascii_lowercase(), SignatureError::Mismatch),
        ("a comma in the access key", |wanted| wanted.access_key += ",b", SignatureError::Field("SignedHeaders")),
        ("a space in the access key", |wanted| wanted.access_key += " b", SignatureError::Field("Access")),
        (
            "a date with a digit less",
            |wanted| {
                let is_date = |name: &str| name.eq_ignore_ascii_case(sdk_hmac::SDK_DATE);
                wanted
                    .headers
                    .iter_mut()
                    .filter(|(name, _)| is_date(name))
                    .for_each(|(_, value)| *value = "20260115T83000Z".into());
            },
            SignatureError::Date,
        ),
    ];
    let dice = &mut Dice::of("refused requests");
    for (name, change, error) in odd {
        let mut wanted: Vec<_> = (0..20).map(|_| Wanted::random(dice)).collect();
        wanted.iter_mut().for_each(change);
        let signed = Python::ask("sdk_sign", &wanted.iter().map(Wanted::case).collect::<Vec<_>>());
        for (wanted, signed) in wanted.iter().zip(&signed) {
            let request = Arrived::new(dice, wanted, signed);
            assert_eq!(request.verify(&wanted.secret_key), Err(error.clone()), "{name}: {wanted:?}");
        }
    }
}
