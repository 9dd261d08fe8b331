//! One proof has one spelling: base64 that decodes to the same bytes, and hexadecimal digits that do, prove nothing.

use serde_json::Value;

use super::{Forge, Row};
use crate::stage::Wire;

/// Where the text is in a request.
enum Place {
    /// A header, between these two.
    Header(&'static str, &'static str, &'static str),
    /// A member of the JSON body.
    Member(&'static str),
    /// A parameter of the query.
    Query(&'static str),
    /// The signature of a bearer token.
    Token,
}

impl Place {
    fn read(&self, wire: &Wire) -> String {
        match self {
            Self::Header(name, before, after) => {
                let value = wire.header(name).unwrap_or_else(|| panic!("{name}"));
                let inside = value.split_once(before).unwrap_or_else(|| panic!("{value}")).1;
                inside.strip_suffix(after).unwrap_or_else(|| panic!("{value}")).to_owned()
            }
            Self::Member(name) => {
                let body: Value = serde_json::from_str(&wire.body).unwrap();
                body[name].as_str().unwrap().to_owned()
            }
            Self::Query(name) => {
                let (_, query) = wire.target.split_once('?').unwrap();
                query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap().to_owned()
            }
            Self::Token => wire.header("authorization").unwrap().rsplit_once('.').unwrap().1.to_owned(),
        }
    }

    fn write(&self, wire: &mut Wire, text: &str) {
        let known = self.read(wire);
        match self {
            Self::Header(name, ..) => {
                let value = wire.header(name).unwrap().replace(&known, text);
                wire.set(name, &value);
            }
            Self::Member(_) => wire.body = wire.body.replace(&known, &text.replace('\n', "\\n")),
            Self::Query(_) => wire.target = wire.target.replace(&known, text),
            Self::Token => {
                let value = wire.header("authorization").unwrap().replace(&known, text);
                wire.set("authorization", &value);
            }
        }
    }
}

const MALFORMED: &str = "OFFBOARD.40102";

pub(super) fn rows(forge: &Forge<'_>) -> Vec<Row> {
    let base64 = match forge.kind.name.as_str() {
        "dingtalk" => Place::Header("sign", "", ""),
        "teams" => Place::Header("authorization", "HMAC ", ""),
        "standard-webhooks" | "gitlab" => Place::Header("webhook-signature", "v1,", ""),
        "standard-webhooks-v1a" => Place::Header("webhook-signature", "v1a,", ""),
        "http-signature" => Place::Header("signature", "sig1=:", ":"),
        "oneaccess" | "oneaccess-encrypted" => Place::Member("signature"),
        "welink" => Place::Member("encrypt"),
        "api-token" | "google-chat" => return tokens(forge),
        _ => return hexadecimal(forge),
    };
    // With both of the characters by which the two alphabets differ, if it is long enough.
    let wire = forge.which(|wire| base64.read(wire).contains(['+', '/']));
    let right = base64.read(&wire);
    let bare = right.trim_end_matches('=');
    let half = bare.len() / 2;
    let spellings = [
        ("bits that belong to nothing", format!("{}{}", spare_bits(bare), &right[bare.len()..])),
        ("no padding", bare.to_owned()),
        ("more padding", format!("{right}=")),
        ("padding in the middle", format!("{}={}", &bare[..half], &right[half..])),
        ("the alphabet of URLs", right.replace('+', "-").replace('/', "_")),
        ("a space inside", format!("{} {}", &right[..half], &right[half..])),
        ("percent-encoded", right.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F")),
        ("a byte more", format!("AAAA{right}")),
        ("hexadecimal digits", "00".repeat(32)),
        ("nothing", String::new()),
    ];
    let row = |(idea, text): (&str, String)| {
        assert_ne!(text, right, "{}: {idea}", forge.kind.name);
        let mut wire = wire.clone();
        base64.write(&mut wire, &text);
        let code = match (forge.kind.name.as_str(), idea) {
            // What is no proof at all, by the kind's own words for it.
            ("dingtalk" | "oneaccess" | "oneaccess-encrypted", "nothing") => "OFFBOARD.40101",
            // A byte string may be of any length there, and this one is the signature of no key.
            ("http-signature", "nothing" | "a byte more" | "hexadecimal digits") => "OFFBOARD.40105",
            _ => MALFORMED,
        };
        Row::unproved(format!("base64 with {idea}"), wire, code)
    };
    spellings.into_iter().map(row).collect()
}

fn tokens(forge: &Forge<'_>) -> Vec<Row> {
    let wire = forge.which(|wire| Place::Token.read(wire).contains(['-', '_']));
    let right = Place::Token.read(&wire);
    let spellings = [
        ("bits that belong to nothing", spare_bits(&right)),
        ("padding", format!("{right}==")),
        ("the alphabet of MIME", right.replace('-', "+").replace('_', "/")),
        ("nothing behind the last full stop", String::new()),
        ("a fourth segment", format!("{right}.{right}")),
    ];
    let row = |(idea, text): (&str, String)| {
        let mut wire = wire.clone();
        Place::Token.write(&mut wire, &text);
        let is_empty = text.is_empty();
        Row::unproved(format!("base64url with {idea}"), wire, if is_empty { "OFFBOARD.40105" } else { MALFORMED })
    };
    spellings.into_iter().map(row).collect()
}

/// The same bytes to a reader that lets it pass: the last character with its lowest bit set.
fn spare_bits(bare: &str) -> String {
    assert!(!bare.len().is_multiple_of(4), "{bare} has no bits to spare");
    let (rest, last) = bare.split_at(bare.len() - 1);
    let url = bare.contains(['-', '_']);
    let alphabet = if url {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    } else {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    };
    let place = alphabet.find(last).unwrap();
    format!("{rest}{}", &alphabet[place ^ 1..][..1])
}

fn hexadecimal(forge: &Forge<'_>) -> Vec<Row> {
    let place = match forge.kind.name.as_str() {
        "slack" => Place::Header("x-slack-signature", "v0=", ""),
        "github" => Place::Header("x-hub-signature-256", "sha256=", ""),
        "discord" => Place::Header("x-signature-ed25519", "", ""),
        "feishu" => Place::Header("x-lark-signature", "", ""),
        "api-access-key" => Place::Header("authorization", "Signature=", ""),
        "wecom" | "wecom-bot" => Place::Query("msg_signature"),
        _ => return Vec::new(),
    };
    let wire = forge.which(|wire| place.read(wire).contains(|c: char| c.is_ascii_lowercase()));
    let right = place.read(&wire);
    let one_up = {
        let at = right.find(|c: char| c.is_ascii_lowercase()).unwrap();
        format!("{}{}{}", &right[..at], right[at..=at].to_uppercase(), &right[at + 1..])
    };
    let pairs: Vec<&str> = (0..right.len()).step_by(2).map(|at| &right[at..at + 2]).collect();
    let spellings = [
        ("one digit in upper case", one_up),
        ("an odd number of digits", right[1..].to_owned()),
        ("a letter that is no digit", format!("g{}", &right[1..])),
        ("0x before it", format!("0x{right}")),
        ("0x in the place of two digits", format!("0x{}", &right[2..])),
        ("colons", pairs.join(":")),
        ("spaces", pairs.join(" ").replace(' ', "%20")),
        ("a byte more", format!("{right}00")),
        ("a byte less", right[2..].to_owned()),
        ("itself twice", right.repeat(2)),
        ("full-width digits", "０".repeat(right.len())),
        ("only zeros", "0".repeat(right.len())),
    ];
    let row = |(idea, text): (&str, String)| {
        let mut wire = wire.clone();
        let text = if matches!(place, Place::Query(_)) { text.replace('０', "%EF%BC%90") } else { text };
        place.write(&mut wire, &text);
        Row::unproved(
            format!("hexadecimal with {idea}"),
            wire,
            if idea == "only zeros" { "OFFBOARD.40105" } else { MALFORMED },
        )
    };
    spellings.into_iter().map(row).collect()
}
