//! Plays a client of TaurusDB's own API, such as a portal on the official SDK: the documented DELETE, signed with
//! SDK-HMAC-SHA256 and an access key that the gateway's operator issued.

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use percent_encoding::utf8_percent_encode;

use super::demo_caller::{DemoCaller, DemoRequest};
use crate::simulator::senders::{self, ENCODED, SdkRequest};

pub(super) const CALLER: DemoCaller = DemoCaller {
    name: "portal",
    kind: "api",
    id: Some("HPUAPORTALKEY0000001"),
    variable: "portal_secret_key",
    secret: "demo-portal-secret-key",
    proof: "Authorization, an SDK-HMAC-SHA256 of the request under that access key's secret",
    grammar: "ACCOUNT",
    request,
};

fn request(asked: &DemoRequest<'_>) -> anyhow::Result<Request<Bytes>> {
    ensure!(!asked.text.contains(' '), "TaurusDB's own API takes an account and no reason; write {}", CALLER.grammar);
    let instance = asked.config.instance(asked.instance).ok().with_context(|| {
        let names: Vec<_> = asked.config.instances().iter().map(|instance| format!("`{}`", instance.name)).collect();
        format!("instance `{}` is not in config/offboard.toml; use one of {}", asked.instance, names.join(", "))
    })?;
    let path = format!("/v3/{}/instances/{}/starrocks/users", instance.project_id, instance.instance_id);
    let target = format!("{path}?user_name={}", utf8_percent_encode(asked.text, ENCODED));
    let content_type = (CONTENT_TYPE.as_str(), "application/json");
    let signed =
        SdkRequest { method: "DELETE", target: &target, headers: vec![content_type], host: asked.host, body: b"" };
    let proof = senders::sdk_hmac(&signed, asked.id, asked.secret, asked.now.timestamp());
    let mut request = Request::delete(&target).header(HOST, asked.host).header(content_type.0, content_type.1);
    for (name, value) in proof {
        request = request.header(name, value);
    }
    Ok(request.body(Bytes::new())?)
}
