//! An address for the answer after the answer is believed where it is the platform's own and nowhere else: else no person is told
//! anything, and what was asked for is done all the same.

use serde_json::Value;
use support::kind::Kind;
use support::stage::{Stage, Wire};

use crate::adversary::buttons::{Who, gateway, id};
use crate::adversary::shared::{answered, kinds_of, made, reference, state};
use crate::callers::kinds::InMemory;

/// `{host}` and `{path}` are the platform's.
const ADDRESSES: &[(&str, &str)] = &[
    ("another host", "https://evil.example{path}"),
    ("without TLS", "http://{host}{path}"),
    ("a host that begins like it", "https://{host}.evil.example{path}"),
    ("a host that ends like it", "https://evil-{host}{path}"),
    ("a host below it", "https://evil.{host}{path}"),
    ("it as a name of a user", "https://{host}@evil.example{path}"),
    ("it as a name and a password", "https://{host}:443@evil.example{path}"),
    ("a user of its own", "https://user:password@{host}{path}"),
    ("an empty user", "https://@{host}{path}"),
    ("another port", "https://{host}:8443{path}"),
    ("the default port, written", "https://{host}:443{path}"),
    ("an empty port", "https://{host}:{path}"),
    ("an address", "https://203.0.113.7{path}"),
    ("an address in one number", "https://3405803783{path}"),
    ("an address in hexadecimal digits", "https://0xcb007107{path}"),
    ("a loopback address", "http://127.0.0.1{path}"),
    ("a loopback name", "https://localhost{path}"),
    ("a loopback address of IPv6", "https://[::1]{path}"),
    ("where clouds keep credentials", "http://169.254.169.254{path}"),
    ("TaurusDB", "https://gaussdb.ap-southeast-3.myhuaweicloud.com.evil.example{path}"),
    ("a full stop at the end", "https://{host}.{path}"),
    ("an encoded full stop", "https://{host}%2eevil.example{path}"),
    ("a full-width full stop", "https://{host}．evil.example{path}"),
    ("an ideographic full stop", "https://{host}。evil.example{path}"),
    ("a Cyrillic letter", "https://{cyrillic}{path}"),
    ("a zero-width space", "https://{host}\u{200b}.evil.example{path}"),
    ("a soft hyphen", "https://{host}\u{ad}{path}"),
    ("a backslash", "https://{host}\\@evil.example{path}"),
    ("backslashes for slashes", "https:\\\\{host}{path}"),
    ("it in a fragment", "https://evil.example#{host}{path}"),
    ("it in a query", "https://evil.example?{host}{path}"),
    ("it in a path", "https://evil.example/{host}{path}"),
    ("no scheme", "//{host}{path}"),
    ("no host", "https:{path}"),
    ("a path", "{path}"),
    ("a file", "file:///etc/passwd"),
    ("a script", "javascript:fetch('https://evil.example')"),
    ("data", "data:text/plain,x"),
    ("another scheme", "ftp://{host}{path}"),
    ("a scheme in front of the scheme", "https://https://{host}{path}"),
    ("a space before it", " https://{host}{path}"),
    ("a space in it", "https://{host} .evil.example{path}"),
    ("a line break", "https://{host}\r\nHost: evil.example\r\n{path}"),
    ("a null character", "https://{host}\u{0}.evil.example{path}"),
    ("nothing", ""),
];

/// Of the same host, and for something else.
const ELSEWHERE: &[(&str, &[(&str, &str)])] = &[
    (
        "dingtalk",
        &[
            ("another call", "https://oapi.dingtalk.com/robot/send?access_token=x"),
            ("another call, after this one", "https://oapi.dingtalk.com/robot/sendBySession/../send?access_token=x"),
            ("a call that begins like it", "https://oapi.dingtalk.com/robot/sendBySessionToo?session=x"),
        ],
    ),
    (
        "mattermost",
        &[
            ("another call", "https://mattermost.example.com/api/v4/users"),
            ("another hook", "https://mattermost.example.com/hooks/abc"),
            ("a parent folder", "https://mattermost.example.com/hooks/commands/../../api/v4/users"),
            ("an encoded parent folder", "https://mattermost.example.com/hooks/commands/%2e%2e"),
            ("a query", "https://mattermost.example.com/hooks/commands/abc?x=1"),
            ("nothing behind it", "https://mattermost.example.com/hooks/commands/"),
        ],
    ),
];

/// The host, and a path there that is the right one.
const PLACES: &[(&str, &str, &str)] = &[
    ("slack", "hooks.slack.com", "/commands/T0001/1/Xu0r2gWtEBNkYpLc"),
    ("mattermost", "mattermost.example.com", "/hooks/commands/abc"),
    ("dingtalk", "oapi.dingtalk.com", "/robot/sendBySession?session=abc"),
    ("wecom-bot", "qyapi.weixin.qq.com", "/cgi-bin/aibot/response?response_code=abc"),
];

fn addresses(kind: &Kind) -> Vec<(String, String)> {
    let Some((_, host, path)) = PLACES.iter().find(|(name, ..)| kind.name == *name) else { return Vec::new() };
    let cyrillic = host.replacen('o', "\u{43e}", 1);
    let filled = |text: &str| text.replace("{host}", host).replace("{path}", path).replace("{cyrillic}", &cyrillic);
    let mut addresses: Vec<_> = ADDRESSES.iter().map(|(idea, text)| ((*idea).to_owned(), filled(text))).collect();
    let of = ELSEWHERE.iter().find(|(name, _)| kind.name == *name).map_or(&[][..], |(_, of)| of);
    addresses.extend(of.iter().map(|(idea, text)| (format!("of the same host, {idea}"), (*text).to_owned())));
    addresses
}

/// Parts that Discord's address is made of: `application_id`, `token`, and whether there is one then.
const DISCORD: &[(&str, &str, &str, bool)] = &[
    ("an application that is a path", "../../../evil", "abc", false),
    ("an application with a host", "845027738276462632@evil.example", "abc", false),
    ("an application with a slash", "845027738276462632/../1", "abc", false),
    ("an application with a query", "845027738276462632?x=", "abc", false),
    ("no application", "", "abc", false),
    ("no token", "845027738276462632", "", false),
    ("a token that is a path", "845027738276462632", "../../../../evil", true),
    ("a token that is an address", "845027738276462632", "https://evil.example/", true),
    ("a token with a host", "845027738276462632", "@evil.example", true),
    ("a token with a query", "845027738276462632", "a?wait=true&thread_id=1", true),
    ("a token with a fragment", "845027738276462632", "a#b", true),
    ("a token that is encoded", "845027738276462632", "%2e%2e%2f", true),
    ("a token with a line break", "845027738276462632", "a\r\nHost: evil.example", true),
];

/// Parts of the id of a message at Feishu, which its address is made of.
const FEISHU: &[(&str, &str)] = &[
    ("a path", "/../../../evil"),
    ("a query", "?x="),
    ("a fragment", "#"),
    ("a host", "@evil.example/"),
    ("an encoded slash", "%2f"),
    ("a space", " "),
    ("a line break", "\r\n"),
    ("a letter that is not ASCII", "\u{43e}"),
];

pub(super) fn names() -> Vec<String> {
    let named = |kind: &str, idea: &str| format!("{kind}/later: {idea}");
    let mut names = Vec::new();
    for kind in kinds_of(&["slack", "mattermost", "dingtalk", "wecom-bot"]) {
        names.extend(addresses(&kind).iter().map(|(idea, _)| named(&kind.name, idea)));
    }
    for kind in kinds_of(&["discord"]) {
        names.extend(DISCORD.iter().map(|(idea, ..)| named(&kind.name, idea)));
    }
    for kind in kinds_of(&["feishu"]) {
        names.extend(FEISHU.iter().map(|(idea, _)| named(&kind.name, &format!("a message id with {idea}"))));
    }
    names
}

/// What takes long, asked for with this in the request: the DELETEs, what was posted elsewhere than to TaurusDB, and the state.
async fn asked(kind: &Kind, make: impl Fn(&InMemory) -> Wire) -> (usize, Vec<String>, String) {
    let stage = InMemory::open(kind.setup(false, &[]).slowly(true)).await;
    stage.send(&make(&stage)).await;
    if state(&stage) == "awaiting-confirmation" {
        let words = format!("confirm {}", reference(&stage));
        let mut confirm = made(&stage, kind, |ask| ask["say"]["text"] = words.clone().into());
        // With the same address as before.
        let session: Value = serde_json::from_str(&make(&stage).body).unwrap();
        let mut body: Value = serde_json::from_str(&confirm.body).unwrap();
        body["sessionWebhook"] = session["sessionWebhook"].clone();
        confirm.body = body.to_string();
        stage.send(&confirm).await;
    }
    assert!(!answered(&stage).is_empty());
    let sent = stage.host.sent.borrow();
    let elsewhere = sent.iter().filter(|request| {
        let host = request.uri().host().unwrap_or_default();
        !host.ends_with(".myhuaweicloud.com") && !host.ends_with("googleapis.com")
    });
    (stage.deletes(), elsewhere.map(|request| request.uri().to_string()).collect(), state(&stage))
}

fn saying(kind: &Kind, address: &str) -> impl Fn(&InMemory) -> Wire {
    let (kind, address) = (kind.clone(), address.to_owned());
    move |stage| {
        if kind.name == "mattermost" {
            // Its form, with another field in place of this one.
            let honest = made(stage, &kind, |_| ());
            let (before, _) = honest.body.split_once("response_url=").unwrap();
            let (_, after) = honest.body.split_once("&team_domain").unwrap();
            let encoded = percent_encoding::utf8_percent_encode(&address, percent_encoding::NON_ALPHANUMERIC);
            let body = format!("{before}response_url={encoded}&team_domain{after}");
            return made(stage, &kind, |ask| ask["body"] = body.into());
        }
        let key = if kind.name == "dingtalk" { "session" } else { "response_url" };
        if kind.name == "slack" && address.is_empty() {
            // Its platform.py takes an empty one for none.
            return made(stage, &kind, |ask| ask["say"][key] = " ".into());
        }
        made(stage, &kind, |ask| ask["say"][key] = address.clone().into())
    }
}

#[tokio::test]
async fn nobody_is_told_anything_elsewhere() {
    let mut failures = String::new();
    for kind in kinds_of(&["slack", "mattermost", "dingtalk", "wecom-bot"]) {
        // This is what would be told, and where.
        let (_, host, path) = PLACES.iter().find(|(name, ..)| kind.name == *name).unwrap();
        let right = asked(&kind, saying(&kind, &format!("https://{host}{path}"))).await;
        assert_eq!(right, (1, vec![format!("https://{host}{path}")], "removed".into()), "{}", kind.name);
        for (idea, address) in addresses(&kind) {
            let seen = asked(&kind, saying(&kind, &address)).await;
            if seen != (1, Vec::new(), "removed".into()) {
                failures += &format!("{}/later: {idea}: {address}: {seen:?}\n", kind.name);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[tokio::test]
async fn an_address_that_is_made_of_parts_is_the_platforms_whatever_they_are() {
    let mut failures = String::new();
    for kind in kinds_of(&["discord"]) {
        for (idea, application, token, is_one) in DISCORD {
            let saying = |stage: &InMemory| {
                let mut body: Value = serde_json::from_str(&made(stage, &kind, |_| ()).body).unwrap();
                body["application_id"] = (*application).into();
                body["token"] = (*token).into();
                made(stage, &kind, |ask| ask["body"] = body.to_string().into())
            };
            let (deletes, told, state) = asked(&kind, saying).await;
            let start = format!("https://discord.com/api/v10/webhooks/{application}/");
            let good = |url: &String| {
                let rest = url.strip_prefix(&start);
                rest.is_some_and(|rest| {
                    !rest.is_empty() && !rest.contains(['/', '?', '#', '@', ' ', '\r']) && rest != ".."
                })
            };
            let right = told.len() == usize::from(*is_one) && told.iter().all(good);
            if !right || (deletes, state.as_str()) != (1, "removed") {
                failures += &format!("discord/later: {idea}: {told:?} {deletes} {state}\n");
            }
        }
    }
    for kind in kinds_of(&["feishu"]) {
        for (idea, nonce) in FEISHU {
            let saying = |stage: &InMemory| made(stage, &kind, |ask| ask["nonce"] = (*nonce).into());
            let (deletes, told, state) = asked(&kind, saying).await;
            if (deletes, told.len(), state.as_str()) != (1, 0, "removed") {
                failures += &format!("feishu/later: a message id with {idea}: {told:?} {deletes} {state}\n");
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// Case A13: a channel of Discord's is sealed under a secret, and not under the caller's key, which is public.
#[tokio::test]
async fn a13_a_channel_of_discord_is_sealed_under_a_secret() {
    for kind in kinds_of(&["discord"]) {
        for (secret, told) in [("upstream-secret", 1), ("another secret", 0)] {
            let (mut stage, _) = gateway(&kind).await;
            stage.send(&made(&stage, &kind, |ask| ask["say"]["text"] = "alice warehouse".into())).await;
            stage.host.variables.insert("huaweicloud_secret_key".into(), secret.into());
            let deny = format!("deny {}", reference(&stage));
            let wire = made(&stage, &kind, |ask| {
                ask["say"]["user"] = id(&kind, Who::Other).into();
                ask["say"]["text"] = deny.into();
            });
            stage.send(&wire).await;
            assert_eq!((state(&stage).as_str(), stage.posted(0).await.len()), ("rejected", told), "{secret}");
        }
    }
}
