//! A request of any caller kind: as it came, proved by the harness, proved with another caller's secret, or read as if it
//! were proved.

use std::cell::RefCell;

use bytes::Bytes;
use starrocks_offboard::callers;
use starrocks_offboard::callers::chat::message::ChatMessage;
use starrocks_offboard::callers::chat::text::Text;
use starrocks_offboard::callers::follow_up::Acknowledgement;
use starrocks_offboard::callers::kind::{Envelope, Verified};
use starrocks_offboard::callers::parsed::{Parsed, Sender};
use starrocks_offboard::callers::proof::{ActiveSecret, Proof, Subject};
use starrocks_offboard::outcome::denial::Denial;
use starrocks_offboard::outcome::language::Language;
use starrocks_offboard::outcome::message::Message;
use starrocks_offboard::outcome::{Denied, Evidence, Outcome, catalog};
use starrocks_offboard::reply::{Person, Rendered, Reply, RequestFacts};
use starrocks_offboard::request::actor::Groups;
use starrocks_offboard::request::command::Command;
use starrocks_offboard::request::ids::DeliveryId;
use starrocks_offboard::request::inbound::Inbound;
use starrocks_offboard::secret::Secret;
use support::memory::Cloud;

use crate::kinds::{self, Kind, NOW, POLICY, SCHEMA};
use crate::watched::{self, Script, World};
use crate::{proof, wire};

/// `[caller, way, request]`, the request as `wire::inbound` reads it.
pub fn caller(data: &[u8]) {
    let [of, way, text @ ..] = data else { return };
    let kind = kinds::kind(*of);
    let Some(mut inbound) = wire::inbound(text) else { return };
    match way % 4 {
        0 => drop(whole(kind, inbound)),
        1 => {
            if proof::prove(&kind.kind, &kind.secret, NOW, "nonce0123456789a", &mut inbound).is_some() {
                whole(kind, inbound);
            }
        }
        2 => {
            if proof::prove(&kind.kind, &kind.other_secret, NOW, "nonce0123456789a", &mut inbound).is_some() {
                let actors = whole(kind, inbound);
                assert!(actors.is_empty(), "another caller's secret proved {actors:?}");
            }
        }
        _ => as_if_proved(kind, &inbound),
    }
}

/// The whole story; who was proved to have asked.
fn whole(kind: &Kind, inbound: Inbound) -> Vec<String> {
    let mut memory = watched::memory(&[
        ("huaweicloud_access_key", "AK"),
        ("huaweicloud_secret_key", "upstream-secret-51cc"),
        ("taurusdb_endpoint", "https://*.myhuaweicloud.com"),
    ]);
    memory.now.set(NOW * 1000);
    memory.variables.extend(kind.variables.clone());
    memory.files.extend(kind.files.clone());
    let cloud = watched::cloud(&["alice", "bob", "etl_night", "root"]);
    memory.cloud = Some(Cloud { published: RefCell::new(kind.published.clone()), ..cloud });
    // A sender may get back in clear what it sent in clear.
    let sent = format!("{inbound:?} {}", String::from_utf8_lossy(&inbound.body));
    let decoded = percent_encoding::percent_decode_str(&sent).decode_utf8_lossy().replace('+', " ");
    let secrets = kind.secrets.iter().map(String::as_str).chain(["upstream-secret-51cc"]);
    let secrets: Vec<_> =
        secrets.filter(|secret| secret.len() > 5 && !sent.contains(secret) && !decoded.contains(secret)).collect();
    let world = World::new(memory, &secrets);
    let app = watched::app(&kind.offboard, POLICY, SCHEMA);
    let answer = watched::run(watched::ask(&world, Ok(&app), inbound, 20, Script::default()));
    assert!(answer.is_some(), "an answer");
    let actors = world.actors();
    if actors.is_empty() {
        assert_eq!(world.deletes(), 0, "no requester asked");
    }
    watched::keep(&kind.offboard, POLICY, SCHEMA, app);
    world.end();
    actors
}

/// What stands behind the proof, without one: the body is what an encrypted one would hold.
fn as_if_proved(kind: &Kind, inbound: &Inbound) {
    let Some(of) = callers::kind(&kind.kind) else { return };
    let Some(caller) = kind.config.callers().find(|caller| caller.name == kind.name) else { return };
    let parts: Vec<_> = caller
        .keys
        .iter()
        .flat_map(|key| &key.variables)
        .filter_map(|(part, variable)| Some((*part, Secret::new(kind.variables.get(variable)?.clone())?)))
        .collect();
    let key = ActiveSecret::new(caller.keys.first().and_then(|key| key.id.clone()), parts);
    let proof = Proof {
        key_id: key.as_ref().and_then(|key| key.id.clone()),
        key: key.clone(),
        subject: key
            .is_none()
            .then(|| Subject { id: "dana".into(), groups: Groups::new(vec!["dba".into()], i64::MAX) }),
        plain: Some(inbound.body.clone()),
        ..Proof::of(DeliveryId::new(caller, &[b"delivery"]))
    };
    for language in [Language::English, Language::Chinese] {
        let parsed = of.parse(Verified { inbound, proof: &proof, caller }, &kind.config);
        let sender = parsed.sender();
        if let Some(Sender { actor, .. }) = sender {
            assert_eq!((actor.caller.as_str(), actor.kind.as_str()), (caller.name.as_str(), caller.kind.as_str()));
            let id = actor.principal.strip_prefix(caller.name.as_str()).expect("a principal begins with its caller");
            assert!(id.is_empty() || (id.starts_with('/') && id.len() > 1), "{actor:?}");
        }
        let (outcome, account) = match &parsed {
            Parsed::Refused { error, .. } => (Outcome::from(error.clone()), None),
            Parsed::Command { command: Command::RemoveAccount { user_name, instance, .. }, .. } => {
                crate::chat::may_be_asked_for(user_name.as_str());
                assert!(kind.config.instances().contains(instance), "{instance:?}");
                (Outcome::Removed(Evidence::Answer), Some((user_name.as_str(), instance.name.as_str())))
            }
            Parsed::Command { command: Command::OffboardLeavers(leavers), .. } => {
                assert!(!leavers.is_empty());
                (Outcome::Denied(Denied::Removal(Denial::by(vec!["p".into()]))), None)
            }
            Parsed::Command { command: Command::DecideApproval { id, .. } | Command::GetRemoval { id }, .. } => {
                (Outcome::Refused(Message::new(&catalog::PENDING_UNKNOWN).quoting("id", id.as_str())), None)
            }
            _ => continue,
        };
        let clicked = sender.and_then(|sender| sender.clicked);
        let policies = ["dba-removes-on-staging".to_owned()];
        let answer = Reply { language, account, clicked, ..reply(&outcome, &policies) };
        let rendered = of.render(&answer);
        sound(&rendered);
        if let (Some(envelope), Some(key)) = (of.encryption(), &key) {
            let now = chrono::DateTime::from_timestamp(NOW, 0).expect("it is a time");
            let envelope_of = Envelope { caller, key, plain: &inbound.body, now, random: 7 };
            sound(&envelope(rendered, &envelope_of));
        }
        let address = sender.and_then(|sender| sender.reply_address.as_ref());
        let follows = address.is_some();
        if let Some(render) = of.acknowledge() {
            sound(&render(&Acknowledgement { language, account, row: "01a2", follows, clicked }));
        }
        if let Some(later) = of.follow_up() {
            for body in (later.bodies)(&answer) {
                serde_json::from_str::<serde_json::Value>(&body).unwrap_or_else(|why| panic!("{why}: {body}"));
            }
            if let Some(kept) = address {
                let again = (later.at)(caller, kept.url()).map(|later| later.url().to_owned());
                assert_eq!(again.as_deref(), Some(kept.url()), "what is kept is one of the platform's");
            }
        }
        if let Some(chat) = of.chat() {
            let text = Text::quote(String::from_utf8_lossy(&inbound.body));
            sound(&chat.show(&ChatMessage::new(language, None, text)));
        }
    }
}

/// A reply with all that one may say.
fn reply<'a>(outcome: &'a Outcome, policies: &'a [String]) -> Reply<'a> {
    Reply {
        outcome,
        language: Language::English,
        account: None,
        environment: Some("staging"),
        request: RequestFacts {
            approvers: vec![Person { name: None, principal: "slack/U0ERIN" }],
            ..RequestFacts::default()
        },
        policies,
        meaning: None,
        retry_after: None,
        removal_id: "01a20cdd732b69ed97f48586a60db1dd",
        upstream_request_id: None,
        clicked: None,
        is_decided_already: false,
    }
}

fn sound(rendered: &Rendered) {
    let body = Bytes::from(rendered.body.clone());
    if rendered.content_type.contains("json") && !body.is_empty() {
        serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_else(|why| panic!("{why}: {rendered:?}"));
    }
}
