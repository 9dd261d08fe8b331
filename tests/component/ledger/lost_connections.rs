//! A connection that is lost in the middle of a statement: whether the server has run it is not known then.

use local::postgres_server::{Server, ServerOptions};
use support::postgres_proxy::{Cut, Network, PostgresProxy};
use tokio::time::timeout;

use crate::harness::answer::PATIENCE;
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, INSTANCE, Kind};
use crate::harness::setup::Setup;
use crate::harness::store::Store;

/// A gateway that reaches its ledger through a proxy, and has opened it.
async fn behind_a_proxy() -> (Gateway, PostgresProxy) {
    let store = Store::postgres();
    let Store::Postgres(database) = &store else { unreachable!() };
    let proxy = PostgresProxy::start(database.server()).await.unwrap();
    let mut setup = Setup::default();
    setup.variables.extend(store.variables(Some(&proxy)));
    let gateway = Gateway::start_on(store, setup).await;
    let bob = Ask { webhook_id: "msg_0".into(), ..Ask::to_remove("bob") };
    assert_eq!(gateway.ask(Kind::Api, &bob).await.code(), "SUCCESS");
    (gateway, proxy)
}

fn alice() -> (String, String) {
    ("alice".into(), "removed".into())
}

/// The claim was not answered. Nothing is sent; what became of the row, the next request finds out.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_commit_is_not_known_sends_nothing() {
    for cut in [Cut::BeforeRun, Cut::AfterRun] {
        let (gateway, proxy) = behind_a_proxy().await;
        proxy.cut(1, cut);
        let wire = Ask::default().wire(Kind::Api, &gateway.address.to_string(), gateway.now());
        assert_eq!(gateway.send(wire.request()).await.code(), "OFFBOARD.50301");
        timeout(PATIENCE, proxy.happened(1)).await.expect("the connection was cut");
        assert_eq!(gateway.deletes(), 1);
        // Once no request can be carrying it out any more, the account list says that it was not done.
        gateway.advance(60_000);
        assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "SUCCESS");
        assert_eq!((gateway.deletes(), gateway.states().pop()), (2, Some(alice())));
    }
}

/// The outcome was not confirmed: the requester has it all the same, and the row is settled, now or by the account list later.
#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_whose_commit_is_not_known_is_told_and_settled() {
    for cut in [Cut::BeforeRun, Cut::AfterRun] {
        let (gateway, proxy) = behind_a_proxy().await;
        proxy.cut(2, cut);
        let answer = gateway.ask(Kind::Api, &Ask::default()).await;
        assert_eq!(answer.code(), "SUCCESS");
        timeout(PATIENCE, proxy.happened(1)).await.expect("the connection was cut");
        gateway.settled().await;
        assert_eq!((gateway.deletes(), gateway.states().pop()), (2, Some(alice())), "{:#?}", gateway.logs.lines());
    }
}

/// A server that is away: nothing is sent. One that is back is used again, by the same instance.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_nothing_is_sent_until_it_is_back() {
    let mut server = Server::start(ServerOptions::default()).unwrap();
    let store = Store::Postgres(server.create_database().unwrap());
    let gateway = Gateway::start_on(store, Setup::default()).await;
    for (number, end) in [Server::stop, Server::kill].into_iter().enumerate() {
        let name = format!("user_{number}");
        gateway.simulator.add_account(INSTANCE, &name);
        let ask = Ask { webhook_id: name.clone(), ..Ask::to_remove(&name) };
        end(&mut server).unwrap();
        assert_eq!(gateway.ask(Kind::StandardWebhooks, &ask).await.code(), "OFFBOARD.50301");
        assert_eq!(gateway.deletes(), number);
        server.restart().unwrap();
        assert_eq!(gateway.ask(Kind::StandardWebhooks, &ask).await.code(), "SUCCESS", "{:#?}", gateway.logs.lines());
        assert_eq!(gateway.deletes(), number + 1);
    }
}

/// A network that swallows everything is given up on.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_network_is_given_up_on() {
    let (gateway, proxy) = behind_a_proxy().await;
    proxy.set(Network::Silent).await;
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "OFFBOARD.50301");
    assert_eq!(gateway.deletes(), 1);
    proxy.set(Network::Up).await;
    proxy.close_all();
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "SUCCESS", "{:#?}", gateway.logs.lines());
}

/// A server that takes no more connections says so, and the request is refused with what the caller can do.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_connections() {
    let store = Store::postgres();
    let Store::Postgres(database) = store.clone() else { unreachable!() };
    let owns = format!("ALTER DATABASE {} OWNER TO crowded", database.name());
    database.rows(&format!("CREATE ROLE crowded LOGIN CONNECTION LIMIT 1; {owns}")).unwrap();
    let address = database.address_by(database.server(), "crowded");
    let taken = database.connect_as(database.server(), "crowded").await.unwrap();
    let gateway = Gateway::start_on(store, Setup::default().variable("ledger", &address)).await;
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "OFFBOARD.50301");
    assert!(
        gateway.logs.lines().iter().any(|line| line.contains("too many connections")),
        "{:#?}",
        gateway.logs.lines()
    );
    drop(taken);
    let again = async { while gateway.ask(Kind::Api, &Ask::default()).await.code() != "SUCCESS" {} };
    timeout(PATIENCE, again).await.expect("the connection is free in time");
}
