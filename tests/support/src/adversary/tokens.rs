//! Tokens that choose how they are verified, name another principal, or are for another time: what RFC 8725 warns of.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use local::simulator::senders::hmac_sha256;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::signatures::neutral;
use super::{Change, Forge, Made, Row, Scene};
use crate::kind::{Kind, NOW};
use crate::stage::Wire;

const MALFORMED: &str = "OFFBOARD.40102";
const WRONG: &str = "OFFBOARD.40105";
const ENDED: &str = "OFFBOARD.40107";
const NOT_FOR_US: &str = "OFFBOARD.40108";
const UNKNOWN_KEY: &str = "OFFBOARD.40109";

/// The secret of one of the kind's cases.
pub(super) fn secret_of(kind: &Kind, case: &str) -> Value {
    let name = format!("{}/{case}.toml", kind.name);
    let (_, case) = kind.cases().into_iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}"));
    case.secret.unwrap_or_else(|| panic!("{name}: no secret"))
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn token(wire: &Wire) -> [String; 3] {
    let value = wire.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
    value.split('.').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
}

fn bearing(wire: &Wire, [header, claims, signature]: [&str; 3]) -> Wire {
    let mut wire = wire.clone();
    wire.set("authorization", &format!("Bearer {header}.{claims}.{signature}"));
    wire
}

fn hs256(key: &[u8], signed: &str) -> String {
    b64(hmac_sha256(key, &[signed.as_bytes()]))
}

/// The public keys that the issuer publishes, as text.
fn published(kind: &Kind) -> &str {
    kind.published.values().next().unwrap()
}

pub(super) fn rows(forge: &Forge<'_>) -> Vec<Row> {
    let kind = forge.kind;
    if !kind.is(&["api-token", "google-chat"]) {
        return Vec::new();
    }
    let mut rows = unsigned(forge);
    let header = |header: &Value| forge.with(|ask| ask["say"]["header"] = header.clone());
    let own = json!({"kty": "OKP", "crv": "Ed25519", "x": "dLgn43HEGkwx3zxdWaThJ8z9knulpLtUwBt390qsEoA"});
    let long = "k".repeat(4000);
    for (idea, fields, code) in [
        ("a key of its own", json!({"jwk": own}), MALFORMED),
        ("a place to get keys from", json!({"jku": "https://evil.example/keys"}), MALFORMED),
        ("a place to get a certificate from", json!({"x5u": "https://evil.example/cert"}), MALFORMED),
        ("a certificate", json!({"x5c": ["MIIB"]}), MALFORMED),
        ("an empty place to get keys from", json!({"jku": ""}), MALFORMED),
        ("something critical", json!({"crit": ["exp"], "exp": 0}), MALFORMED),
        ("nothing critical", json!({"crit": []}), MALFORMED),
        ("an unencoded payload", json!({"crit": ["b64"], "b64": false}), MALFORMED),
        ("a name of a key that is a path", json!({"kid": "../../../../etc/passwd"}), UNKNOWN_KEY),
        ("a name of a key that is a device", json!({"kid": "/dev/null"}), UNKNOWN_KEY),
        ("a name of a key that is an address", json!({"kid": "https://evil.example/key"}), UNKNOWN_KEY),
        ("a name of a key that ends at a null character", json!({"kid": "ed\u{0}"}), UNKNOWN_KEY),
        ("a name of a key that is SQL", json!({"kid": "' UNION SELECT 'x"}), UNKNOWN_KEY),
        ("a name of a key that is long", json!({"kid": long}), UNKNOWN_KEY),
        ("an empty name of a key", json!({"kid": ""}), UNKNOWN_KEY),
        ("a name of a key that is a number", json!({"kid": 1}), MALFORMED),
        ("a name of a key that is a list", json!({"kid": ["ed"]}), MALFORMED),
        ("a name of a key in capitals", json!({"kid": "ED"}), UNKNOWN_KEY),
        ("another kind of token: DPoP", json!({"typ": "dpop+jwt"}), MALFORMED),
        ("another kind of token: logout", json!({"typ": "logout+jwt"}), MALFORMED),
        ("another kind of token: an event", json!({"typ": "application/secevent+jwt"}), MALFORMED),
        ("another kind of token: JOSE", json!({"typ": "JOSE"}), MALFORMED),
        ("a kind that is a number", json!({"typ": 1}), MALFORMED),
        ("an algorithm that is a list", json!({"alg": ["EdDSA"]}), MALFORMED),
        ("another algorithm: PS256", json!({"alg": "PS256"}), WRONG),
        ("another algorithm: ES256", json!({"alg": "ES256"}), WRONG),
        ("another algorithm: RS512", json!({"alg": "RS512"}), WRONG),
        ("another algorithm: HS256", json!({"alg": "HS256"}), WRONG),
        ("another algorithm: none", json!({"alg": "none"}), WRONG),
        ("encryption", json!({"alg": "dir", "enc": "A256GCM"}), WRONG),
    ] {
        rows.push(Row::unproved(format!("a token's header with {idea}"), header(&fields), code));
    }
    let raw = |which: &str, text: &str| forge.with(|ask| ask["say"][which] = text.into());
    for (idea, text) in [
        ("two algorithms", r#"{"alg":"none","alg":"EdDSA","kid":"ed"}"#),
        ("two algorithms, one escaped", r#"{"\u0061lg":"none","alg":"EdDSA","kid":"ed"}"#),
        ("two names of a key", r#"{"alg":"EdDSA","kid":"ed","kid":"other"}"#),
        ("something behind it", r#"{"alg":"EdDSA","kid":"ed"}{}"#),
        ("a byte order mark", "\u{feff}{\"alg\":\"EdDSA\",\"kid\":\"ed\"}"),
        ("a list in its place", r#"["EdDSA"]"#),
        ("nothing", ""),
    ] {
        rows.push(Row::unproved(format!("a token whose header has {idea}"), raw("raw_header", text), MALFORMED));
    }
    let [inner_header, inner_claims, inner_signature] = token(&forge.honest());
    let nested = format!("{inner_header}.{inner_claims}.{inner_signature}");
    for (idea, text) in [
        ("another token", nested.as_str()),
        ("somebody twice", r#"{"sub":"root","sub":"f:1b2c:dana"}"#),
        ("a list in their place", "[]"),
        ("null", "null"),
        ("nothing", ""),
    ] {
        rows.push(Row::unproved(format!("a token whose claims have {idea}"), raw("raw_claims", text), MALFORMED));
    }
    rows.extend(claims(forge));
    rows
}

/// Signatures that need no key, or a published one.
fn unsigned(forge: &Forge<'_>) -> Vec<Row> {
    let wire = forge.honest();
    let [header, claims, signature] = token(&wire);
    let mut rows = Vec::new();
    for name in ["none", "None", "NONE", "nOnE"] {
        let unsigned = b64(json!({"alg": name, "typ": "JWT"}).to_string());
        rows.push(Row::unproved(
            format!("alg {name} and no signature"),
            bearing(&wire, [&unsigned, &claims, ""]),
            WRONG,
        ));
    }
    let unsigned = b64(r#"{"alg":"none"}"#);
    rows.push(Row::unproved("alg none and a signature", bearing(&wire, [&unsigned, &claims, &signature]), WRONG));
    let keys: Value = serde_json::from_str(published(forge.kind)).unwrap();
    let key = &keys["keys"][0];
    let raw = URL_SAFE_NO_PAD.decode(key.get("x").or(key.get("n")).unwrap().as_str().unwrap()).unwrap();
    let secrets = [
        ("the set of public keys", published(forge.kind).as_bytes().to_vec()),
        ("the public key as JSON", key.to_string().into_bytes()),
        ("the public key's bytes", raw.clone()),
        ("the public key in base64", STANDARD.encode(&raw).into_bytes()),
        ("nothing", Vec::new()),
    ];
    let kid = key["kid"].as_str().unwrap();
    for (idea, secret) in secrets {
        let symmetric = b64(json!({"alg": "HS256", "typ": "JWT", "kid": kid}).to_string());
        let tag = hs256(&secret, &format!("{symmetric}.{claims}"));
        let wire = bearing(&wire, [&symmetric, &claims, &tag]);
        rows.push(Row::unproved(format!("HS256 under {idea}"), wire, WRONG));
    }
    // The algorithm of the key, and the tag of another.
    let tag = hs256(&raw, &format!("{header}.{claims}"));
    rows.push(Row::unproved("an HMAC for a signature", bearing(&wire, [&header, &claims, &tag]), WRONG));
    let [_, other_claims, _] = token(&forge.with(|ask| ask["now"] = (NOW + 7).into()));
    rows.push(Row::unproved("claims of another token", bearing(&wire, [&header, &other_claims, &signature]), WRONG));
    let zeros = b64(vec![0; URL_SAFE_NO_PAD.decode(&signature).unwrap().len()]);
    rows.push(Row::unproved("a signature of zeros", bearing(&wire, [&header, &claims, &zeros]), WRONG));
    let huge = "A".repeat(17 * 1024);
    rows.push(Row::unproved("more than 16 KiB", bearing(&wire, [&header, &claims, &huge]), MALFORMED));
    if forge.kind.name == "api-token" {
        for (case, algorithm, signer) in [("rsa", "ES256", "RSA"), ("p256", "RS256", "P-256"), ("rsa", "EdDSA", "RSA")]
        {
            let wire = forge.with(|ask| {
                ask["secret"] = secret_of(forge.kind, case);
                ask["say"]["header"] = json!({"alg": algorithm});
            });
            rows.push(Row::unproved(format!("a {signer} signature that is called {algorithm}"), wire, WRONG));
        }
        for (name, signer) in [("ec", "Ed25519"), ("rsa", "Ed25519")] {
            let wire = forge.with(|ask| ask["say"]["header"] = json!({"kid": name}));
            rows.push(Row::unproved(format!("an {signer} signature in the name of the key {name}"), wire, WRONG));
        }
    }
    rows
}

fn claims(forge: &Forge<'_>) -> Vec<Row> {
    let audience = match forge.kind.name.as_str() {
        "api-token" => "starrocks-offboard",
        _ => "https://offboard.example.com/hooks/google-chat",
    };
    let mut tried = vec![
        ("iss", json!("https://evil.example/"), NOT_FOR_US),
        ("iss", json!(""), NOT_FOR_US),
        ("iss", json!(["https://login.example.com/realms/staff", "https://accounts.google.com"]), MALFORMED),
        ("aud", json!("another"), NOT_FOR_US),
        ("aud", json!(["another", "a third"]), NOT_FOR_US),
        ("aud", json!([]), NOT_FOR_US),
        ("aud", json!([[audience]]), NOT_FOR_US),
        ("aud", json!([audience, 1]), NOT_FOR_US),
        ("aud", json!({"0": audience}), NOT_FOR_US),
        ("aud", json!(format!("{audience}.evil.example")), NOT_FOR_US),
        ("aud", json!(format!("{audience} other")), NOT_FOR_US),
        ("aud", json!(format!("{audience}/")), NOT_FOR_US),
        ("aud", json!(audience.to_uppercase()), NOT_FOR_US),
        ("aud", json!(true), NOT_FOR_US),
        ("exp", json!((NOW + 300).to_string()), NOT_FOR_US),
        ("exp", json!("2126-06-01T10:00:00Z"), NOT_FOR_US),
        ("exp", json!(1e300), NOT_FOR_US),
        ("exp", json!(u64::MAX), NOT_FOR_US),
        ("exp", json!((NOW + 300) * 1000), NOT_FOR_US),
        ("exp", json!(-1), NOT_FOR_US),
        ("exp", json!(-0.5), NOT_FOR_US),
        ("exp", json!(true), NOT_FOR_US),
        ("exp", json!([NOW + 300]), NOT_FOR_US),
        ("exp", json!(0), ENDED),
        ("exp", json!(NOW), ENDED),
        ("exp", json!(NOW as f64 - 0.5), ENDED),
        ("nbf", json!(NOW + 61), ENDED),
        ("nbf", json!((NOW - 10).to_string()), NOT_FOR_US),
        ("nbf", json!(-1), NOT_FOR_US),
        ("iat", json!(NOW + 61), ENDED),
        ("iat", json!("now"), NOT_FOR_US),
        ("cnf", json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}), NOT_FOR_US),
    ];
    if forge.kind.name == "api-token" {
        tried.extend([
            ("exp", Value::Null, NOT_FOR_US),
            ("sub", json!(""), NOT_FOR_US),
            ("sub", json!(7), NOT_FOR_US),
            ("sub", json!(" f:1b2c:dana"), NOT_FOR_US),
            ("sub", json!("f:1b2c:dana\n"), NOT_FOR_US),
            ("sub", json!("f:1b2c:dаna"), NOT_FOR_US),
            ("sub", json!("d".repeat(256)), NOT_FOR_US),
            ("sub", json!(["f:1b2c:dana"]), NOT_FOR_US),
            ("jti", json!(7), NOT_FOR_US),
        ]);
    } else {
        tried.extend([
            ("email", json!("Chat@system.gserviceaccount.com"), NOT_FOR_US),
            ("email", json!(["chat@system.gserviceaccount.com"]), NOT_FOR_US),
            ("email", json!("chat@system.gserviceaccount.com.evil.example"), NOT_FOR_US),
            ("email_verified", json!("true"), NOT_FOR_US),
            ("email_verified", json!(1), NOT_FOR_US),
            ("email_verified", json!(false), NOT_FOR_US),
        ]);
    }
    let row = |(name, value, code): (&str, Value, &'static str)| {
        let wire = forge.with(|ask| ask["say"]["claims"] = json!({name: value}));
        let mut shown = value.to_string();
        shown.truncate(60);
        Row::unproved(format!("a token whose {name} is {shown}"), wire, code)
    };
    tried.into_iter().map(row).collect()
}

/// With this key in the issuer's set, before the others.
fn publishing(key: Value) -> Change {
    Box::new(move |setup| {
        for set in setup.published.values_mut() {
            *set = set.replacen("\"keys\": [", &format!("\"keys\": [{key}, "), 1);
        }
    })
}

pub(super) fn scenes(kind: &Kind) -> Vec<Scene> {
    if kind.name != "api-token" {
        return Vec::new();
    }
    [weak_keys(kind), other_issuers(kind)].into_iter().flatten().collect()
}

/// A token made without the private half of an RSA key with the exponent 1, under which a signature is what is signed.
fn without_a_key(forge: &Forge<'_>) -> Vec<Wire> {
    let wire = forge.honest();
    let [_, claims, _] = token(&wire);
    let header = b64(r#"{"alg":"RS256","kid":"weak"}"#);
    let digest = Sha256::digest(format!("{header}.{claims}"));
    // EMSA-PKCS1-v1_5 (RFC 8017, section 9.2).
    let info = hex::decode("3031300d060960864801650304020105000420").unwrap();
    let mut padded = vec![0, 1];
    padded.resize(256 - 1 - info.len() - digest.len(), 0xff);
    padded.push(0);
    let signature = b64([padded.as_slice(), &info, &digest].concat());
    vec![bearing(&wire, [&header, &claims, &signature])]
}

/// The issuer publishes a key that proves nothing.
fn weak_keys(kind: &Kind) -> Vec<Scene> {
    let refused = |idea: &str, key: Value, wires: Made, code| Scene {
        idea: idea.into(),
        kind: kind.clone(),
        change: publishing(key),
        wires,
        status: 401,
        code,
        deletes: 0,
        actor: None,
    };
    let rsa: Value = serde_json::from_str(published(kind)).unwrap();
    let modulus = rsa["keys"][2]["n"].as_str().unwrap().to_owned();
    let small: Made = Box::new(|forge| {
        vec![forge.with(|ask| ask["secret"] = json!({"kid": "weak", "key": include_str!("rsa-1024.pem")}))]
    });
    let by_shared_key: Made = Box::new(|forge| {
        let wire = forge.honest();
        let [_, claims, _] = token(&wire);
        let header = b64(r#"{"alg":"HS256","kid":"weak"}"#);
        let tag = hs256(b"everybody reads this", &format!("{header}.{claims}"));
        vec![bearing(&wire, [&header, &claims, &tag])]
    });
    let of_all: Made = Box::new(|forge| {
        let wire = forge.with(|ask| ask["say"]["header"] = json!({"kid": "weak"}));
        let [header, claims, _] = token(&wire);
        let signature = b64([neutral().as_slice(), &[0; 32]].concat());
        vec![bearing(&wire, [&header, &claims, &signature])]
    });
    let n = "t9WzW13PQLc-HQPA70zWC40l00Vb36s_lj9gBUvmCcsKg5_9isyuksX-c3HxzlmUls8PV2JnCR82zeGKTFD7i-EYNZWFFy112EfXNoI3GwXIQrxwNgQUkJBZeTtDDM-4iPWaKYGXYIodQSFuMZkA5mt1PE8xOI05MV5MT9qsGkM";
    vec![
        refused(
            "a published RSA key with the exponent 1",
            json!({"kty": "RSA", "kid": "weak", "n": modulus, "e": "AQ"}),
            Box::new(without_a_key),
            UNKNOWN_KEY,
        ),
        refused(
            "a published RSA key of 1024 bits, and its right signature",
            json!({"kty": "RSA", "kid": "weak", "n": n, "e": "AQAB"}),
            small,
            UNKNOWN_KEY,
        ),
        refused(
            "a published shared key, and its HMAC",
            json!({"kty": "oct", "kid": "weak", "k": b64("everybody reads this"), "alg": "HS256"}),
            by_shared_key,
            WRONG,
        ),
        refused(
            "a published Ed25519 key of small order, and the signature that fits it always",
            json!({"kty": "OKP", "crv": "Ed25519", "kid": "weak", "x": b64(neutral())}),
            of_all,
            UNKNOWN_KEY,
        ),
    ]
}

/// Another issuer is configured beside this one.
fn other_issuers(kind: &Kind) -> Vec<Scene> {
    let another = |idea: &str, issuer: &'static str, status, code, actor: Option<&str>| Scene {
        idea: idea.into(),
        kind: kind.clone(),
        change: Box::new(|setup| {
            let keys = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "udLgn43HEGkwx3zxdWaThJ8z9knulpLtUwBt390qsEo"}]}"#;
            let caller = "[[caller]]\nname = \"guests\"\nkind = \"api\"\nissuer = \"https://guests.example.com/\"\naudience = \"starrocks-offboard\"\njwks_file = \"guests.json\"\n";
            setup.offboard = setup.offboard.replacen("[accounts]", &format!("{caller}\n[accounts]"), 1);
            setup.files.push(("guests.json".into(), keys.into()));
        }),
        wires: Box::new(move |forge| {
            let forged = forge.with(|ask| {
                ask["secret"] = forge.kind.other_secret.clone();
                ask["say"]["claims"] = json!({"iss": issuer});
            });
            vec![forged]
        }),
        status,
        code,
        deletes: 0,
        actor: actor.map(str::to_owned),
    };
    vec![
        another(
            "another issuer's key, in the name of this one",
            "https://login.example.com/realms/staff",
            401,
            WRONG,
            None,
        ),
        // The proof is right; the same id is another principal there.
        another(
            "another issuer's token for the same id",
            "https://guests.example.com/",
            403,
            "OFFBOARD.40301",
            Some("guests/f:1b2c:dana"),
        ),
    ]
}
