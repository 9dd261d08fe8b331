//! Answers of TaurusDB that a test or a fixture plans, in place of what the simulated one would say.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use local::simulator::server::Simulator;
use local::simulator::wire::Answer;
use serde::Deserialize;

/// Stands in variables, configuration and planned headers for the simulated TaurusDB's address.
pub const SIMULATOR: &str = "{simulator}";

/// A planned answer of TaurusDB.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Planned {
    /// The HTTP status.
    pub status: u16,
    /// The header `Content-Type`; empty for none.
    pub content_type: String,
    /// More headers.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// How many spaces follow the body: a reader of all of them reads the same JSON.
    pub spaces: usize,
    /// The connection ends before the body does.
    pub cut_short: bool,
    /// The connection ends without an answer.
    pub hang_up: bool,
    /// The account is removed all the same.
    pub after_effect: bool,
}

impl Default for Planned {
    fn default() -> Self {
        Self {
            status: 200,
            content_type: "application/json".into(),
            headers: BTreeMap::new(),
            body: String::new(),
            spaces: 0,
            cut_short: false,
            hang_up: false,
            after_effect: false,
        }
    }
}

impl Planned {
    /// Makes this the simulator's next answer.
    pub fn line_up(&self, simulator: &Simulator) {
        let answer = self.answer(simulator);
        if self.after_effect {
            simulator.on_next_after_effect(answer);
        } else {
            simulator.on_next(answer);
        }
    }

    fn answer(&self, simulator: &Simulator) -> Answer {
        let status = StatusCode::from_u16(self.status).unwrap();
        let body = Bytes::from([self.body.as_bytes(), &vec![b' '; self.spaces]].concat());
        if self.hang_up {
            return Answer::hang_up();
        }
        if self.cut_short {
            return Answer::cut_short(status, &body);
        }
        let mut response = http::Response::builder().status(status);
        if !self.content_type.is_empty() {
            response = response.header("content-type", &self.content_type);
        }
        for (name, value) in &self.headers {
            response = response.header(name, value.replace(SIMULATOR, &simulator.endpoint()));
        }
        Answer::Http(response.body(body).unwrap())
    }
}
