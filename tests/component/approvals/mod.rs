//! Requests that wait: for the confirmation of the requester, for the approval of others.

mod approval;
mod confirmation;
