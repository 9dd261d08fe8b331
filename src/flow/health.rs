//! `GET /healthz`: whether the operator's files can be used.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use crate::app::App;
use crate::flow::secrets::unusable;
use crate::host::Host;
use crate::ledger::row::RemovalId;
use crate::reply::Rendered;
use crate::reply::response::{Facts, build};

/// The versions of gateway, configuration and policies, or the places of the errors in the files; and how many variables hold no
/// secret of their caller's kind, or none for an access key. What stands in a file is for the log: strangers may ask, and a value
/// in the wrong place may be a secret.
pub(super) async fn response<H: Host>(host: &H, app: Result<&App, &str>, id: &RemovalId) -> Response<Bytes> {
    let version = env!("CARGO_PKG_VERSION");
    let (status, body) = match app {
        Ok(app) => {
            let mut body = json!({"status": "ok", "version": version, "config": app.config.digest, "policy": app.policies.digest()});
            let unusable = unusable(host, &app.config).await;
            if let (false, Some(fields)) = (unusable.is_empty(), body.as_object_mut()) {
                host.log(&format!("health: no usable secret: variable `{}`", unusable.join("`, `")));
                fields.insert("unusable_secrets".into(), unusable.len().into());
            }
            (StatusCode::OK, body)
        }
        Err(places) => {
            let reason = format!("{places}: cannot be used; the log says why");
            (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "unusable", "version": version, "reason": reason}))
        }
    };
    build(Rendered::json(status, body.to_string()), &Facts { request_id: id.as_str(), ..Facts::default() })
}
