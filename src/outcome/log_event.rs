//! Events in the log: lines of JSON, for the pipeline that keeps a copy of the audit trail. All other lines are texts
//! ([`Host::log`]).

use serde_json::Value as Json;

use crate::host::Host;
use crate::outcome::unseen::visible_json;

/// Writes an event, which is a JSON object, to the log: as one line, with the labels of the request.
pub fn log_event<H: Host>(host: &H, mut event: Json) {
    if let Json::Object(fields) = &mut event {
        host.labels().borrow().add_to(fields);
    }
    host.write_line(&visible_json(&event));
}
