//! The console: one request of a browser, to the page or the redirect that answers it.
//!
//! A page is for a person whom the caller's kind has proved ([`callers::console`]); what the person does goes through the same operations
//! as a command of a chat or of the API. Without a proof, GET is answered with the page where people sign in, and writes no row:
//! browsers ask for pages on their own. A form is refused before anything is read of it unless a page of the console sent it.

mod accounts;
mod answer;
mod ask;
mod decide;
mod done;
mod failure;
mod field_error;
mod files;
mod form_sent;
mod headers;
mod language;
mod page_request;
mod pages;
mod people;
mod policy;
mod receive;
mod removal;
mod removals;
mod sign_in;
mod visit;
mod waiting;

pub(super) use answer::form_answer;
pub(super) use receive::receive;
