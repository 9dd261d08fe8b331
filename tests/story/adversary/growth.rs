//! Nothing that is read before a proof costs more than its size: each reader gets its largest input, half of it and a quarter, and
//! what is allocated at most doubles each time. Counts, and no times: they are the same on every machine.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use starrocks_offboard::crypto::jwks::KeySet;
use starrocks_offboard::crypto::jwt;
use support::kind::Kind;
use support::platforms::Platforms;
use support::stage::{Stage, Wire};

use crate::adversary::shared::{WITH_PEOPLE, kinds_of, made};
use crate::allocations::Allocated;
use crate::callers::kinds::InMemory;

/// What begins an input, is repeated until it is full, and ends it. `{n}` is the number of the piece.
type Filling = (&'static str, &'static str, &'static str, &'static str);

/// The most of a body that is read.
const LARGEST_BODY: usize = 64 * 1024;

/// More than proxies let through of a URL or a header.
const LARGEST_FIELD: usize = 32 * 1024;

const BODIES: &[Filling] = &[
    ("form fields", "", "{n}=&", "z="),
    ("a form field of encoded letters", "a=", "%41", ""),
    ("a form field of spaces", "a=", "+", ""),
    ("a form field with JSON in it", "payload=%7B", "%22{n}%22%3A1%2C", "%22%22%3A1%7D"),
    ("names of JSON", "{", "\"{n}\":1,", "\"\":1}"),
    ("the same name of JSON", "{", "\"a\":1,", "\"a\":1}"),
    ("lists of JSON", "[", "[],", "0]"),
    ("lists in lists", "", "[", ""),
    ("objects in objects", "", "{\"a\":", ""),
    ("escapes of JSON", "\"", "\\u0041", "\""),
    ("digits of JSON", "", "9", ""),
    ("something encrypted", "{\"encrypt\":\"", "AAAA", "\"}"),
    ("something encrypted, with line breaks", "{\"encrypt\":\"", "A\\n", "\"}"),
    ("elements of XML", "<xml>", "<a{n}/>", "</xml>"),
    ("elements in elements", "<xml>", "<a>", ""),
    ("attributes of XML", "<xml", " a{n}=\"\"", "/>"),
    ("sections of CDATA", "<xml><Encrypt>", "<![CDATA[A]]>", "</Encrypt></xml>"),
    ("references of XML", "<xml><Encrypt>", "&amp;", "</Encrypt></xml>"),
    ("comments of XML", "<xml>", "<!---->", "</xml>"),
    ("parts of a form", "", "--b\r\ncontent-disposition: form-data; name=\"{n}\"\r\n\r\n\r\n", "--b--"),
];

const QUERIES: &[Filling] = &[
    ("parameters", "", "{n}=&", "z=1"),
    ("the same parameter", "", "a=&", "a=1"),
    ("parameters without a name", "", "&", "z=1"),
    ("a parameter of encoded letters", "user_name=", "%41", ""),
    ("comparisons of a filter", "filter=", "userName%20eq%20%22{n}%22%20or%20", "id%20pr"),
    ("brackets of a filter", "filter=", "(", ""),
    ("negations of a filter", "filter=", "not%20(", ""),
    ("a text of a filter", "filter=userName%20eq%20%22", "%5C%22", "%22"),
    ("attributes", "attributes=", "a{n},", "b"),
];

const PATHS: &[Filling] = &[
    ("segments", "/hooks/", "a/", ""),
    ("no segments", "/hooks", "/", ""),
    ("encoded letters", "/hooks/", "%41", ""),
    ("encoded letters of an id", "/removals/", "%41", ""),
    ("segments of a directory", "/scim/v2/scim/", "a/", ""),
];

/// The header, and what is in it.
const HEADERS: &[(&str, Filling)] = &[
    ("authorization", ("tokens", "", "Bearer ", "x")),
    ("authorization", ("a token", "Bearer ", "a", "")),
    ("authorization", ("segments of a token", "Bearer ", "a.", "b")),
    ("authorization", ("signed headers", "SDK-HMAC-SHA256 Access=A, SignedHeaders=", "h{n};", "z, Signature=00")),
    ("authorization", ("fields", "SDK-HMAC-SHA256 ", "Access=A, ", "Signature=00")),
    (
        "authorization",
        ("the id of a key", "SDK-HMAC-SHA256 Access=", "A", ", SignedHeaders=host;x-sdk-date, Signature=00"),
    ),
    ("x-sdk-date", ("digits", "", "1", "")),
    ("webhook-signature", ("signatures", "", "v1,AAAA ", "v1,AAAA")),
    ("webhook-signature", ("signatures with a public key", "", "v1a,AAAA ", "v1a,AAAA")),
    ("webhook-signature", ("commas", "", "v1,", "")),
    ("webhook-id", ("an id", "", "a", "")),
    ("webhook-timestamp", ("digits", "", "1", "")),
    ("signature-input", ("components", "sig1=(", "\"a{n}\" ", "\"b\");created=1780308000;keyid=\"k\"")),
    ("signature-input", ("parameters", "sig1=(\"@method\")", ";a{n}=1", "")),
    ("signature-input", ("parameters of a component", "sig1=(\"@method\"", ";a{n}=1", ");created=1780308000")),
    ("signature-input", ("members", "", "s{n}=(), ", "sig1=()")),
    ("signature-input", ("lists in lists", "sig1=", "(", "")),
    ("signature", ("members", "", "s{n}=:AA==:, ", "sig1=:AA==:")),
    ("signature", ("bytes", "sig1=:", "AAAA", ":")),
    ("content-digest", ("digests", "", "a{n}=:AA==:, ", "sha-256=:AA==:")),
    ("x-hub-signature-256", ("digits", "sha256=", "0", "")),
    ("x-slack-signature", ("digits", "v0=", "0", "")),
    ("x-slack-request-timestamp", ("digits", "", "1", "")),
    ("x-signature-ed25519", ("digits", "", "0", "")),
    ("x-gitlab-token", ("a token", "", "t", "")),
    ("x-lark-request-nonce", ("a nonce", "", "n", "")),
    ("x-lark-signature", ("digits", "", "0", "")),
    ("sign", ("letters", "", "A", "=")),
    ("timestamp", ("digits", "", "1", "")),
    ("content-type", ("parameters", "application/json", ";a{n}=b", "")),
    ("content-encoding", ("encodings", "", "gzip, ", "br")),
    ("accept", ("media types", "", "a/b{n}, ", "c/d")),
    ("x-language", ("languages", "", "en-us, ", "zh-cn")),
    ("x-forwarded-for", ("addresses", "", "203.0.113.7, ", "203.0.113.8")),
];

fn filled((_, before, piece, after): Filling, size: usize) -> String {
    let mut text = before.to_owned();
    for number in 0.. {
        // All of one length, so that twice as many are twice as long.
        let piece = piece.replace("{n}", &format!("{number:05}"));
        if text.len() + piece.len() + after.len() > size {
            break;
        }
        text += &piece;
    }
    text + after
}

/// A request and what it is filled with.
type Make = Box<dyn Fn(&Wire, usize) -> Wire>;

/// Every input, with its name and its largest size.
fn inputs() -> Vec<(String, usize, Make)> {
    let mut inputs: Vec<(String, usize, Make)> = Vec::new();
    for filling in BODIES {
        let make = |wire: &Wire, size| Wire { body: filled(*filling, size), ..wire.clone() };
        inputs.push((format!("body: {}", filling.0), LARGEST_BODY, Box::new(make)));
    }
    for filling in QUERIES {
        let make = |wire: &Wire, size| {
            let between = if wire.target.contains('?') { '&' } else { '?' };
            Wire { target: format!("{}{between}{}", wire.target, filled(*filling, size)), ..wire.clone() }
        };
        inputs.push((format!("query: {}", filling.0), LARGEST_FIELD, Box::new(make)));
    }
    for filling in PATHS {
        let make = |wire: &Wire, size| Wire { target: filled(*filling, size), ..wire.clone() };
        inputs.push((format!("path: {}", filling.0), LARGEST_FIELD, Box::new(make)));
    }
    for (name, filling) in HEADERS {
        let make = |wire: &Wire, size| {
            let mut wire = wire.clone();
            wire.set(name, &filled(*filling, size));
            wire
        };
        inputs.push((format!("{name}: {}", filling.0), LARGEST_FIELD, Box::new(make)));
    }
    for (idea, name) in [("headers", "x-{n}"), ("the same header", "x-a"), ("the same proof", "authorization")] {
        let make = move |wire: &Wire, size| {
            let mut wire = wire.clone();
            wire.headers.extend((0..size / 16).map(|n| (name.replace("{n}", &n.to_string()), "Bearer a".to_owned())));
            wire
        };
        inputs.push((idea.to_owned(), LARGEST_FIELD, Box::new(make)));
    }
    inputs.push(("a token: claims".into(), LARGEST_TOKEN, Box::new(|wire, size| bearing(wire, &token("", size)))));
    let in_header = |wire: &Wire, size| bearing(wire, &token("header", size));
    inputs.push(("a token: members of its header".into(), LARGEST_TOKEN, Box::new(in_header)));
    inputs
}

/// A little more than a token may have, once it is encoded.
const LARGEST_TOKEN: usize = 16 * 1024;

/// A token of this size whose claims are many, or whose header has many members.
fn token(which: &str, size: usize) -> String {
    let many = filled(
        ("", "{\"alg\":\"EdDSA\",\"iss\":\"https://login.example.com/realms/staff\",", "\"{n}\":1,", "\"z\":1}"),
        (size - 200) * 3 / 4,
    );
    let few = r#"{"alg":"EdDSA","iss":"https://login.example.com/realms/staff"}"#;
    let [header, claims] = if which == "header" { [many.as_str(), few] } else { [few, many.as_str()] };
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([7; 64]))
}

fn bearing(wire: &Wire, token: &str) -> Wire {
    let mut wire = wire.clone();
    wire.set("authorization", &format!("Bearer {token}"));
    wire
}

/// What is wrong with how the work grows: it is measured at a quarter, half and all of the largest size.
async fn growth(what: &str, largest: usize, stage: &InMemory, make: impl Fn(usize) -> Wire) -> String {
    let mut measured = Vec::new();
    for size in [largest / 4, largest / 2, largest] {
        let wire = make(size);
        let (reply, allocated) = Allocated::by(stage.send(&wire)).await;
        assert!(what.starts_with("proved") || reply.status >= 400, "{what}: {} of {size} bytes", reply.status);
        measured.push(allocated);
    }
    let grows = measured.windows(2).all(|pair| pair[0].doubles_to(pair[1]));
    if grows { String::new() } else { format!("{what}: {measured:?}\n") }
}

/// Every kind gets each input beside a proof with a secret of another sender.
#[tokio::test]
async fn a4_before_a_proof_twice_the_input_is_at_most_twice_the_work() {
    let only = std::env::var("KIND").unwrap_or_default();
    let mut failures = String::new();
    for kind in Kind::all().into_iter().filter(|kind| only.is_empty() || kind.name == only) {
        let stage = InMemory::open(kind.open_to_attack()).await;
        let mut ask = kind.ask(&stage.host(), "a4");
        ask["secret"] = kind.other_secret.clone();
        let wire = Platforms::request(&kind.name, &ask);
        // The first request opens the ledger.
        let refused = stage.send(&wire).await;
        assert_eq!(refused.status, 401, "{}: {:?}", kind.name, refused.header("x-offboard-code"));
        for (idea, largest, make) in inputs() {
            failures += &growth(&format!("{}: {idea}", kind.name), largest, &stage, |size| make(&wire, size)).await;
        }
        assert!(stage.deletes() == 0 && stage.rows().iter().all(|row| row.actor.is_none()), "{}", kind.name);
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// Identity systems are many, and each filter, change and text of a person is read behind a proof that hundreds of them hold.
#[tokio::test]
async fn a4_what_is_read_behind_a_proof_grows_no_faster_either() {
    let mut failures = String::new();
    for kind in kinds_of(&["scim"]) {
        let stage = InMemory::open(kind.open_to_attack()).await;
        for (idea, filling) in [
            ("comparisons", ("", "", "userName eq \"{n}\" or ", "id pr")),
            ("brackets", ("", "", "(", "id pr")),
            ("negations", ("", "", "not (", "id pr")),
            ("a text", ("", "userName eq \"", "\\\"", "\"")),
            ("the path of an attribute", ("", "", "a.", "b pr")),
        ] {
            let make = |size| {
                made(&stage, &kind, |ask| {
                    ask["say"] = serde_json::json!({"do": "find", "filter": filled(filling, size)});
                })
            };
            make_first(&stage, make(100)).await;
            failures += &growth(&format!("proved: a filter: {idea}"), LARGEST_FIELD / 2, &stage, make).await;
        }
        for (idea, filling) in [
            (
                "attributes",
                (
                    "",
                    "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"zoe\",",
                    "\"a{n}\":1,",
                    "\"z\":1}",
                ),
            ),
            ("the same attribute", ("", "{\"userName\":\"zoe\",", "\"a\":1,", "\"a\":1}")),
            ("lists", ("", "{\"userName\":\"zoe\",\"emails\":[", "{\"value\":\"{n}\"},", "{}]}")),
        ] {
            let make = |size| {
                made(&stage, &kind, |ask| {
                    ask["say"] = serde_json::json!({"do": "send", "method": "POST", "path": "/Users"});
                    ask["body"] = filled(filling, size).into();
                })
            };
            make_first(&stage, make(200)).await;
            failures += &growth(&format!("proved: a person: {idea}"), LARGEST_BODY, &stage, make).await;
        }
    }
    for kind in kinds_of(WITH_PEOPLE) {
        let stage = InMemory::open(kind.setup(false, &[])).await;
        for (idea, filling) in [
            ("words", ("", "alice nowhere ", "w{n} ", "z")),
            ("mentions", ("", "alice nowhere ", "<@U{n}> ", "z")),
            ("flags", ("", "alice nowhere ", "--f{n} ", "z")),
            ("backticks", ("", "alice nowhere ", "`", "")),
            ("white space", ("", "alice nowhere", " ", "z")),
            ("lines", ("", "alice nowhere", "\nw{n}", "")),
        ] {
            let make = |size| made(&stage, &kind, |ask| ask["say"]["text"] = filled(filling, size).into());
            make_first(&stage, make(100)).await;
            failures += &growth(&format!("proved: {}: {idea}", kind.name), LARGEST_FIELD / 2, &stage, make).await;
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// Sends what opens the ledger and fetches keys.
async fn make_first(stage: &InMemory, wire: Wire) {
    stage.send(&wire).await;
}

/// The key sets and tokens that no kind hands on.
#[tokio::test]
async fn a4_key_sets_and_tokens_are_read_in_one_go() {
    let key =
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"{n}\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},";
    let sets = [
        ("keys", "{\"keys\":[", key, "{}]}"),
        ("entries of no use", "{\"keys\":[", "{\"kty\":\"{n}\"},", "{}]}"),
        ("members", "{\"keys\":[],", "\"{n}\":1,", "\"z\":1}"),
        ("members of a key", "{\"keys\":[{", "\"{n}\":1,", "\"z\":1}]}"),
        ("the letters of a key", "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", "AAAA", "\"}]}"),
    ];
    for (idea, before, piece, after) in sets {
        // A hundred keys are read, and no more.
        let largest = if idea == "keys" { 8 * 1024 } else { LARGEST_BODY };
        let mut measured = Vec::new();
        for size in [largest / 4, largest / 2, largest] {
            let set = filled((idea, before, piece, after), size);
            measured.push(Allocated::by(async { drop(KeySet::parse(set.as_bytes())) }).await.1);
        }
        assert!(measured.windows(2).all(|pair| pair[0].doubles_to(pair[1])), "{idea}: {measured:?}");
    }
    for which in ["claims", "header"] {
        let mut measured = Vec::new();
        for size in [4, 8, 16] {
            let token = token(which, size * 1024);
            let (peek, allocated) = Allocated::by(async { jwt::peek(&token) }).await;
            assert_eq!(peek.unwrap().issuer, "https://login.example.com/realms/staff", "{which}");
            measured.push(allocated);
        }
        assert!(measured.windows(2).all(|pair| pair[0].doubles_to(pair[1])), "{which}: {measured:?}");
    }
}
