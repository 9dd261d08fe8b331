//! Bodies that two readers read in two ways, that are larger inside than outside, or that reach for something: proved by the
//! platform like any other, where a proof covers them, and refused.

use super::{Forge, Row};

const UNREADABLE: &str = "OFFBOARD.40001";
const TWICE: &str = "OFFBOARD.40002";

pub(super) fn rows(forge: &Forge<'_>) -> Vec<Row> {
    let kind = forge.kind;
    match kind.name.as_str() {
        "slack" | "mattermost" => forms(forge),
        "wecom" => documents(forge),
        // Nothing is read of these.
        "api-access-key" | "api-token" | "http-signature" => Vec::new(),
        _ => values(forge),
    }
}

/// JSON, wherever a kind has it.
fn values(forge: &Forge<'_>) -> Vec<Row> {
    let kind = forge.kind;
    let nested = |open: &str, close: &str, levels: usize| format!("{}{}", open.repeat(levels), close.repeat(levels));
    let bodies = [
        ("lists in lists, 200 deep", nested("[", "]", 200), UNREADABLE),
        ("lists in lists, 20000 deep", nested("[", "]", 20_000), UNREADABLE),
        ("objects in objects, 200 deep", format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200)), UNREADABLE),
        ("lists that never end", "[".repeat(30_000), UNREADABLE),
        ("a number that is larger than there are", "{\"a\":1e999999}".into(), UNREADABLE),
        ("a number with a plus sign", "{\"a\":+1}".into(), UNREADABLE),
        ("a number with a zero before it", "{\"a\":01}".into(), UNREADABLE),
        ("a hexadecimal number", "{\"a\":0x1}".into(), UNREADABLE),
        ("no number", "{\"a\":NaN}".into(), UNREADABLE),
        ("infinity", "{\"a\":Infinity}".into(), UNREADABLE),
        ("a byte order mark", "\u{feff}{\"a\":1}".into(), UNREADABLE),
        ("a comment", "{\"a\":1/* */}".into(), UNREADABLE),
        ("a comma too many", "{\"a\":1,}".into(), UNREADABLE),
        ("single quotes", "{'a':1}".into(), UNREADABLE),
        ("a key without quotes", "{a:1}".into(), UNREADABLE),
        ("two values", "{\"a\":1}{\"a\":2}".into(), UNREADABLE),
        ("a null character behind it", "{\"a\":1}\u{0}".into(), UNREADABLE),
        ("half a character", "{\"a\":\"\\ud800\"}".into(), UNREADABLE),
        ("a line break in a text", "{\"a\":\"b\nc\"}".into(), UNREADABLE),
        ("spaces that JSON does not know", "\u{a0}{\"a\":1}".into(), UNREADABLE),
        ("XML", "<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]><x>&y;</x>".into(), UNREADABLE),
        ("a key twice", "{\"a\":1,\"a\":2}".into(), TWICE),
        ("a key twice, once escaped", "{\"a\":1,\"\\u0061\":2}".into(), TWICE),
        ("a key twice, far down", "{\"a\":[{\"b\":{\"c\":1,\"c\":2}}]}".into(), TWICE),
        ("an empty key twice", "{\"\":1,\"\":2}".into(), TWICE),
        ("__proto__ twice", "{\"__proto__\":{},\"__proto__\":{}}".into(), TWICE),
    ];
    let row = |(idea, body, code): (&str, String, &'static str)| {
        let wire = forge.with(|ask| ask["body"] = body.into());
        // Identity systems on .NET write one: what is missing is what the mark stands before.
        let code = if kind.name == "scim" && idea == "a byte order mark" { "OFFBOARD.40003" } else { code };
        let mut row = forge.proved(format!("the body has {idea}"), wire, code);
        // Who is proved by what is in the body is proved by nothing; people are named there, too.
        row.proved = !kind.is(&["welink", "feishu"]) && !kind.speaks();
        if kind.name == "welink" {
            row.status = 400;
        }
        row
    };
    bodies.into_iter().map(row).collect()
}

fn forms(forge: &Forge<'_>) -> Vec<Row> {
    let (user, more) = match forge.kind.name.as_str() {
        "slack" => ("U2CERLKJA", ""),
        _ => ("k1x4aqdjy3813c84m771eoc9xo", "token=nezum4kpu3faiec7r7c5zt6tfy&"),
    };
    let bodies = [
        ("somebody twice", format!("{more}user_id={user}&user_id=U0OTHER&text=alice+analytics"), TWICE),
        ("somebody twice, once escaped", format!("{more}user_id=U0OTHER&user%5Fid={user}&text=alice+analytics"), TWICE),
        ("a command twice", format!("{more}user_id={user}&text=help&text=alice+analytics"), TWICE),
        ("a command twice, once empty", format!("{more}user_id={user}&text=&text=alice+analytics"), TWICE),
        ("half an escape", format!("{more}user_id={user}&text=alice%2+analytics"), UNREADABLE),
        ("an escape that is none", format!("{more}user_id={user}&text=alice%u0020analytics"), UNREADABLE),
        ("bytes that are no UTF-8", format!("{more}user_id={user}&text=alice%c0%80+analytics"), UNREADABLE),
        ("a list of people", format!("{more}user_id%5B%5D={user}&text=alice+analytics"), "OFFBOARD.40003"),
        ("a person by name", format!("{more}user_name=steve&text=alice+analytics"), "OFFBOARD.40003"),
        ("nobody", format!("{more}user_id=&text=alice+analytics"), "OFFBOARD.40003"),
        ("JSON", format!("{{\"user_id\":\"{user}\",\"text\":\"alice analytics\"}}"), "OFFBOARD.40003"),
        ("semicolons", format!("{more}user_id={user};text=alice+analytics"), "OFFBOARD.40010"),
        ("somebody with a space", format!("{more}user_id={user}+&text=alice+analytics"), "OFFBOARD.40010"),
        ("somebody with a slash", format!("{more}user_id=x/{user}&text=alice+analytics"), "OFFBOARD.40010"),
        ("somebody and a null character", format!("{more}user_id={user}%00&text=alice+analytics"), "OFFBOARD.40010"),
        (
            "somebody in another case",
            format!("{more}user_id={}&text=alice+analytics", other_case(user)),
            "OFFBOARD.40010",
        ),
    ];
    let row = |(idea, body, code): (&str, String, &'static str)| {
        let wire = forge.with(|ask| ask["body"] = body.into());
        let row = forge.proved(format!("the form has {idea}"), wire, code);
        // A form without a token proves no platform.
        let nobody = forge.kind.name == "mattermost" && idea == "JSON";
        if nobody {
            Row { status: 401, codes: vec!["OFFBOARD.40105"], proved: false, ..row }
        } else {
            Row { proved: false, ..row }
        }
    };
    bodies.into_iter().map(row).collect()
}

fn other_case(text: &str) -> String {
    if text.chars().any(|c| c.is_ascii_uppercase()) { text.to_lowercase() } else { text.to_uppercase() }
}

/// WeCom's XML: around the ciphertext, where an attacker can write, and inside, where only the platform can.
fn documents(forge: &Forge<'_>) -> Vec<Row> {
    let honest = forge.honest();
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    let outside = [
        ("a DTD", format!("<!DOCTYPE xml>{}", honest.body), UNREADABLE),
        ("entities that grow", format!("{bomb}{}", honest.body), UNREADABLE),
        (
            "an entity from outside",
            format!(
                "<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]>{}",
                honest.body.replacen("<xml>", "<xml><A>&y;</A>", 1)
            ),
            UNREADABLE,
        ),
        ("an entity that is not declared", honest.body.replacen("<xml>", "<xml><A>&y;</A>", 1), UNREADABLE),
        ("two ciphertexts", honest.body.replacen("<xml>", "<xml><Encrypt>AAAA</Encrypt>", 1), TWICE),
        ("two documents", format!("{0}{0}", honest.body), UNREADABLE),
        (
            "another document's name",
            honest.body.replacen("<xml>", "<yml>", 1).replacen("</xml>", "</yml>", 1),
            UNREADABLE,
        ),
        ("an end that is missing", honest.body.replacen("</xml>", "", 1), UNREADABLE),
        (
            "elements in elements, 4000 deep",
            format!("<xml>{}{}</xml>", "<a>".repeat(4_000), "</a>".repeat(4_000)),
            "OFFBOARD.40003",
        ),
        ("JSON", "{\"encrypt\":\"AAAA\"}".to_owned(), UNREADABLE),
        ("nothing", String::new(), UNREADABLE),
    ];
    let mut rows: Vec<_> = outside
        .into_iter()
        .map(|(idea, body, code)| {
            let mut wire = honest.clone();
            wire.body = body;
            Row::unproved(format!("the envelope has {idea}"), wire, code)
        })
        .collect();
    let to = "<ToUserName>wx5823bf96d3bd56c7</ToUserName><FromUserName>zhangsan</FromUserName>";
    let said = "<MsgType>text</MsgType><Content>alice analytics</Content><MsgId>1</MsgId>";
    let inside = [
        ("a DTD", format!("<!DOCTYPE xml><xml>{to}{said}</xml>"), UNREADABLE),
        ("entities that grow", format!("{bomb}<xml>{to}<A>&c;</A>{said}</xml>"), UNREADABLE),
        ("an entity that is not declared", format!("<xml>{to}<A>&y;</A>{said}</xml>"), UNREADABLE),
        ("somebody twice", format!("<xml>{to}<FromUserName>root</FromUserName>{said}</xml>"), TWICE),
        ("a command twice", format!("<xml>{to}{said}<Content>bob analytics</Content></xml>"), TWICE),
        ("two documents", format!("<xml>{to}{said}</xml><xml>{to}{said}</xml>"), UNREADABLE),
        ("something behind it", format!("<xml>{to}{said}</xml>alice"), UNREADABLE),
        ("no end", format!("<xml>{to}{said}"), UNREADABLE),
        ("JSON", "{\"msgtype\":\"text\"}".to_owned(), UNREADABLE),
    ];
    rows.extend(inside.into_iter().map(|(idea, body, code)| {
        let wire = forge.with(|ask| ask["body"] = body.into());
        Row { proved: false, ..forge.proved(format!("the message has {idea}"), wire, code) }
    }));
    rows
}
