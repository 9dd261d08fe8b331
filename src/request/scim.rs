//! Operations on the people of an identity system, as SCIM requests them.

use crate::request::filter::Filter;
use crate::request::person::Person;
use crate::request::person_change::Change;

/// The most people of one page.
pub const LARGEST_PAGE: usize = 200;

/// An operation on the people of an identity system.
#[derive(Debug)]
pub enum Operation {
    /// List people.
    List {
        /// Only those who match.
        filter: Option<Filter>,
        /// The first to list, counted from 1.
        start: usize,
        /// How many at most.
        count: usize,
    },
    /// Show one of them.
    Look(String),
    /// Add a person.
    Create(Person),
    /// Replace everything about a person.
    Replace(String, Person),
    /// Change something about a person.
    Change(String, Vec<Change>),
    /// Delete a person, who leaves.
    Delete(String),
}
