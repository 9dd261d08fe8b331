//! Standard Webhooks beside the `standardwebhooks` package, which knows `v1` only: `v1a` has vectors of its own in
//! `tests/fixtures/vectors`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use local::simulator::senders::hmac_sha256;
use serde_json::{Value, json};
use starrocks_offboard::callers;
use starrocks_offboard::callers::proof::{ActiveSecret, ProofError, VerificationKeys};
use starrocks_offboard::config::callers::Caller;
use starrocks_offboard::request::inbound::Inbound;
use starrocks_offboard::secret::Secret;
use support::kind::NOW;

use crate::callers::differential::shared::{Comparison, Dice, Meant, Python, cases};

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// What the package takes and we do not, or the other way round.
const MEANT: [Meant<ProofError>; 8] = [
    (
        "a time in another form",
        Err(ProofError::Malformed { header: TIMESTAMP }),
        "the specification: an integer; the package reads any float, and verifies what stands there in another form",
    ),
    ("an id that is too long or odd", Err(ProofError::Malformed { header: ID }), "it is a column of the ledger"),
    ("a body that is no UTF-8", Ok(()), "it is proved, and refused when it is read as JSON"),
    ("bits left over", Err(ProofError::Malformed { header: SIGNATURE }), "a signature has one spelling"),
    ("padding without end", Err(ProofError::Malformed { header: SIGNATURE }), "the same"),
    (
        "what is no base64 in between",
        Err(ProofError::Malformed { header: SIGNATURE }),
        "the same; Python leaves it out",
    ),
    ("another version", Ok(()), "a space before the first entry makes no entry; the package stumbles over it"),
    ("what is no base64 in the secret", Err(ProofError::SecretUnset), "the same"),
];

type Headers = Vec<(&'static str, String)>;

/// A webhook to be.
struct Draft {
    /// What the sender has; what the receiver has, unless a change says otherwise.
    key: Vec<u8>,
    secret: String,
    id: String,
    at: String,
    /// What is signed for the time, where that is not what is sent.
    signed_at: Option<String>,
    body: Vec<u8>,
    /// What becomes of the right signature, on its way into the list.
    list: fn(&mut Dice, String) -> String,
    /// What becomes of the signed request.
    then: fn(&mut Dice, &mut Headers, &mut Vec<u8>),
}

type Change = fn(&mut Dice, &mut Draft);

const CHANGES: [(&str, Change); 34] = [
    ("nothing", |_, _| {}),
    ("a secret without its prefix", |_, draft| draft.secret = draft.secret.replace("whsec_", "")),
    ("another secret", |dice, draft| draft.secret = format!("whsec_{}", STANDARD.encode(dice.bytes(24)))),
    ("a secret without padding", |dice, draft| {
        draft.key = dice.bytes(25);
        draft.secret = format!("whsec_{}", STANDARD.encode(&draft.key).trim_end_matches('='));
    }),
    ("what is no base64 in the secret", |dice, draft| {
        let at = "whsec_".len() + dice.below(draft.secret.len() - "whsec_".len() - 4);
        draft.secret.insert_str(at, dice.pick(&["!", " ", "\n", "-", "_"]));
    }),
    ("an empty secret", |dice, draft| draft.secret = dice.pick(&["whsec_", "whsec_====", "=", "whsec_!"]).into()),
    ("an empty body", |_, draft| draft.body.clear()),
    ("a body that is no JSON", |dice, draft| {
        draft.body = dice.text(&["a", " ", "{", "\n", "\r\n", "é", "\u{0}", "."], 60).into()
    }),
    ("a body that is no UTF-8", |_, draft| draft.body.push(0xff)),
    ("a time within the window", |dice, draft| {
        draft.at = (NOW + dice.pick(&[-300, -299, -1, 0, 1, 299, 300])).to_string()
    }),
    ("a time outside of it", |dice, draft| draft.at = (NOW + dice.pick(&[-100_000, -301, 301, 100_000])).to_string()),
    ("a time in another form", |dice, draft| {
        // Signed as the package reads it: as whole seconds.
        draft.signed_at = Some(NOW.to_string());
        let (most, last) = (NOW / 10, NOW % 10);
        draft.at = dice.pick(&[
            format!("+{NOW}"),
            format!("0{NOW}"),
            format!("{NOW}.0"),
            format!("{NOW}.7"),
            format!("{most}.{last}e1"),
            format!("{most}_{last}"),
        ]);
    }),
    ("what is no time", |dice, draft| {
        draft.at =
            dice.pick(&["now", "nan", "inf", "-1", "0", "0x6a1d", "1e400", "1,780,308,000", "99999999999999"]).into()
    }),
    ("milliseconds", |_, draft| draft.at = (NOW * 1000).to_string()),
    ("an id of any kind", |dice, draft| {
        draft.id = format!("m{}", dice.text(&["a", "Z", "0", "-", "_", ":", "/", "~", "!"], 200))
    }),
    ("an id with a full stop", |dice, draft| draft.id = dice.pick(&["a.b", ".", format!("x.{NOW}").as_str()]).into()),
    ("an id that is too long or odd", |dice, draft| {
        draft.id = dice.pick(&["x".repeat(257), "a b".into(), "a\tb".into()])
    }),
    ("another id", |_, draft| draft.then = |_, headers, _| headers[0].1.push('x')),
    ("another time", |_, draft| draft.then = |_, headers, _| headers[1].1 = (NOW + 7).to_string()),
    ("another body", |_, draft| {
        draft.then = |dice, _, body| match body.len() {
            0 => body.push(b' '),
            length => body[dice.below(length)] ^= 1,
        }
    }),
    ("a longer body", |_, draft| draft.then = |_, _, body| body.push(b'\n')),
    ("a header less", |_, draft| {
        draft.then = |dice, headers, _| {
            headers.remove(dice.below(3));
        }
    }),
    ("an empty header", |_, draft| draft.then = |dice, headers, _| headers[dice.below(3)].1.clear()),
    ("another character of the signature", |_, draft| {
        draft.list = |dice, right| {
            let at = 3 + dice.below(42);
            let other = if &right[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &right[..at], &right[at + 1..])
        }
    }),
    ("several signatures", |_, draft| {
        draft.list = |dice, right| {
            let mut list = vec![right];
            for _ in 0..dice.below(4) {
                let (v1, v1a) = (STANDARD.encode(dice.bytes(32)), STANDARD.encode(dice.bytes(64)));
                list.push(dice.pick(&[format!("v1,{v1}"), format!("v1a,{v1a}"), "v2,x".into(), "x,".into()]));
            }
            dice.shuffle(&mut list);
            list.join(" ")
        }
    }),
    ("only others' signatures", |_, draft| {
        draft.list = |dice, _| {
            let (v1, v1a) = (STANDARD.encode(dice.bytes(32)), STANDARD.encode(dice.bytes(64)));
            dice.pick(&[format!("v1,{v1}"), format!("v1a,{v1a}"), format!("v1,{v1} v1a,{v1a}"), "v2,x".into()])
        }
    }),
    ("another version", |_, draft| {
        draft.list = |dice, right| right.replacen("v1", dice.pick(&["v2", "V1", "v1 ", " v1", "v1a", ""]), 1)
    }),
    ("bits left over", |_, draft| {
        draft.list = |_, right| {
            // 32 bytes leave two bits of the last character unused, and they are 0.
            let last = right.len() - 2;
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let place = alphabet.find(&right[last..=last]).unwrap();
            format!("{}{}=", &right[..last], &alphabet[place + 1..place + 2])
        }
    }),
    ("no padding", |_, draft| draft.list = |_, right| right.trim_end_matches('=').to_owned()),
    ("padding without end", |_, draft| draft.list = |dice, right| right + dice.pick(&["=", "==", "==="])),
    ("what is no base64 in between", |_, draft| {
        draft.list = |dice, right| {
            let at = 3 + dice.below(43);
            format!("{}{}{}", &right[..at], dice.pick(&["!", ".", "-", "_", "%"]), &right[at..])
        }
    }),
    ("the other alphabet", |_, draft| {
        draft.list = |_, right| {
            let bytes = STANDARD.decode(&right[3..]).unwrap();
            format!("v1,{}", URL_SAFE.encode(bytes))
        }
    }),
    ("no list behind the right signature", |_, draft| {
        draft.list = |dice, right| right + dice.pick(&[" ", "  v1,x", " v1", " x", " v1,AAAA"])
    }),
    ("a v1a signature of another length", |_, draft| {
        draft.list = |dice, right| right + dice.pick(&[" v1a,", " v1a,AAAA", " v1a,x"])
    }),
];

fn ours(secret: &str, headers: &[(&'static str, String)], body: &[u8]) -> Result<(), ProofError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let secret = Secret::new(secret.to_owned()).unwrap();
    let keys =
        VerificationKeys { secrets: vec![ActiveSecret::new(None, vec![("secret", secret)]).unwrap()], published: None };
    let inbound = Inbound {
        method: Method::POST,
        path: "/hooks/hr".into(),
        query: String::new(),
        host: "localhost".into(),
        headers: map,
        body: Bytes::copy_from_slice(body),
    };
    let kind = callers::kind("standard-webhooks").unwrap();
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    kind.verify(&inbound, &Caller::new("hr", "standard-webhooks"), &keys, now).map(|_| ())
}

#[test]
fn what_standardwebhooks_takes_we_take_and_what_it_refuses_we_refuse() {
    let dice = &mut Dice::of("webhooks");
    let (mut made, mut to_sign) = (Vec::new(), Vec::new());
    for number in 0..cases(3_000) {
        let length = dice.pick(&[24, 24, 32, 64]);
        let key = dice.bytes(length);
        let body = json!({"type": "account.delete", "data": {"user_name": dice.text(&["a", "é", "\"", "😀"], 20)}});
        let mut draft = Draft {
            secret: format!("whsec_{}", STANDARD.encode(&key)),
            key,
            id: format!("msg_{}", hex::encode(dice.bytes(8))),
            at: (NOW + dice.below(500) as i64 - 250).to_string(),
            signed_at: None,
            body: body.to_string().into(),
            list: |_, right| right,
            then: |_, _, _| {},
        };
        let (name, change) = CHANGES[number % CHANGES.len()];
        change(dice, &mut draft);
        let at = draft.signed_at.as_ref().unwrap_or(&draft.at);
        let parts = [draft.id.as_bytes(), b".", at.as_bytes(), b".", &draft.body];
        let right = format!("v1,{}", STANDARD.encode(hmac_sha256(&draft.key, &parts)));
        if name == "nothing" {
            to_sign.push(json!({"secret": draft.secret, "id": draft.id, "at": at.parse::<i64>().unwrap(), "body": STANDARD.encode(&draft.body), "right": right}));
        }
        let mut headers = vec![(ID, draft.id), (TIMESTAMP, draft.at), (SIGNATURE, (draft.list)(dice, right))];
        (draft.then)(dice, &mut headers, &mut draft.body);
        made.push((name, draft.secret, headers, draft.body));
    }
    // What this file signs is what the package signs.
    for (case, signed) in to_sign.iter().zip(Python::ask("webhook_sign", &to_sign)) {
        assert_eq!(signed, case["right"], "{case}");
    }

    let to_verify: Vec<Value> = made
        .iter()
        .map(|(_, secret, headers, body)| json!({"secret": secret, "headers": headers, "body": STANDARD.encode(body), "now": NOW}))
        .collect();
    let verdicts = Python::ask("webhook_verify", &to_verify);
    let (mut comparison, mut taken) = (Comparison::with(&MEANT), 0);
    for (((name, secret, headers, body), case), theirs) in made.iter().zip(&to_verify).zip(&verdicts) {
        let ours = ours(secret, headers, body);
        taken += usize::from(ours.is_ok() && theirs.get("refused").is_none());
        comparison.compare(name, &ours, theirs, case);
    }
    comparison.assert_all_used();
    assert!(taken * 5 > made.len(), "only {taken} of {} are taken by both", made.len());
}
