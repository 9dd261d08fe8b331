//! Signatures that a lenient verifier takes: rewritten without the key, made for nothing, of another scheme, or in another form
//! than the platform's.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Forge, Row, Scene};
use crate::kind::{Kind, NOW};
use crate::stage::Wire;

const MALFORMED: &str = "OFFBOARD.40102";
const WRONG: &str = "OFFBOARD.40105";
const UNSET: &str = "OFFBOARD.40106";

/// The order of Ed25519's group, the last byte first as in a signature (RFC 8032, section 5.1).
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The order of P-256 (SEC 2, section 2.4.2).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The neutral element: as a public key, it makes one signature right for every message.
pub(super) fn neutral() -> [u8; 32] {
    let mut point = [0; 32];
    point[0] = 1;
    point
}

/// Where a request has its signature, as bytes.
struct Signature {
    read: fn(&Wire) -> Vec<u8>,
    write: fn(&mut Wire, &[u8]),
}

fn in_header(wire: &Wire, name: &str, before: &str, after: &str) -> String {
    let value = wire.header(name).unwrap();
    value.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap().to_owned()
}

const DISCORD: Signature = Signature {
    read: |wire| hex::decode(wire.header("x-signature-ed25519").unwrap()).unwrap(),
    write: |wire, bytes| wire.set("x-signature-ed25519", &hex::encode(bytes)),
};
const WEBHOOK: Signature = Signature {
    read: |wire| STANDARD.decode(in_header(wire, "webhook-signature", "v1a,", "")).unwrap(),
    write: |wire, bytes| wire.set("webhook-signature", &format!("v1a,{}", STANDARD.encode(bytes))),
};
const MESSAGE: Signature = Signature {
    read: |wire| STANDARD.decode(in_header(wire, "signature", "sig1=:", ":")).unwrap(),
    write: |wire, bytes| wire.set("signature", &format!("sig1=:{}:", STANDARD.encode(bytes))),
};
const TOKEN: Signature = Signature {
    read: |wire| URL_SAFE_NO_PAD.decode(wire.header("authorization").unwrap().rsplit_once('.').unwrap().1).unwrap(),
    write: |wire, bytes| {
        let value = wire.header("authorization").unwrap().to_owned();
        let (signed, _) = value.rsplit_once('.').unwrap();
        wire.set("authorization", &format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes)));
    },
};

pub(super) fn rows(forge: &Forge<'_>) -> Vec<Row> {
    let mut rows = schemes(forge);
    let ed25519 = match forge.kind.name.as_str() {
        "discord" => Some(DISCORD),
        "standard-webhooks-v1a" => Some(WEBHOOK),
        "http-signature" => Some(MESSAGE),
        "api-token" => Some(TOKEN),
        _ => None,
    };
    if let Some(at) = ed25519 {
        rows.extend(rewritten_ed25519(forge, &at));
    }
    if let Some((at, ask)) = p256(forge.kind) {
        rows.extend(rewritten_p256(forge, &at, &ask));
    }
    rows
}

fn rewritten_ed25519(forge: &Forge<'_>, at: &Signature) -> Vec<Row> {
    let wire = forge.honest();
    let right = (at.read)(&wire);
    let (r, s) = right.split_at(32);
    let other = (at.read)(&forge.with(|ask| ask["now"] = (NOW + 7).into()));
    let tried = [
        (
            "S and the order of the group, which is the same number to whoever does not look",
            [r, &plus_order(s)].concat(),
        ),
        ("zeros", vec![0; 64]),
        ("the neutral element and zero", [neutral().as_slice(), &[0; 32]].concat()),
        ("R and zero", [r, &[0; 32]].concat()),
        ("S before R", [s, r].concat()),
        ("the highest bit of S", [r, &highest_bit(s)].concat()),
        ("R of another", [&other[..32], s].concat()),
        ("another request's", other.clone()),
        ("ones", vec![0xff; 64]),
    ];
    let row = |(idea, bytes): (&str, Vec<u8>)| {
        let mut wire = wire.clone();
        (at.write)(&mut wire, &bytes);
        Row::unproved(format!("an Ed25519 signature of {idea}"), wire, WRONG)
    };
    tried.into_iter().map(row).collect()
}

fn plus_order(s: &[u8]) -> Vec<u8> {
    let mut carry = 0_u16;
    let sum = s.iter().zip(ED25519_ORDER).map(|(byte, order)| {
        carry += u16::from(*byte) + u16::from(order);
        let low = carry.to_le_bytes()[0];
        carry >>= 8;
        low
    });
    sum.collect()
}

fn highest_bit(s: &[u8]) -> Vec<u8> {
    let mut s = s.to_vec();
    s[31] |= 0x80;
    s
}

type Asked = fn(&Kind, &mut Value);

/// How a request with an ECDSA signature is asked for.
fn p256(kind: &Kind) -> Option<(Signature, Asked)> {
    match kind.name.as_str() {
        "http-signature" => Some((MESSAGE, |_, ask| ask["say"]["with"] = "p256".into())),
        "api-token" => Some((TOKEN, |kind, ask| ask["secret"] = super::tokens::secret_of(kind, "p256"))),
        _ => None,
    }
}

fn rewritten_p256(forge: &Forge<'_>, at: &Signature, ask: &Asked) -> Vec<Row> {
    let wire = forge.with(|asked| ask(forge.kind, asked));
    let right = (at.read)(&wire);
    let (r, s) = right.split_at(32);
    let tried = [
        ("zeros", vec![0; 64]),
        ("r and zero", [r, &[0; 32]].concat()),
        ("zero and s", [&[0; 32], s].concat()),
        ("the order for both", [P256_ORDER, P256_ORDER].concat()),
        ("the order for s", [r, &P256_ORDER].concat()),
        ("s before r", [s, r].concat()),
        ("r alone", r.to_vec()),
        ("a zero more", [right.as_slice(), &[0]].concat()),
        ("a zero before each", [&[0], r, &[0], s].concat()),
        ("DER", der(r, s)),
        ("nothing", Vec::new()),
    ];
    let row = |(idea, bytes): (&str, Vec<u8>)| {
        let mut wire = wire.clone();
        (at.write)(&mut wire, &bytes);
        Row::unproved(format!("an ECDSA signature of {idea}"), wire, WRONG)
    };
    tried.into_iter().map(row).collect()
}

/// As X.509 has signatures.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let start = number.iter().position(|byte| *byte != 0).unwrap_or(31);
        let mut value = number[start..].to_vec();
        if value[0] >= 0x80 {
            value.insert(0, 0);
        }
        [&[2, u8::try_from(value.len()).unwrap()], value.as_slice()].concat()
    };
    let inside = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(inside.len()).unwrap()], inside.as_slice()].concat()
}

/// A value that is tried, and the code that refuses it.
type Tried = (&'static str, String, &'static str);

/// The scheme in front of a proof.
struct Scheme<'w> {
    kind: &'w Kind,
    /// The platform's own request.
    wire: &'w Wire,
    /// What stands in front of the proof.
    before: &'static str,
    /// The proof itself.
    right: String,
}

/// The header of the proof, and what stands in front of the proof there.
fn header_of(kind: &Kind) -> (&'static str, &'static str) {
    match kind.name.as_str() {
        "slack" => ("x-slack-signature", "v0="),
        "github" => ("x-hub-signature-256", "sha256="),
        "standard-webhooks" | "gitlab" => ("webhook-signature", "v1,"),
        "standard-webhooks-v1a" => ("webhook-signature", "v1a,"),
        "teams" => ("authorization", "HMAC "),
        "mattermost" => ("authorization", "Token "),
        "cloudevents"
        | "cloudevents-binary"
        | "scim"
        | "oneaccess"
        | "oneaccess-encrypted"
        | "google-chat"
        | "api-token" => ("authorization", "Bearer "),
        "okta" => ("authorization", "Basic "),
        "gitlab-token" => ("x-gitlab-token", ""),
        "api-access-key" => ("authorization", "SDK-HMAC-SHA256 "),
        "dingtalk" => ("sign", ""),
        "discord" => ("x-signature-ed25519", ""),
        "feishu" => ("x-lark-signature", ""),
        _ => ("", ""),
    }
}

/// The scheme in front of a proof, exchanged for another.
fn schemes(forge: &Forge<'_>) -> Vec<Row> {
    let kind = forge.kind;
    let wire = forge.honest();
    let (header, before) = header_of(kind);
    if header.is_empty() {
        return if kind.name == "http-signature" { message_signatures(forge) } else { Vec::new() };
    }
    let scheme = Scheme { kind, wire: &wire, before, right: in_header(&wire, header, before, "") };
    let tried = match kind.name.as_str() {
        "slack" | "github" => scheme.of_digest(),
        "standard-webhooks" | "gitlab" | "standard-webhooks-v1a" => scheme.of_standard_webhooks(),
        "teams" | "mattermost" => scheme.of_word(),
        "okta" | "gitlab-token" | "api-access-key" | "dingtalk" | "discord" | "feishu" => scheme.of_its_own(),
        _ => scheme.of_bearer_token(),
    };
    let mut rows: Vec<_> = tried
        .into_iter()
        .map(|(idea, value, code)| {
            let mut wire = wire.clone();
            wire.set(header, &value);
            Row::unproved(format!("the proof with {idea}"), wire, code)
        })
        .collect();
    if kind.name == "github" {
        let mut wire = wire;
        wire.headers.retain(|(name, _)| name != "X-Hub-Signature-256");
        rows.push(Row::unproved("the right SHA-1 signature and no other", wire, "OFFBOARD.40101"));
    }
    rows
}

impl Scheme<'_> {
    /// The proof twice, in a list.
    fn twice(&self) -> String {
        format!("{0}{1},{0}{1}", self.before, self.right)
    }

    /// The proof twice, with a space between.
    fn spaced(&self) -> String {
        format!("{0}{1} {0}{1}", self.before, self.right)
    }

    fn of_digest(&self) -> Vec<Tried> {
        let Self { kind, wire, before, right } = self;
        let (name, _) = before.split_once('=').unwrap();
        let mut tried = vec![
            ("another version", format!("v1={right}"), MALFORMED),
            ("no version", right.clone(), MALFORMED),
            ("the version in capitals", format!("{}={right}", name.to_uppercase()), MALFORMED),
            ("the version twice", format!("{before}{before}{right}"), MALFORMED),
            ("a colon", format!("{name}:{right}"), MALFORMED),
            ("a list", self.twice(), MALFORMED),
            ("a space", format!("{name}= {right}"), MALFORMED),
            ("the version alone", (*before).to_owned(), MALFORMED),
        ];
        if kind.name == "github" {
            let sha1 = wire.header("x-hub-signature").unwrap().to_owned();
            tried.push(("the right SHA-1 signature", sha1, MALFORMED));
        }
        tried
    }

    fn of_standard_webhooks(&self) -> Vec<Tried> {
        let Self { before, right, .. } = self;
        let other = if *before == "v1," { "v1a" } else { "v1" };
        let wrong = |version: &str, length: usize| format!("{version},{}", STANDARD.encode(vec![7; length]));
        let many = vec![wrong("v1", 32); 60].join(" ");
        vec![
            ("the other scheme's version", format!("{other},{right}"), MALFORMED),
            ("a version that does not exist", format!("v2,{right}"), MALFORMED),
            ("the version in capitals", format!("{}{right}", before.to_uppercase()), MALFORMED),
            ("no version", right.clone(), MALFORMED),
            ("a colon", format!("{}:{right}", before.trim_end_matches(',')), MALFORMED),
            ("a list with commas", self.twice(), MALFORMED),
            ("the version alone", (*before).to_owned(), MALFORMED),
            (
                "a list with nothing right in it",
                format!("{before}{}  {before} nonsense", right.replace('=', "")),
                MALFORMED,
            ),
            ("sixty that are wrong", many, WRONG),
            ("both versions, and wrong", format!("{} {}", wrong("v1", 32), wrong("v1a", 64)), WRONG),
        ]
    }

    fn of_word(&self) -> Vec<Tried> {
        let right = &self.right;
        match self.kind.name.as_str() {
            "teams" => vec![
                ("another scheme", format!("Bearer {right}"), MALFORMED),
                ("the scheme in small letters", format!("hmac {right}"), MALFORMED),
                ("two spaces", format!("HMAC  {right}"), MALFORMED),
                ("no space", format!("HMAC{right}"), MALFORMED),
                ("no scheme", right.clone(), MALFORMED),
                ("a list", self.twice(), MALFORMED),
                ("itself twice", self.spaced(), MALFORMED),
            ],
            _ => vec![
                // `Bearer` is an OAuth connection's, and then the token in the form is the proof.
                ("another scheme", format!("Basic {right}"), MALFORMED),
                ("the scheme in small letters", format!("token {right}"), MALFORMED),
                ("two spaces", format!("Token  {right}"), WRONG),
                ("no space", format!("Token{right}"), MALFORMED),
                ("no scheme", right.clone(), MALFORMED),
                ("a list", self.twice(), WRONG),
                ("half of it", format!("Token {}", &right[..right.len() / 2]), WRONG),
                ("more of it", format!("Token {right}a"), WRONG),
                ("quotes", format!("Token \"{right}\""), WRONG),
            ],
        }
    }

    fn of_its_own(&self) -> Vec<Tried> {
        let right = &self.right;
        match self.kind.name.as_str() {
            "okta" => vec![
                ("another scheme", format!("Bearer {right}"), WRONG),
                ("the scheme in small letters", format!("basic {right}"), WRONG),
                ("two spaces", format!("Basic  {right}"), WRONG),
                ("no scheme", right.clone(), WRONG),
                ("half of it", format!("Basic {}", &right[..right.len() / 2]), WRONG),
                ("more of it", format!("Basic {right}a"), WRONG),
            ],
            "gitlab-token" => vec![
                ("a scheme", format!("Bearer {right}"), WRONG),
                ("half of it", right[..right.len() / 2].to_owned(), WRONG),
                ("more of it", format!("{right}a"), WRONG),
                ("a list", format!("{right},{right}"), WRONG),
                ("quotes", format!("\"{right}\""), WRONG),
                ("a pattern", "*".to_owned(), WRONG),
            ],
            "api-access-key" => vec![
                ("another algorithm", format!("SDK-HMAC-SHA1 {right}"), MALFORMED),
                ("another vendor's", format!("AWS4-HMAC-SHA256 {right}"), MALFORMED),
                ("small letters", format!("sdk-hmac-sha256 {right}"), MALFORMED),
                ("no algorithm", right.clone(), MALFORMED),
                ("two spaces", format!("SDK-HMAC-SHA256  {right}"), MALFORMED),
                ("a fourth field", format!("SDK-HMAC-SHA256 {right}, Access=HPUAOTHER"), MALFORMED),
                ("another key id", format!("SDK-HMAC-SHA256 {}", right.replacen("KEY", "OTHER", 1)), WRONG),
            ],
            _ => vec![
                ("a version", format!("v1={right}"), MALFORMED),
                ("a list", format!("{right},{right}"), MALFORMED),
                ("itself twice", format!("{right}{right}"), MALFORMED),
                ("quotes", format!("\"{right}\""), MALFORMED),
            ],
        }
    }

    fn of_bearer_token(&self) -> Vec<Tried> {
        let Self { kind, right, .. } = self;
        let half = right[..right.len() / 2].to_owned();
        let is_jwt = kind.is(&["api-token", "google-chat"]);
        let halved = if is_jwt { MALFORMED } else { WRONG };
        // Of these two, some senders write the token alone.
        let takes_no_scheme = kind.is(&["cloudevents", "cloudevents-binary", "scim"]);
        let alone = if takes_no_scheme {
            ("half of it and no scheme", half.clone(), WRONG)
        } else {
            ("no scheme", right.clone(), MALFORMED)
        };
        vec![
            ("another scheme", format!("Basic {right}"), MALFORMED),
            alone,
            ("two spaces", format!("Bearer  {right}"), MALFORMED),
            ("no space", format!("Bearer{right}"), MALFORMED),
            ("itself twice", self.spaced(), MALFORMED),
            ("a list", self.twice(), MALFORMED),
            ("quotes", format!("Bearer \"{right}\""), MALFORMED),
            ("a parameter", format!("Bearer {right}; charset=utf-8"), MALFORMED),
            ("half of it", format!("Bearer {half}"), halved),
            ("more of it", format!("Bearer {right}A"), WRONG),
        ]
    }
}

/// RFC 9421: what is covered, by which key, and under which name.
fn message_signatures(forge: &Forge<'_>) -> Vec<Row> {
    let said = |key: &str, value: Value| forge.with(|ask| ask["say"][key] = value);
    let pem = forge.kind.variables["http_signature_secret"].trim().to_owned();
    let by_public_key = |algorithm: Option<&str>| {
        forge.with(|ask| {
            ask["secret"] = json!({"key_id": "ops-ed25519", "shared_key": STANDARD.encode(&pem)});
            if let Some(algorithm) = algorithm {
                ask["say"]["parameters"] = json!({"alg": algorithm});
            }
        })
    };
    let as_of = |id: &str| said("parameters", json!({"keyid": id}));
    let mut rows = vec![
        Row::unproved("an HMAC under the public key, called one", by_public_key(None), WRONG),
        Row::unproved("an HMAC under the public key, called ed25519", by_public_key(Some("ed25519")), WRONG),
        Row::unproved("by one key in the name of another", as_of("ops-hmac"), WRONG),
        Row::unproved("by a key in the name of one that there is not", as_of("ops-nobody"), WRONG),
        Row::unproved("in the name of nobody", said("parameters", json!({"keyid": {}})), MALFORMED),
        Row::unproved("an algorithm that is not its key's", said("parameters", json!({"alg": "hmac-sha256"})), WRONG),
        Row::unproved("an algorithm that there is not", said("parameters", json!({"alg": "none"})), WRONG),
        Row::unproved("a parameter that is not known", said("parameters", json!({"tag": "x"})), MALFORMED),
    ];
    for left_out in ["@method", "@path", "@query", "content-digest"] {
        let covered: Vec<_> =
            ["@method", "@path", "@query", "content-digest"].into_iter().filter(|name| *name != left_out).collect();
        rows.push(Row::unproved(format!("{left_out} is not covered"), said("cover", json!(covered)), MALFORMED));
    }
    for (idea, covered) in [
        ("something is covered twice", json!(["@method", "@path", "@query", "content-digest", "@method"])),
        (
            "what is derived in a way that is not known",
            json!(["@method", "@path", "@query", "content-digest", "@status"]),
        ),
        ("capitals", json!(["@method", "@path", "@query", "Content-Digest"])),
        ("a header that is not there", json!(["@method", "@path", "@query", "content-digest", "x-nothing"])),
        ("nothing is covered", json!([])),
    ] {
        rows.push(Row::unproved(format!("covered: {idea}"), said("cover", covered), MALFORMED));
    }
    let wire = forge.honest();
    let signature = wire.header("signature").unwrap().to_owned();
    let input = wire.header("signature-input").unwrap().to_owned();
    for (idea, header, value) in [
        ("under another label", "signature", signature.replacen("sig1", "sig2", 1)),
        ("two signatures", "signature", format!("{signature}, {}", signature.replacen("sig1", "sig2", 1))),
        ("two inputs", "signature-input", format!("{input}, {}", input.replacen("sig1", "sig2", 1))),
        ("a signature with a parameter", "signature", format!("{signature};x=1")),
        ("a signature that is a text", "signature", signature.replace(':', "\"")),
        ("a label in capitals", "signature-input", input.replacen("sig1", "SIG1", 1)),
        ("a space more", "signature-input", input.replacen(";created", "; created", 1)),
    ] {
        let mut wire = wire.clone();
        wire.set(header, &value);
        rows.push(Row::unproved(idea, wire, MALFORMED));
    }
    rows
}

pub(super) fn scenes(kind: &Kind) -> Vec<Scene> {
    let mut scenes = Vec::new();
    // A public key for which one signature is right whatever is signed.
    let of_all = [neutral().as_slice(), &[0; 32]].concat();
    let weak: Option<(&str, String, Signature, &'static str)> = match kind.name.as_str() {
        "discord" => Some(("discord_public_key", hex::encode(neutral()), DISCORD, UNSET)),
        "standard-webhooks-v1a" => {
            Some(("hr_webhook_secret", format!("whpk_{}", STANDARD.encode(neutral())), WEBHOOK, WRONG))
        }
        "http-signature" => {
            // SubjectPublicKeyInfo, RFC 8410 section 4.
            let der = [hex::decode("302a300506032b6570032100").unwrap(), neutral().to_vec()].concat();
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der));
            Some(("http_signature_secret", pem, MESSAGE, WRONG))
        }
        _ => None,
    };
    if let Some((variable, key, at, code)) = weak {
        scenes.push(Scene {
            idea: "a public key of small order, and the signature that fits it always".into(),
            kind: kind.clone(),
            change: Box::new(move |setup| {
                setup.variables.insert(variable.into(), key.clone());
            }),
            wires: Box::new(move |forge| {
                let mut wire = forge.honest();
                (at.write)(&mut wire, &of_all);
                vec![wire]
            }),
            status: 401,
            code,
            deletes: 0,
            actor: None,
        });
    }
    if let Some((at, ask)) = p256(kind) {
        let actor = if kind.name == "http-signature" { "http-signature/ops-p256" } else { &kind.principal };
        let member = format!("members = [\"{actor}\", ");
        scenes.push(Scene {
            idea: "an ECDSA signature's twin, after the signature".into(),
            kind: kind.clone(),
            change: Box::new(move |setup| setup.offboard = setup.offboard.replacen("members = [", &member, 1)),
            wires: Box::new(move |forge| {
                let wire = forge.with(|asked| ask(forge.kind, asked));
                let right = (at.read)(&wire);
                let (r, s) = right.split_at(32);
                let mut twin = wire.clone();
                (at.write)(&mut twin, &[r, &order_minus(s)].concat());
                vec![wire, twin]
            }),
            status: 200,
            code: "SUCCESS",
            deletes: 1,
            actor: Some(actor.to_owned()),
        });
    }
    scenes
}

fn order_minus(s: &[u8]) -> Vec<u8> {
    let mut borrow = 0_i16;
    let mut difference: Vec<u8> = P256_ORDER
        .iter()
        .zip(s)
        .rev()
        .map(|(order, byte)| {
            let digit = i16::from(*order) - i16::from(*byte) - borrow;
            borrow = i16::from(digit < 0);
            digit.rem_euclid(256).to_le_bytes()[0]
        })
        .collect();
    difference.reverse();
    difference
}
