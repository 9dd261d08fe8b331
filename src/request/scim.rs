//! People of identity systems, and what SCIM asks about them.

use crate::request::person::{Change, Person};

/// The most people of one page.
pub const LARGEST_PAGE: usize = 200;

/// What is asked about the people of an identity system.
#[derive(Debug)]
pub enum Operation {
    /// Which of them there are.
    List {
        /// Those who match.
        filter: Option<Filter>,
        /// From this one on, counted from 1.
        start: usize,
        /// So many at most.
        count: usize,
    },
    /// One of them.
    Look(String),
    /// There is somebody new.
    Create(Person),
    /// Somebody is exactly this.
    Replace(String, Person),
    /// Something about somebody changes.
    Change(String, Vec<Change>),
    /// Somebody is gone.
    Delete(String),
}

/// The one filter that there is: this attribute equals this text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// `userName`, in any case.
    UserName(String),
    /// `externalId`
    ExternalId(String),
    /// `id`
    Id(String),
}
