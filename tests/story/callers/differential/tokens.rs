//! JWTs beside PyJWT. Each case is a token that is right, with one change to it: in its header, its claims, its form or its
//! signature. What PyJWT has no say in (which key of a set a token asks for) follows `differential.py`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde_json::{Value, json};
use starrocks_offboard::crypto::jwks::KeySet;
use starrocks_offboard::crypto::jwt::{self, Expected, TokenError};
use support::kind::{Kind, NOW};

use crate::callers::differential::shared::{Comparison, Dice, Meant, Python, cases};

const ISSUER: &str = "https://login.example.com/realms/staff";
const AUDIENCES: [&str; 2] = ["starrocks-offboard", "gateway"];

/// What PyJWT takes and we do not, or the other way round. Its own reading of RFC 7519 is as good as ours where it says no
/// more than "implementation"; of the rest, `crypto::jwt`'s documentation says why.
const MEANT: [Meant<TokenError>; 32] = [
    (
        "typ of another kind of token",
        Err(TokenError::Malformed),
        "RFC 8725 section 3.11: no other token passes for one of these",
    ),
    ("typ that is no text", Err(TokenError::Malformed), "it is none of the two that are taken"),
    (
        "a key in the header",
        Err(TokenError::Malformed),
        "RFC 8725 section 3.10: whoever brings a key wants it to be used",
    ),
    ("crit of what PyJWT knows", Err(TokenError::Malformed), "nothing that `crit` could name is understood"),
    ("alg Ed25519", Ok(()), "the new name of RFC 9864, which PyJWT does not know yet"),
    (
        "a member of the header twice",
        Err(TokenError::Malformed),
        "RFC 7515 section 4: names are unique; PyJWT takes the last",
    ),
    ("a claim twice", Err(TokenError::Malformed), "RFC 7519 section 4: names are unique; PyJWT takes the last"),
    ("a claim twice, escaped", Err(TokenError::Malformed), "the same, spelled in two ways"),
    ("a key in a claim twice", Err(TokenError::Malformed), "at any depth"),
    ("NaN", Err(TokenError::Malformed), "it is not JSON (RFC 8259 section 6)"),
    (
        "a number without end",
        Err(TokenError::Malformed),
        "no double holds it; Python has no limit, or makes it infinite",
    ),
    ("half a surrogate", Err(TokenError::Malformed), "it is no character, and no UTF-8 text holds it"),
    ("half a surrogate in UTF-8", Err(TokenError::Malformed), "it is no UTF-8"),
    ("a byte order mark", Err(TokenError::Malformed), "RFC 8259 section 8.1 forbids it"),
    ("UTF-16", Err(TokenError::Malformed), "RFC 7519 section 3: claims are UTF-8"),
    ("200 levels deep", Err(TokenError::Malformed), "128 are read"),
    (
        "padded signature",
        Err(TokenError::Malformed),
        "RFC 7515 section 2: no padding; PyJWT takes it for one vendor's sake",
    ),
    ("longer than is read", Err(TokenError::Malformed), "16 KiB; PyJWT has no limit"),
    ("exp as a text", Err(TokenError::Claim("exp")), "RFC 7519 section 2: a NumericDate is a number"),
    ("exp in milliseconds", Err(TokenError::Claim("exp")), "a mistake, which would be good for 50,000 years"),
    ("exp half a second ahead", Ok(()), "RFC 7519 section 2: a date may have a fraction, which PyJWT cuts off"),
    ("nbf as a text", Err(TokenError::Claim("nbf")), "as exp"),
    ("nbf true", Err(TokenError::Claim("nbf")), "as exp; to Python, true is 1"),
    ("nbf negative", Err(TokenError::Claim("nbf")), "nobody signs tokens for before 1970"),
    ("nbf half a second too far ahead", Err(TokenError::Expired), "as exp, on the other side"),
    ("iat as a text", Err(TokenError::Claim("iat")), "as exp"),
    ("sub empty", Err(TokenError::Claim("sub")), "it names nobody"),
    (
        "sub of odd characters",
        Err(TokenError::Claim("sub")),
        "OpenID Connect Core section 2: ASCII; and what people read has no edges",
    ),
    ("sub over 255 characters", Err(TokenError::Claim("sub")), "OpenID Connect Core section 2"),
    ("cnf", Err(TokenError::Claim("cnf")), "a bearer has not proved to hold the key (RFC 7800)"),
    (
        "groups that are none",
        Err(TokenError::Claim("groups")),
        "a policy that forbids by group has to hear of every group",
    ),
    (
        "a key for something else",
        Err(TokenError::UnknownKey),
        "RFC 7517 section 4.2; PyJWT's client for sets looks at `use`, its set does not",
    ),
];

/// A token to be.
struct Draft {
    header: Value,
    claims: Value,
    /// Instead of the two above.
    header_text: Option<String>,
    payload: Option<Vec<u8>>,
    /// How `differential.py` signs it.
    signature: &'static str,
    /// What happens to it once it is signed.
    edit: Edit,
    /// Members that the set's keys have besides.
    keys: Value,
    without_kid: bool,
}

enum Edit {
    Nothing,
    Token(fn(&mut Dice, String) -> String),
}

impl Draft {
    fn claim(&mut self, name: &str, value: Value) {
        self.claims[name] = value;
    }

    fn member(&mut self, name: &str, value: Value) {
        self.header[name] = value;
        self.signature = "raw";
    }

    fn without(&mut self, name: &str) {
        self.claims.as_object_mut().unwrap().remove(name);
    }

    /// The claims as they are written, with this in front.
    fn written(&self, more: &str) -> String {
        self.claims.to_string().replacen('{', &format!("{{{more},"), 1)
    }

    fn bytes(&mut self, payload: impl Into<Vec<u8>>) {
        self.payload = Some(payload.into());
        self.signature = "raw";
    }

    fn then(&mut self, edit: fn(&mut Dice, String) -> String) {
        self.edit = Edit::Token(edit);
    }
}

/// Texts that are no base64url, or another.
fn one_character_else(dice: &mut Dice, token: String) -> String {
    let at = dice.below(token.len());
    let other = dice.pick(&["A", "b", "0", "-", "_", "+", "/", "=", ".", " ", "\n", "é"]);
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

/// Any JSON, for what no reader looks at.
fn anything(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => dice.one_in(2).into(),
        2 => json!(i64::from_le_bytes(dice.bytes(8).try_into().unwrap())),
        3 => json!(dice.below(1_000_000) as f64 / 128.0),
        4 => dice.text(&["a", "é", "用", "😀", "\"", "\\", "\n", "\u{0}", " "], 8).into(),
        5 => (0..dice.below(4)).map(|_| anything(dice, depth - 1)).collect(),
        _ => (0..dice.below(4)).map(|number| (format!("k{number}"), anything(dice, depth - 1))).collect(),
    }
}

type Change = fn(&mut Dice, &mut Draft);

const CHANGES: [(&str, Change); 87] = [
    ("nothing", |_, _| {}),
    ("an issuer's own claims", |dice, draft| {
        for number in 0..dice.below(5) {
            draft.claim(&format!("x{number}"), anything(dice, 3));
        }
    }),
    ("an issuer's own members of the header", |dice, draft| {
        let name = dice.pick(&["cty", "zip", "x5t", "x5t#S256", "x"]);
        draft.member(name, anything(dice, 2));
    }),
    ("no kid", |_, draft| draft.without_kid = true),
    ("typ of a JWT", |dice, draft| {
        let media_type = dice.pick(&["JWT", "jwt", "at+jwt", "application/jwt", "application/AT+jwt"]);
        draft.member("typ", media_type.into());
    }),
    ("typ of another kind of token", |dice, draft| {
        draft.member("typ", dice.pick(&["secevent+jwt", "logout+jwt", "dpop+jwt", "JOSE", "", "jwt "]).into());
    }),
    ("typ that is no text", |dice, draft| draft.member("typ", dice.pick(&[json!(1), json!(null), json!(["JWT"])]))),
    ("a key in the header", |dice, draft| {
        let name = dice.pick(&["jwk", "jku", "x5u", "x5c"]);
        draft.member(name, anything(dice, 2));
    }),
    ("crit", |dice, draft| {
        draft.member(
            "crit",
            dice.pick(&[json!([]), json!(["exp"]), json!("exp"), json!([1]), json!(null), json!(["b64", "x"])]),
        );
    }),
    ("crit of what PyJWT knows", |_, draft| {
        draft.member("crit", json!(["b64"]));
        draft.member("b64", json!(true));
    }),
    ("crit of what is not there", |_, draft| draft.member("crit", json!(["b64"]))),
    ("b64 and crit", |_, draft| {
        draft.member("crit", json!(["b64"]));
        draft.member("b64", json!(false));
    }),
    ("b64 without crit", |_, draft| draft.member("b64", json!(false))),
    ("kid of another key", |dice, draft| {
        let others: Vec<_> = ["ed", "ec", "rsa"].into_iter().filter(|id| draft.header["kid"] != *id).collect();
        draft.member("kid", dice.pick(&others).into());
    }),
    ("kid of no key", |dice, draft| draft.member("kid", dice.pick(&["", "ED", "../ed", "ed ", "0"]).into())),
    ("kid that is no text", |dice, draft| {
        draft.member("kid", dice.pick(&[json!(1), json!(null), json!(["ed"]), json!({})]))
    }),
    ("alg none", |dice, draft| {
        draft.member("alg", dice.pick(&["none", "None", "NONE", ""]).into());
        draft.signature = dice.pick(&["none", "raw"]);
    }),
    ("alg HS256 with the public key", |_, draft| {
        draft.member("alg", "HS256".into());
        draft.signature = "hmac";
    }),
    ("alg of another key", |dice, draft| {
        let own = draft.header["alg"].clone();
        let others: Vec<_> = ["EdDSA", "ES256", "RS256"].into_iter().filter(|name| own != *name).collect();
        draft.member("alg", dice.pick(&others).into());
    }),
    ("alg that is not taken", |dice, draft| {
        draft.member(
            "alg",
            dice.pick(&["RS384", "RS512", "PS256", "ES384", "ES256K", "rs256", "eddsa", "HS512", "EdDSA "]).into(),
        );
    }),
    ("alg Ed25519", |_, draft| draft.member("alg", "Ed25519".into())),
    ("no alg", |_, draft| {
        draft.header.as_object_mut().unwrap().remove("alg");
        draft.signature = "raw";
    }),
    ("alg that is no text", |dice, draft| draft.member("alg", dice.pick(&[json!(null), json!(256), json!(["EdDSA"])]))),
    ("a member of the header twice", |dice, draft| {
        let text = draft.header.to_string();
        let more = dice.pick(&["\"x\":1,\"x\":2", "\"alg\":\"none\"", "\"kid\":\"x\"", "\"typ\":\"x\""]);
        draft.header_text = Some(text.replacen('{', &format!("{{{more},"), 1));
        draft.signature = "raw";
    }),
    ("a header that is no object", |dice, draft| {
        draft.header_text = Some(dice.pick(&["", "[]", "null", "\"alg\"", "{", "1"]).into());
        draft.signature = "raw";
    }),
    ("exp around now", |dice, draft| draft.claim("exp", json!(NOW + dice.pick(&[-61, -60, -59, -1, 0, 1, 59])))),
    ("exp long ago", |dice, draft| draft.claim("exp", json!(dice.pick(&[0, 1, NOW - 100_000])))),
    ("exp far ahead", |dice, draft| draft.claim("exp", json!(dice.pick(&[NOW + 100_000_000, 999_999_999_999])))),
    ("exp half a second ahead", |_, draft| draft.claim("exp", json!(NOW as f64 + 0.5))),
    ("exp half a second ago", |_, draft| draft.claim("exp", json!(NOW as f64 - 0.5))),
    ("exp as a double", |dice, draft| draft.claim("exp", json!(NOW as f64 + dice.pick(&[-1.0, 0.0, 1.0, 300.0])))),
    ("exp as a text", |_, draft| draft.claim("exp", (NOW + 300).to_string().into())),
    ("exp in milliseconds", |_, draft| draft.claim("exp", json!((NOW + 300) * 1000))),
    ("exp of another type", |dice, draft| {
        draft.claim(
            "exp",
            dice.pick(&[json!(null), json!(true), json!([NOW + 9]), json!({}), json!(""), json!("x"), json!(-1)]),
        )
    }),
    ("no exp", |_, draft| draft.without("exp")),
    ("nbf around the minute", |dice, draft| draft.claim("nbf", json!(NOW + dice.pick(&[-1, 0, 1, 59, 60, 61, 3600])))),
    ("nbf half a second too far ahead", |_, draft| draft.claim("nbf", json!(NOW as f64 + 60.5))),
    ("nbf as a text", |_, draft| draft.claim("nbf", NOW.to_string().into())),
    ("nbf true", |_, draft| draft.claim("nbf", true.into())),
    ("nbf negative", |_, draft| draft.claim("nbf", json!(-5))),
    ("nbf of another type", |dice, draft| {
        draft.claim("nbf", dice.pick(&[json!(null), json!([]), json!("x"), json!({})]))
    }),
    ("iat around the minute", |dice, draft| draft.claim("iat", json!(NOW + dice.pick(&[-1, 0, 1, 59, 60, 61, 3600])))),
    ("iat as a text", |_, draft| draft.claim("iat", NOW.to_string().into())),
    ("iat of another type", |dice, draft| {
        draft.claim("iat", dice.pick(&[json!(null), json!([]), json!("x"), json!({})]))
    }),
    ("no iat and no nbf", |_, draft| {
        draft.without("iat");
        draft.without("nbf");
    }),
    ("aud of ours", |dice, draft| {
        let own = dice.pick(&AUDIENCES);
        draft.claim(
            "aud",
            dice.pick(&[json!(own), json!([own]), json!(["x", own]), json!([own, own]), json!(AUDIENCES)]),
        );
    }),
    ("aud of others", |dice, draft| {
        let aud = dice.pick(&[
            json!("x"),
            json!("Gateway"),
            json!("gateway "),
            json!("gate"),
            json!(["x", "y"]),
            json!([["gateway"]]),
        ]);
        draft.claim("aud", aud);
    }),
    ("aud of another type", |dice, draft| {
        draft.claim(
            "aud",
            dice.pick(&[
                json!(null),
                json!(""),
                json!([]),
                json!(7),
                json!({"gateway": 1}),
                json!(["gateway", 7]),
                json!(["gateway", null]),
            ]),
        );
    }),
    ("no aud", |_, draft| draft.without("aud")),
    ("iss of others", |dice, draft| {
        let iss =
            dice.pick(&[format!("{ISSUER}/"), ISSUER.to_uppercase(), String::new(), "x".into(), format!(" {ISSUER}")]);
        draft.claim("iss", iss.into());
    }),
    ("iss of another type", |dice, draft| {
        draft.claim("iss", dice.pick(&[json!(null), json!([ISSUER]), json!(1), json!({})]));
        draft.signature = "raw";
    }),
    ("no iss", |_, draft| draft.without("iss")),
    ("sub of anybody", |dice, draft| {
        let middle = dice.text(&["a", "Z", " ", "-", "|", "\"", "\\", "'", "@"], 200);
        draft.claim("sub", format!("x{middle}y").into());
    }),
    ("sub empty", |_, draft| draft.claim("sub", "".into())),
    ("sub of odd characters", |dice, draft| {
        draft.claim("sub", dice.pick(&["é", "a\nb", "\u{0}", " a", "a ", "用户", "\u{7f}"]).into())
    }),
    ("sub over 255 characters", |dice, draft| draft.claim("sub", "s".repeat(256 + dice.below(50)).into())),
    ("sub of another type", |dice, draft| {
        draft.claim("sub", dice.pick(&[json!(null), json!(1), json!(["dana"]), json!({}), json!(true)]));
        draft.signature = "raw";
    }),
    ("no sub", |_, draft| draft.without("sub")),
    ("jti", |dice, draft| draft.claim("jti", dice.text(&["a", "é", " "], 9).into())),
    ("jti of another type", |dice, draft| draft.claim("jti", dice.pick(&[json!(null), json!(1), json!(["x"])]))),
    ("cnf", |dice, draft| draft.claim("cnf", dice.pick(&[json!({"jkt": "x"}), json!(null), json!({"x5t#S256": "x"})]))),
    ("groups", |dice, draft| draft.claim("groups", dice.pick(&[json!([]), json!(["dba"]), json!(["dba", "用"])]))),
    ("groups that are none", |dice, draft| match dice.below(3) {
        0 => draft.claim("groups", dice.pick(&[json!("dba"), json!(null), json!([""]), json!([1]), json!(["a\nb"])])),
        1 => draft.claim("hasgroups", true.into()),
        _ => draft.claim("_claim_names", json!({"groups": "src1"})),
    }),
    ("a claim twice", |dice, draft| {
        let more = dice.pick(&["\"sub\":\"root\"", "\"exp\":1", "\"x\":1,\"x\":2", "\"aud\":\"x\""]);
        draft.bytes(draft.written(more));
    }),
    ("a claim twice, escaped", |_, draft| draft.bytes(draft.written("\"s\\u0075b\":\"root\""))),
    ("a key in a claim twice", |_, draft| draft.bytes(draft.written("\"x\":[{\"y\":1,\"y\":1}]"))),
    ("NaN", |dice, draft| draft.bytes(draft.written(dice.pick(&["\"x\":NaN", "\"x\":Infinity", "\"x\":-Infinity"])))),
    ("a number without end", |dice, draft| {
        let digits = format!("\"x\":{}", "9".repeat(400));
        draft.bytes(draft.written(&dice.pick(&["\"x\":1e400".to_owned(), digits])));
    }),
    ("a long number", |dice, draft| draft.bytes(draft.written(&format!("\"x\":{}", "9".repeat(1 + dice.below(300)))))),
    ("half a surrogate", |dice, draft| {
        draft.bytes(draft.written(dice.pick(&["\"x\":\"\\ud800\"", "\"x\":\"\\udc00a\""])))
    }),
    ("half a surrogate in UTF-8", |_, draft| {
        let text = draft.written("\"x\":\"@\"");
        let (before, after) = text.split_once('@').unwrap();
        draft.bytes([before.as_bytes(), b"\xed\xa0\x80", after.as_bytes()].concat());
    }),
    ("no UTF-8", |dice, draft| {
        let text = draft.written("\"x\":\"@\"");
        let (before, after) = text.split_once('@').unwrap();
        let bytes = dice.pick(&[b"\xff".as_slice(), b"\xc0\x80", b"\xe9", b"\xf5\x80\x80\x80"]);
        draft.bytes([before.as_bytes(), bytes, after.as_bytes()].concat());
    }),
    ("a byte order mark", |_, draft| draft.bytes(format!("\u{feff}{}", draft.claims))),
    ("UTF-16", |dice, draft| {
        let units: Vec<u16> = draft.claims.to_string().encode_utf16().collect();
        let little = dice.one_in(2);
        draft.bytes(
            units
                .iter()
                .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
                .collect::<Vec<_>>(),
        );
    }),
    ("200 levels deep", |_, draft| {
        draft.bytes(draft.written(&format!("\"x\":{}{}", "[".repeat(200), "]".repeat(200))))
    }),
    ("white space around", |dice, draft| {
        let around = dice.pick(&[" ", "\n", "\r\n\t "]);
        draft.bytes(format!("{around}{}{around}", draft.claims));
    }),
    ("claims that are none", |dice, draft| {
        let text = draft.claims.to_string();
        let others = [
            String::new(),
            "[]".into(),
            "null".into(),
            "\"x\"".into(),
            text.clone() + "x",
            text.clone() + "{}",
            text.replace('"', "'"),
            text.replace(',', ",,"),
        ];
        draft.bytes(dice.pick(&others));
    }),
    ("one character else", |_, draft| draft.then(one_character_else)),
    ("two characters else", |_, draft| {
        draft.then(|dice, token| {
            let once = one_character_else(dice, token);
            if once.is_ascii() { one_character_else(dice, once) } else { once }
        });
    }),
    ("padded signature", |_, draft| {
        draft.then(|_, token| {
            let signature = token.rsplit_once('.').unwrap().1.len();
            token + &"=".repeat((4 - signature % 4) % 4)
        })
    }),
    ("badly padded", |dice, draft| {
        let edit = dice.pick(&[
            (|_, token| token + "=") as fn(&mut Dice, String) -> String,
            |_, token| token + "===",
            |_, token| token.replace('.', "=."),
        ]);
        draft.then(edit);
    }),
    ("another number of segments", |dice, draft| {
        let edit = dice.pick(&[
            (|_, token| token + ".") as fn(&mut Dice, String) -> String,
            |_, token| format!(".{token}"),
            |_, token| token.replace('.', ""),
            |_, token| token.rsplit_once('.').unwrap().0.to_owned(),
            |_, token| token.replace('.', ".."),
            |_, _| String::new(),
        ]);
        draft.then(edit);
    }),
    ("a shorter or longer signature", |dice, draft| {
        let edit = dice.pick(&[
            (|_, token| format!("{}.", token.rsplit_once('.').unwrap().0)) as fn(&mut Dice, String) -> String,
            |_, token| token[..token.len() - 4].to_owned(),
            |_, token| token + "AAAA",
            |_, token| format!("{}.{}", token.rsplit_once('.').unwrap().0, "A".repeat(86)),
        ]);
        draft.then(edit);
    }),
    ("a signature's twin", |_, draft| draft.signature = "twin"),
    ("a signature in DER", |_, draft| draft.signature = "der"),
    ("longer than is read", |dice, draft| draft.claim("x", "x".repeat(20_000 + dice.below(1000)).into())),
    ("a key for something else", |dice, draft| {
        draft.keys = dice.pick(&[json!({"use": "enc"}), json!({"key_ops": ["sign"]})]);
    }),
];

/// Private keys by the `kid` of their public half, and what their algorithm is called.
struct Issuer {
    private: BTreeMap<&'static str, (String, &'static str)>,
    set: Value,
}

impl Issuer {
    fn of_the_fixtures() -> Self {
        let kind = Kind::all().into_iter().find(|kind| kind.name == "api-token").unwrap();
        let case =
            |name: &str| kind.cases().into_iter().find(|(file, _)| file.ends_with(name)).unwrap().1.secret.unwrap();
        let pem = |secret: &Value| secret["key"].as_str().unwrap().to_owned();
        let private = [
            ("ed", (pem(&kind.secret), "EdDSA")),
            ("ec", (pem(&case("p256.toml")), "ES256")),
            ("rsa", (pem(&case("rsa.toml")), "RS256")),
        ];
        let set = kind.published.values().next().unwrap();
        Self { private: private.into(), set: serde_json::from_str(set).unwrap() }
    }

    /// Its set of keys, with more members in each.
    fn keys(&self, more: &Value) -> String {
        let mut set = self.set.clone();
        for key in set["keys"].as_array_mut().unwrap() {
            for (name, value) in more.as_object().unwrap() {
                key[name] = value.clone();
            }
        }
        set.to_string()
    }
}

#[test]
fn what_pyjwt_takes_we_take_and_what_it_refuses_we_refuse() {
    let dice = &mut Dice::of("tokens");
    let issuer = Issuer::of_the_fixtures();
    let mut drafts = Vec::new();
    for number in 0..cases(3_000) {
        // A third of them is right, but for what an issuer may add.
        let (name, change) =
            if number % 3 == 0 { CHANGES[1] } else { CHANGES[(number - number / 3 - 1) % CHANGES.len()] };
        // Only that key's algorithm has two names.
        let id = if name == "alg Ed25519" { "ed" } else { dice.pick(&["ed", "ec", "rsa"]) };
        let (_, algorithm) = &issuer.private[id];
        let mut draft = Draft {
            header: json!({"alg": algorithm, "typ": "JWT", "kid": id}),
            claims: json!({
                "iss": ISSUER,
                "aud": dice.pick(&AUDIENCES),
                "sub": format!("f:1b2c:{}", dice.text(&["a", "7", "-"], 9)),
                "iat": NOW - dice.below(60) as i64,
                "nbf": NOW - dice.below(60) as i64,
                "exp": NOW + 1 + dice.below(600) as i64,
            }),
            header_text: None,
            payload: None,
            signature: "encode",
            edit: Edit::Nothing,
            keys: json!({}),
            without_kid: false,
        };
        change(dice, &mut draft);
        if draft.without_kid {
            draft.header.as_object_mut().unwrap().remove("kid");
            draft.signature = "raw";
        }
        drafts.push((name, id, draft));
    }

    let to_sign = drafts.iter().map(|(_, id, draft)| {
        json!({
            "key": issuer.private[id].0,
            "header": draft.header_text.clone().unwrap_or_else(|| draft.header.to_string()),
            "payload": if draft.signature == "encode" { draft.claims.to_string() } else { STANDARD.encode(draft.payload.clone().unwrap_or_else(|| draft.claims.to_string().into())) },
            "signature": draft.signature,
            "shared": issuer.keys(&json!({})),
        })
    });
    let signed = Python::ask("token", &to_sign.collect::<Vec<_>>());
    let to_verify = drafts.iter().zip(signed).map(|((_, _, draft), token)| {
        let token = token.as_str().unwrap().to_owned();
        let token = match draft.edit {
            Edit::Nothing => token,
            Edit::Token(edit) => edit(dice, token),
        };
        json!({"token": token, "keys": issuer.keys(&draft.keys), "now": NOW, "issuer": ISSUER, "audiences": AUDIENCES})
    });
    let to_verify: Vec<_> = to_verify.collect();
    let verdicts = Python::ask("token_verify", &to_verify);

    let audiences = AUDIENCES.map(str::to_owned);
    let expected = Expected { issuer: ISSUER, audiences: &audiences, authorized_party: None, groups: Some("groups") };
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    let (mut comparison, mut taken) = (Comparison::with(&MEANT), 0);
    for (((name, _, _), case), theirs) in drafts.iter().zip(&to_verify).zip(&verdicts) {
        let keys = KeySet::parse(case["keys"].as_str().unwrap().as_bytes());
        let ours = keys.map_err(|_| TokenError::UnknownKey);
        let ours = ours.and_then(|keys| jwt::verify(case["token"].as_str().unwrap(), &keys, &expected, now));
        if let (Ok(claims), Some(subject)) = (&ours, theirs.get("subject")) {
            assert_eq!(subject, &claims.subject, "{name}: {case}");
            taken += 1;
        }
        comparison.compare(name, &ours.map(|_| ()), theirs, case);
    }
    comparison.assert_all_used();
    // It is no agreement that everything is refused.
    assert!(taken * 3 > drafts.len(), "only {taken} of {} are taken by both", drafts.len());
}
