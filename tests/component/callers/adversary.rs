//! The adversary's table through the built component, and what only a real connection shows.

use crate::callers::kinds::Component;
use support::kind::Kind;
use support::platforms::Platforms;
use support::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_adversary_tries_comes_to_nothing() {
    // Feishu is answered before anything is done, and what a row of the table leaves behind is looked at right after the
    // answer: in memory everything is done by then.
    support::adversary::run::<Component>(&["feishu"]).await;
}

/// Of the right form, and a megabyte and a byte long: it is not read to its end, for any sender.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_not_read() {
    for kind in Kind::all() {
        let stage = Component::open(kind.setup(false, &[])).await;
        let mut wire = Platforms::request(&kind.name, &kind.ask(&stage.host(), "large"));
        wire.body += &" ".repeat(1024 * 1024 + 1 - wire.body.len());
        let reply = stage.send(&wire).await;
        let seen = (reply.status, reply.header("x-offboard-code").unwrap_or_default(), stage.deletes());
        assert_eq!(seen, (413, "OFFBOARD.41301", 0), "{}", kind.name);
        assert!(stage.rows().iter().all(|row| row.actor.is_none()), "{}", kind.name);
    }
}

/// Directories put pictures into a person and the events of a day into a request: a leaver must not be lost to that. All others
/// need no more than 64 KiB.
#[tokio::test(flavor = "multi_thread")]
async fn only_directories_may_send_a_megabyte() {
    for kind in Kind::all() {
        let is_of_directory = ["scim", "okta", "cloudevents", "cloudevents-binary"].contains(&kind.name.as_str());
        let length = if is_of_directory { 1024 * 1024 } else { 64 * 1024 + 1 };
        let stage = Component::open(kind.setup(false, &[])).await;
        let mut wire = Platforms::request(&kind.name, &kind.ask(&stage.host(), "long"));
        wire.body += &" ".repeat(length - wire.body.len());
        let reply = stage.send(&wire).await;
        let is_too_large = reply.header("x-offboard-code") == Some("OFFBOARD.41301");
        assert_eq!((is_too_large, reply.status == 413), (!is_of_directory, !is_of_directory), "{}", kind.name);
    }
}
