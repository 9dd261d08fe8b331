//! The built component, driven over HTTP through the local runtime, beside a simulated TaurusDB.
//!
//! - `fixtures`: cases that are data, a file each: the callers, and what TaurusDB may answer
//! - `callers`: what no file can say of them
//! - `bad_input`: what must be refused, for every kind of caller, before anything is sent
//! - `adversary`: the adversary's table
//! - `confirming`, `approving`: what waits for somebody's yes, through every kind of caller
//! - `dry_run`: what would happen
//! - `once`: repeats, copies at once, restarts
//! - `failures`: nobody answers, the ledger cannot be written, configuration or policy cannot be used
//! - `upstream`: all that the cloud can do wrong, with every kind of credentials (`credentials`)
//! - `limits`: each time limit, really waited for
//! - `tokens`: how often IAM is asked, and by whom
//! - `later`: answers that Slack does not wait for
//! - `killed`: a process that ends without a word; `soak`: many, under load, while the cloud misbehaves
//! - `looking`: what became of a removal
//! - `policy`, `secrets`: the brake through the component; nothing leaks
//! - `kinds_through_the_component`: what every caller kind has to do, and what is refused of each
//! - `official_clients`: the vendors' own Python packages
//! - `rotation`: a secret is changed under load

mod adversary;
mod approving;
mod ask;
mod bad_input;
mod callers;
mod confirming;
mod credentials;
mod dry_run;
mod failures;
mod fixtures;
mod harness;
mod killed;
mod kinds_through_the_component;
mod later;
mod limits;
mod looking;
mod official_clients;
mod once;
mod policy;
mod rotation;
mod secrets;
mod soak;
mod tokens;
mod upstream;
