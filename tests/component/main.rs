//! The built component, driven over HTTP through the local runtime, beside a simulated TaurusDB.
//!
//! - `fixtures`: cases that are data, a file each: the callers, and what TaurusDB may answer
//! - `callers`: what no file can say of them
//! - `bad_input`: what must be refused, for every kind of caller, before anything is sent
//! - `once`: repeats, copies at once, restarts
//! - `failures`: nobody answers, the ledger cannot be written, configuration or policy cannot be used
//! - `policy`, `secrets`: the brake through the component; nothing leaks
//! - `official_clients`: the vendors' own Python packages
//! - `repository`: what the files of this repository promise each other

mod ask;
mod bad_input;
mod callers;
mod failures;
mod fixtures;
mod harness;
mod official_clients;
mod once;
mod policy;
mod repository;
mod secrets;
