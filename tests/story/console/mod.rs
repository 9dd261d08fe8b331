//! What the console's pages show, as data, and to whom.

mod accounts;
mod history;
mod navigation;
mod policy;
mod shared;
mod timeline;
mod waiting;
