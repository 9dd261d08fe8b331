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
