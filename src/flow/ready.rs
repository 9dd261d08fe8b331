//! `GET /readyz`: whether a removal could be carried out now, as far as the gateway can tell without sending anything.
//!
//! Ready means: the operator's files can be used, the ledger opens and is durable, and the credentials for TaurusDB are set. Each
//! question opens the ledger anew, so that a database that went away is noticed. No row is written or read.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use crate::app::App;
use crate::flow::exchange::Arrival;
use crate::host::{Host, StoreError};
use crate::ledger::{GATEWAY, Ledger, location};
use crate::outbound::budget::Budget;
use crate::reply::Rendered;
use crate::reply::response::{Facts, build};
use crate::taurusdb::Taurusdb;

/// Why the gateway is not ready, for probes and their readers: strangers may ask, so the rest is in the log.
const FILES: &str = "the operator's files cannot be used; /healthz says where";
const LOCATION: &str = "the variable `ledger` cannot be used; the log says why";
const LEDGER: &str = "the ledger cannot be opened; the log says why";
const CREDENTIALS: &str = "credentials for TaurusDB are not set or not usable; the log says which variable";

/// The response: 200 if the gateway is ready, 503 if it is not.
pub(super) async fn response<H: Host>(host: &H, app: Result<&App, &str>, arrival: &Arrival) -> Response<Bytes> {
    let kind = host.database().await;
    let reason = match (&kind, app) {
        (_, Err(_)) => Some(FILES.to_owned()),
        (Err(why), _) => {
            host.log(&format!("ready: {why}"));
            Some(LOCATION.to_owned())
        }
        (Ok(_), Ok(app)) => match Ledger::open(host).await {
            Err(why @ StoreError::InMemory) => Some(why.to_string()),
            Err(why) => {
                host.log(&format!("ready: ledger: {why}"));
                Some(LEDGER.to_owned())
            }
            Ok(_) if !has_credentials(host, app, arrival).await => Some(CREDENTIALS.to_owned()),
            Ok(_) => None,
        },
    };
    let ledger = kind.as_ref().ok().map(|kind| location::name(*kind));
    let (status, word) = match reason {
        None => (StatusCode::OK, "ready"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "not-ready"),
    };
    let body = json!({"status": word, "version": GATEWAY, "ledger": ledger, "reason": reason});
    let facts = Facts { request_id: arrival.id.as_str(), ..Facts::default() };
    build(Rendered::json(status, body.to_string()), &facts)
}

/// Whether each instance's credentials are set. Instances that share their credentials are one question.
async fn has_credentials<H: Host>(host: &H, app: &App, arrival: &Arrival) -> bool {
    let budget = Budget::new(arrival.began, app.config.limits);
    let mut seen = BTreeSet::new();
    for instance in app.config.instances() {
        if seen.insert(Arc::as_ptr(&instance.credentials))
            && Taurusdb::of_instance(host, &app.tokens, &budget, instance, arrival.language).await.is_err()
        {
            return false;
        }
    }
    true
}
