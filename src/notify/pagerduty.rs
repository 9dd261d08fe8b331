//! PagerDuty, by the Events API v2 (<https://developer.pagerduty.com/docs/events-api-v2/overview/>). What is told of one request has one
//! `dedup_key`: a second event changes nothing, and the decision resolves the incident.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::callers::chat::format::truncate;
use crate::config::notify::{NotifyEvent, NotifyService, ROUTING_KEY};
use crate::host::Answered;
use crate::notify::notice::Notice;
use crate::notify::platform::{NotifyPlatform, Recipient, Unsendable};
use crate::notify::verdict::{Verdict, answered, by_status, undocumented};
use crate::notify::webhook;

pub(super) struct Pagerduty;

/// The most characters of a summary.
const LONGEST_SUMMARY: usize = 1024;

impl NotifyPlatform for Pagerduty {
    fn request(&self, notice: &Notice<'_>, to: &Recipient<'_>) -> Result<Request<Bytes>, Unsendable> {
        let expected = Unsendable::Form(ROUTING_KEY, "an integration key of 32 letters and digits");
        let NotifyService::Pagerduty { server, .. } = to.service else { return Err(expected) };
        let key = to.secret(ROUTING_KEY)?.expose();
        if key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(expected);
        }
        let uri = format!("{server}/v2/enqueue").parse().map_err(|_| expected)?;
        let body = match notice.event {
            NotifyEvent::Decided => {
                json!({"routing_key": key, "event_action": "resolve", "dedup_key": notice.thread})
            }
            event => {
                let links = notice.link.iter().map(|link| json!({"href": link, "text": notice.open()}));
                json!({
                    "routing_key": key,
                    "event_action": "trigger",
                    "dedup_key": notice.thread,
                    "payload": {
                        "summary": truncate(&notice.title(), LONGEST_SUMMARY),
                        "source": "offboard",
                        "severity": severity(event),
                        "timestamp": notice.since.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
                        "custom_details": notice.facts,
                    },
                    "links": links.collect::<Vec<Value>>(),
                })
            }
        };
        Ok(webhook::json(Method::POST, uri, &body))
    }

    fn verdict(&self, answer: &Answered) -> Verdict {
        match by_status(answer) {
            Some(verdict) => verdict,
            None if answer.status() == StatusCode::ACCEPTED => Verdict::Delivered(None),
            None if answer.status().is_success() => undocumented(answer),
            None => Verdict::Refused(answered(answer)),
        }
    }

    fn takes_twice(&self) -> bool {
        true
    }
}

fn severity(event: NotifyEvent) -> &'static str {
    match event {
        NotifyEvent::RefusedCredentials => "critical",
        NotifyEvent::Unknown => "error",
        NotifyEvent::Waiting | NotifyEvent::Reminder | NotifyEvent::Brake => "warning",
        NotifyEvent::Decided => "info",
    }
}
