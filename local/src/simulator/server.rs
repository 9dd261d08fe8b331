//! The running simulation: it receives requests, holds them back, applies the rules, and answers.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderValue, Request};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::api;
use super::cloud::Cloud;
use super::fault::{self, Fault};
use super::headers::REQUEST_ID;
use super::misbehaviour::Misbehaviour;
use super::options::SimulatorOptions;
use super::queue::{Queue, wait_for};
use super::received::ReceivedRequest;
use super::target::Target;
use super::wire::{self, Answer, Reply};

/// A running simulation. It stops when this is dropped.
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

impl Simulator {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    pub async fn start(options: SimulatorOptions) -> anyhow::Result<Self> {
        let listen = options.listen;
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on `{listen}`"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options));
        let handler = {
            let shared = shared.clone();
            move |request| shared.clone().answer(request)
        };
        let accepting = tokio::spawn(wire::serve(listener, handler)).abort_handle();
        Ok(Self { address, shared, accepting })
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the value for `taurusdb_endpoint` and `iam_endpoint`: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns every request so far in the order of arrival, requests for tokens included.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.traffic().received.clone()
    }

    /// Returns the number of POSTs for a token so far, refused ones included.
    pub fn token_calls(&self) -> usize {
        let is_token_call = |request: &&ReceivedRequest| Target::of(request) == Some(Target::Iam);
        self.shared.traffic().received.iter().filter(is_token_call).count()
    }

    /// Makes every token that was issued so far an expired one, as a change of a password or of permissions does.
    pub fn revoke_tokens(&self) {
        for issued in self.shared.cloud.state().tokens.values_mut() {
            issued.expires_at = UNIX_EPOCH;
        }
    }

    /// Returns the accounts that an instance has now; none if the instance does not exist.
    pub fn accounts(&self, instance_id: &str) -> BTreeSet<String> {
        let state = self.shared.cloud.state();
        let instance = state.instances.iter().find(|instance| instance.instance_id == instance_id);
        instance.map(|instance| instance.accounts.clone()).unwrap_or_default()
    }

    /// Adds an account to an instance. Returns `false` if the account exists already or the instance does not.
    pub fn add_account(&self, instance_id: &str, user_name: &str) -> bool {
        let mut state = self.shared.cloud.state();
        let instance = state.instances.iter_mut().find(|instance| instance.instance_id == instance_id);
        instance.is_some_and(|instance| instance.accounts.insert(user_name.to_owned()))
    }

    /// Returns what must never happen and did, in words: a request to delete a system account.
    pub fn alarms(&self) -> Vec<String> {
        self.shared.cloud.state().alarms.clone()
    }

    /// Plans this answer, without effect, for the next request of any kind that has no planned answer yet.
    pub fn on_next(&self, answer: Answer) {
        self.shared.traffic().planned.push_back(Misbehaviour::Answer(answer));
    }

    /// Plans this answer, after the usual effect, for the next request of any kind that has no planned answer yet.
    pub fn on_next_after_effect(&self, answer: Answer) {
        self.shared.traffic().planned.push_back(Misbehaviour::AnswerAfter(answer));
    }

    /// Adds a rule behind the existing ones. The plans of [`Simulator::on_next`] take precedence over all rules.
    pub fn fault(&self, fault: Fault) {
        self.shared.traffic().faults.push(fault);
    }

    /// Removes all rules.
    pub fn clear_faults(&self) {
        self.shared.traffic().faults.clear();
    }

    /// Receives requests from now on, and has them wait until the [`Hold`] is dropped.
    pub fn hold(&self) -> Hold {
        self.hold_only(Target::Any)
    }

    /// Receives requests of this kind from now on, and has them wait until the [`Hold`] is dropped.
    pub fn hold_only(&self, target: Target) -> Hold {
        self.shared.queue.hold(target);
        Hold { target, shared: self.shared.clone() }
    }

    /// Waits until `count` requests, counted from the start, have had their effect. Requests whose client has left, and
    /// those that are never answered, count too.
    pub async fn finished(&self, count: usize) {
        wait_for(&self.shared.finished, |finished| *finished >= count).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Keeps requests waiting until it is dropped.
#[must_use = "requests wait only as long as this lives"]
pub struct Hold {
    target: Target,
    shared: Arc<Shared>,
}

impl Hold {
    /// Waits until `count` requests of its kind wait.
    pub async fn waiting(&self, count: usize) {
        self.shared.queue.waiting(self.target, count).await;
    }

    /// Lets the requests go on.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shared.queue.release(self.target);
    }
}

struct Shared {
    cloud: Cloud,
    traffic: Mutex<Traffic>,
    queue: Queue,
    finished: watch::Sender<usize>,
}

/// The requests so far, and the planned misbehaviour for the next ones.
#[derive(Default)]
struct Traffic {
    received: Vec<ReceivedRequest>,
    planned: VecDeque<Misbehaviour>,
    faults: Vec<Fault>,
}

impl Shared {
    fn new(options: SimulatorOptions) -> Self {
        Self {
            cloud: Cloud::new(options),
            traffic: Mutex::default(),
            queue: Queue::new(),
            finished: watch::Sender::new(0),
        }
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self: Arc<Self>, request: Request<Bytes>) -> Reply {
        let request = ReceivedRequest::new(request, self.cloud.next_request_id());
        let target = Target::of(&request);
        let (number, misbehaviour) = {
            let mut traffic = self.traffic();
            traffic.received.push(request.clone());
            let planned = traffic.planned.pop_front();
            (traffic.received.len() - 1, planned.or_else(|| fault::take(&mut traffic.faults, target)))
        };

        self.queue.pass(target).await;
        if let Some(Misbehaviour::Latency(duration)) = misbehaviour {
            tokio::time::sleep(duration).await;
        }

        let mut reply = match misbehaviour {
            None => Reply::Http(api::respond(&self.cloud, &request)),
            Some(misbehaviour) => {
                let usual = misbehaviour.has_effect().then(|| api::respond(&self.cloud, &request));
                misbehaviour.reply(&request, usual)
            }
        };
        let head = match &mut reply {
            Reply::Http(response) => Some((response.status(), response.headers_mut())),
            Reply::Drip(response) => Some((response.status(), response.headers_mut())),
            Reply::Raw(_) | Reply::Reset | Reply::Silence => None,
        };
        if let Some((status, headers)) = head {
            let id = HeaderValue::from_str(&request.request_id).expect("hexadecimal digits");
            headers.entry(REQUEST_ID).or_insert(id);
            self.traffic().received[number].status = Some(status);
        }
        self.finished.send_modify(|finished| *finished += 1);
        reply
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;
    use tokio::task::JoinSet;

    use super::super::demo;
    use super::super::testing::{Signing, USERS, delete, delete_request, said, start};
    use super::*;
    use crate::http_client::{send, send_bytes};

    #[tokio::test]
    async fn planned_answers_replace_the_usual_ones() {
        let simulator = start().await;
        let html = "<html>Bad Gateway</html>";
        simulator.on_next(Answer::http(StatusCode::BAD_GATEWAY, "text/html", html));
        simulator.on_next(Answer::http(StatusCode::OK, "application/json", ""));
        simulator.on_next(Answer::http(StatusCode::OK, "text/plain", vec![b'x'; 10 << 20]));

        let response = delete(&simulator, "alice").await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(response.body(), html);
        assert_eq!(response.headers()["content-length"], "24");
        assert!(response.headers().contains_key(REQUEST_ID));
        assert!(delete(&simulator, "alice").await.body().is_empty());
        assert_eq!(delete(&simulator, "alice").await.body().len(), 10 << 20);

        assert!(simulator.accounts(demo::INSTANCE_ID).contains("alice"));
        assert_eq!(said(&delete(&simulator, "alice").await), "200 SUCCESS");
    }

    #[tokio::test]
    async fn raw_answers_end_the_connection() {
        let simulator = start().await;
        simulator.on_next(Answer::cut_short(StatusCode::OK, br#"{"result":"#));
        simulator.on_next(Answer::hang_up());
        simulator.on_next_after_effect(Answer::hang_up());
        simulator.on_next(Answer::Raw(Bytes::from_static(b"not HTTP\r\n\r\n")));

        for still_there in [true, true, false, false] {
            let answer = send(simulator.address(), delete_request(&simulator, "alice")).await;
            assert!(answer.is_err(), "{answer:?}");
            assert_eq!(simulator.accounts(demo::INSTANCE_ID).contains("alice"), still_there);
        }
        assert!(simulator.requests().iter().all(|seen| seen.status.is_none()));
    }

    #[tokio::test]
    async fn a_short_body_arrives_short() {
        let simulator = start().await;
        simulator.on_next(Answer::cut_short(StatusCode::OK, br#"{"result":"#));
        let answer = send_bytes(simulator.address(), b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("content-length: 1010\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n{\"result\":"), "{answer}");
    }

    #[tokio::test]
    async fn held_requests_wait() {
        let simulator = start().await;
        let hold = simulator.hold();
        let mut clients = JoinSet::new();
        for name in ["alice", "bob", "carol"] {
            clients.spawn(send(simulator.address(), delete_request(&simulator, name)));
        }
        hold.waiting(3).await;
        assert_eq!(simulator.requests().len(), 3);
        assert!(simulator.requests().iter().all(|seen| seen.status.is_none()));
        assert_eq!(simulator.accounts(demo::INSTANCE_ID).len(), demo::ACCOUNTS.len());

        hold.release();
        for response in clients.join_all().await {
            assert_eq!(said(&response.unwrap()), "200 SUCCESS");
        }
        assert_eq!(simulator.accounts(demo::INSTANCE_ID).len(), demo::ACCOUNTS.len() - 3);
    }

    #[tokio::test]
    async fn only_what_is_held_waits() {
        let simulator = start().await;
        let hold = simulator.hold_only(Target::Delete);
        let held = tokio::spawn(send(simulator.address(), delete_request(&simulator, "alice")));
        hold.waiting(1).await;
        let list = Signing::default().request(&simulator, Method::GET, USERS);
        assert_eq!(send(simulator.address(), list).await.unwrap().status(), StatusCode::OK);

        let all = simulator.hold();
        let list = tokio::spawn(send(simulator.address(), Signing::default().request(&simulator, Method::GET, USERS)));
        all.waiting(2).await;
        hold.release();
        all.release();
        assert_eq!(said(&held.await.unwrap().unwrap()), "200 SUCCESS");
        assert_eq!(list.await.unwrap().unwrap().status(), StatusCode::OK);
        simulator.finished(3).await;
    }

    #[tokio::test]
    async fn a_request_has_its_effect_although_its_client_left() {
        let simulator = start().await;
        let hold = simulator.hold();
        let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
        let head =
            format!("DELETE {USERS}?user_name=alice HTTP/1.1\r\nhost: x\r\nx-auth-token: {}\r\n\r\n", demo::TOKEN);
        stream.write_all(head.as_bytes()).await.unwrap();
        hold.waiting(1).await;
        drop(stream);

        hold.release();
        simulator.finished(1).await;
        assert!(!simulator.accounts(demo::INSTANCE_ID).contains("alice"));
    }

    #[tokio::test]
    async fn simulations_are_independent() {
        let (one, other) = (start().await, start().await);
        assert_ne!(one.endpoint(), other.endpoint());
        delete(&one, "alice").await;
        assert!(other.accounts(demo::INSTANCE_ID).contains("alice"));
        assert!(other.requests().is_empty());

        let address = one.address();
        drop(one);
        // The listener is dropped with its task, which ends at the next turn of the runtime.
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
