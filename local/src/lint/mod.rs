//! What `offboard check` finds in offboard.toml, the policies and spin.toml: errors and likely mistakes.
//!
//! Pure, over the texts of the files and the values of spin.toml's variables; one file a subject. The errors of the files
//! in `config/` are the component's own ([`app::read`](starrocks_offboard::app::read)); this module adds warnings, and
//! what concerns spin.toml. No request uses it.
//!
//! Not supported: values that a Spin provider (Vault and the like) would supply; `--variable` can stand for them.

pub mod config_files;

pub(crate) mod check;

mod callers;
mod credentials;
mod hosts;
mod instances;
mod ledger;
mod names;
mod notify;
mod principals;
mod spin_toml;

#[cfg(test)]
mod testing;
