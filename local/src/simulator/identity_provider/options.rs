//! The clients and the people of an identity provider.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;

/// What an identity provider knows at the start, and its address.
///
/// It has no `Debug`, because it contains secrets.
#[derive(Clone)]
pub struct IdentityProviderOptions {
    /// The address to listen on, of IPv4's loopback; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The applications that may ask for a sign-in.
    pub clients: Vec<Client>,
    /// The people that the page offers.
    pub people: Vec<Person>,
    /// The clock of codes and tokens.
    pub clock: fn() -> SystemTime,
}

impl IdentityProviderOptions {
    /// Returns the people of the demonstration, with the console at this origin (`http://127.0.0.1:3000`) as its client, on a free port.
    #[must_use]
    pub fn demo(console: &str) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clients: vec![Client::console(console)],
            people: vec![
                Person::new("dana", "Dana", "approves, as a member of team dba"),
                Person::new("priya", "Priya", "asks for removals, as a member of team dba"),
            ],
            clock: SystemTime::now,
        }
    }
}

/// The ID of the demonstration's client.
pub const CLIENT_ID: &str = "offboard";
/// Its secret, which this provider alone accepts.
pub const CLIENT_SECRET: &str = "demo-console-client-secret";

/// An application that people sign in to.
///
/// It has no `Debug`, because it contains a secret.
#[derive(Clone)]
pub struct Client {
    /// The ID.
    pub id: String,
    /// The secret, for `client_secret_basic`.
    pub secret: String,
    /// The addresses that a sign-in may lead back to, compared as text.
    pub redirect_uris: Vec<String>,
    /// The addresses that a sign-out may lead back to, compared as text.
    pub post_logout_redirect_uris: Vec<String>,
}

impl Client {
    /// Returns the client of a console at this origin.
    fn console(origin: &str) -> Self {
        Self {
            id: CLIENT_ID.to_owned(),
            secret: CLIENT_SECRET.to_owned(),
            redirect_uris: vec![format!("{origin}/console/callback")],
            post_logout_redirect_uris: vec![format!("{origin}/console"), format!("{origin}/console/signin")],
        }
    }
}

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The claim `sub`, which never changes.
    pub sub: String,
    /// The claim `name`.
    pub name: String,
    /// The claim `email`, which is not `sub`: a client that takes the one for the other is found out.
    pub email: String,
    /// The claim `groups`.
    pub groups: Vec<String>,
    /// What the page says about the person.
    pub note: String,
}

impl Person {
    fn new(sub: &str, name: &str, note: &str) -> Self {
        Self {
            sub: sub.to_owned(),
            name: name.to_owned(),
            email: format!("{sub}@example.com"),
            groups: vec!["dba".to_owned()],
            note: note.to_owned(),
        }
    }
}
