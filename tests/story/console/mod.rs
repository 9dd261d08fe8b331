//! Who reads the console; what its pages show, as data, and to whom.

mod accounts;
mod accounts_page;
mod ask;
mod history;
mod navigation;
mod policy;
mod policy_page;
mod reading;
mod removal_page;
mod removals_page;
mod shared;
mod sign_in;
mod waiting;
