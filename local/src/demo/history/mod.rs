//! The demonstration's history: what the console has to show.
//!
//! All of it is requests to the component, signed as those of the exchanges are, at times of the past four weeks: nothing is written
//! into the ledger behind the component's back.

mod calendar;
pub(super) mod directory;
mod episodes;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use chrono::TimeDelta;
use http::{Request, Response};
use serde_json::Value;
use starrocks_offboard::config::Config;

use super::answer::Answer;
use super::clock::DemoClock;
use super::compare::Mismatch;
use super::demo_caller::{DemoCaller, DemoRequest, nonce};
use super::{api, slack, standard_webhooks};
use crate::http_client as client;
use crate::simulator::server::Simulator;
use episodes::{ACCOUNTS, Act, EPISODES, Episode};

/// What the history is made with.
pub(super) struct History<'a> {
    pub(super) config: &'a Config,
    pub(super) simulator: &'a Simulator,
    pub(super) clock: &'a DemoClock,
    /// The component's.
    pub(super) address: SocketAddr,
}

/// What became of the history.
#[derive(Default)]
pub(super) struct Made {
    /// The requests that were sent.
    pub(super) requests: usize,
    /// How many of the episodes wait for a person.
    pub(super) waiting: usize,
    /// Episodes that ended otherwise than they should.
    pub(super) mismatches: Vec<Mismatch>,
}

/// The answers so far that later requests refer to.
#[derive(Default)]
struct Told {
    reference: String,
    /// The IDs that the gateway gave to people of the directory, by user name.
    people: BTreeMap<&'static str, String>,
    /// The code of the last answer.
    code: Option<String>,
}

impl History<'_> {
    /// Sends the requests of all episodes, each at its time, and returns to the present.
    ///
    /// # Errors
    ///
    /// If the component does not answer.
    pub(super) async fn make(&self) -> anyhow::Result<Made> {
        for (instance_id, accounts) in ACCOUNTS {
            for account in accounts {
                self.simulator.add_account(instance_id, account);
            }
        }
        let (now, mut told, mut made) = (self.clock.now(), Told::default(), Made::default());
        for (number, episode) in EPISODES.iter().enumerate() {
            let Some(time) = episode.when.time(now) else { continue };
            self.clock.set(time);
            let played = self.play(episode, &mut told).await;
            self.simulator.clear_faults();
            made.requests += played.with_context(|| format!("episode {number} of the history"))?;
            let (expected, got) = (episode.code.unwrap_or("none"), told.code.as_deref().unwrap_or("none"));
            if expected != got {
                made.mismatches.push(Mismatch {
                    what: "the history",
                    expected: format!("{expected} at the end of episode {number}"),
                    got: got.to_owned(),
                });
            }
            made.waiting += usize::from(WAITING.contains(&got));
        }
        self.clock.reset();
        Ok(made)
    }

    /// Plays an episode, and returns the number of its requests.
    async fn play(&self, episode: &Episode, told: &mut Told) -> anyhow::Result<usize> {
        let mut requests = 0;
        for act in episode.acts {
            let response = match act {
                Act::Appears(instance_id, account) => {
                    self.simulator.add_account(instance_id, account);
                    continue;
                }
                Act::Fault(rule) => {
                    self.simulator.fault(rule.parse()?);
                    continue;
                }
                Act::Later(minutes) => {
                    self.clock.set(self.clock.now() + TimeDelta::minutes(*minutes));
                    continue;
                }
                Act::Slack(id, text) => {
                    let text = text.replace("{reference}", &told.reference);
                    self.ask(&slack::CALLER, id, "", &text).await?
                }
                Act::Webhook(instance, text) => self.ask(&standard_webhooks::CALLER, "", instance, text).await?,
                Act::Portal(account) => {
                    self.ask(&api::CALLER, api::CALLER.id.unwrap_or_default(), "analytics", account).await?
                }
                Act::Joins(user_name) => {
                    let response = self.send(directory::joins(&self.address.to_string(), user_name)?).await?;
                    let person: Value = serde_json::from_slice(response.body())
                        .with_context(|| format!("`{user_name}` was not created: {response:?}"))?;
                    told.people.insert(user_name, person["id"].as_str().unwrap_or_default().to_owned());
                    response
                }
                Act::Leaves(user_name) => {
                    let id = told.people.get(user_name).map(String::as_str).unwrap_or_default();
                    self.send(directory::leaves(&self.address.to_string(), id)?).await?
                }
            };
            requests += 1;
            let answer = Answer::read(&response);
            told.code = answer.code;
            told.reference = answer.reference.unwrap_or_else(|| std::mem::take(&mut told.reference));
        }
        Ok(requests)
    }

    async fn ask(&self, caller: &DemoCaller, id: &str, instance: &str, text: &str) -> anyhow::Result<Response<Bytes>> {
        let request = caller.request(&DemoRequest {
            text,
            instance,
            config: self.config,
            id,
            secret: caller.secret,
            host: &self.address.to_string(),
            now: self.clock.now(),
            nonce: nonce(),
        })?;
        self.send(request).await
    }

    async fn send(&self, request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
        client::send(self.address, request).await.context("the gateway did not answer")
    }
}

/// The codes of what waits for a person.
const WAITING: [&str; 3] = ["OFFBOARD.40903", "OFFBOARD.40904", "OFFBOARD.40908"];
