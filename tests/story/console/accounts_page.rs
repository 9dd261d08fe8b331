//! The page *Accounts*, and its CSV.

use http::StatusCode;
use serde_json::json;

use crate::console::shared::{Row, write};
use crate::console::sign_in::{Answer, PROVIDER, World, world};

const ANALYTICS: &str = "54e42160670e48e789af7075e1efea1fin17";

async fn signed_in(names: &[&str]) -> (World, String) {
    let world = world(PROVIDER);
    let cloud = world.host.cloud.as_ref().unwrap();
    cloud.accounts.borrow_mut().extend(names.iter().map(|name| (ANALYTICS.to_owned(), (*name).to_owned())));
    let session = world.sign_in().await;
    (world, session)
}

async fn get(world: &World, session: &str, path: &str) -> Answer {
    world.get(path, &[("cookie", session)]).await
}

#[tokio::test]
async fn each_account_with_its_owner_and_what_can_be_done() {
    let names = ["dana", "etl_loader", "root", "tam", "mei_lee", "wei", "\"><script>alert(1)</script>"];
    let (world, session) = signed_in(&names).await;
    let waiting =
        Row { user_name: "mei_lee", state: "awaiting-approval", took: None, waits: Some(86_400_000), ..Row::default() };
    let refused = Row { user_name: "wei", state: "denied", ..Row::default() };
    let ids = write(&world.host, &world.app, &[Row { user_name: "tam", ..Row::default() }, waiting, refused]).await;
    // The first instance that the reader may list.
    let page = get(&world, &session, "/console/accounts").await;
    assert_eq!(page.status, StatusCode::OK, "{page:#?}");
    for shown in [
        "/console/ask?instance=analytics&#38;user_name=tam",
        "Came back",
        "<code>etl_*</code>",
        "<code>[[person]]</code>",
        "system account",
        &format!("/console/removals/{}", ids[0]),
        &format!("/console/removals/{}", ids[1]),
        &format!("/console/removals/{}", ids[2]),
        "alert(1)",
    ] {
        assert!(page.body.contains(shown), "{shown}: {page:#?}");
    }
    for hidden in ["user_name=mei_lee", "user_name=etl_loader", "user_name=root", "<script"] {
        assert!(!page.body.contains(hidden), "{hidden}: {page:#?}");
    }

    let page = get(&world, &session, "/console/accounts?instance=analytics&state=protected").await;
    assert!(page.body.contains("etl_loader") && !page.body.contains(">tam<"), "{page:#?}");
    let page = get(&world, &session, "/console/accounts?instance=analytics&q=DANA").await;
    assert!(page.body.contains(">dana<") && !page.body.contains(">tam<"), "{page:#?}");

    let csv = get(&world, &session, "/console/accounts.csv?instance=analytics&state=came-back").await;
    assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"accounts-analytics.csv\"");
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!((csv.body.lines().count(), csv.body.contains("\"tam\"")), (2, true), "{csv:#?}");
    for (path, code) in [
        ("/console/accounts?state=no-owner", "OFFBOARD.40010"),
        ("/console/accounts?instance=none", "OFFBOARD.40403"),
        ("/console/accounts.csv?instance=none", "OFFBOARD.40403"),
    ] {
        assert_eq!(get(&world, &session, path).await.code(), code, "{path}");
    }
}

#[tokio::test]
async fn a_long_list_has_pages() {
    let names: Vec<String> = (0..120).map(|number| format!("user{number:03}")).collect();
    let (world, session) = signed_in(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut seen = 0;
    for (cursor, first, last) in
        [("", "user000", "user049"), ("user049", "user050", "user099"), ("user099", "user100", "user119")]
    {
        let page = get(&world, &session, &format!("/console/accounts?instance=analytics&cursor={cursor}")).await;
        let rows = page.body.matches("role=\"rowheader\"").count();
        seen += rows;
        let has = |name: &str| page.body.contains(&format!("<code>{name}</code>"));
        assert!(has(first) && has(last), "{cursor}: {page:#?}");
        assert_eq!(page.body.contains("rel=\"next\""), last != "user119", "{cursor}");
        assert_eq!(page.body.contains(&format!("cursor={last}")), last != "user119", "{cursor}");
    }
    assert_eq!(seen, 120);
    let page = get(&world, &session, "/console/accounts?cursor=gone").await;
    assert!(page.body.contains("<code>user000</code>"), "none is passed over: {page:#?}");
}

#[tokio::test]
async fn a_list_that_cannot_be_read_or_seen() {
    let (world, session) = signed_in(&["tam"]).await;
    write(&world.host, &world.app, &[Row { user_name: "old", ..Row::default() }]).await;
    world.host.will_answer(404, r#"{"error_code":"DBS.200002","error_msg":"no such instance"}"#);
    let page = get(&world, &session, "/console/accounts").await;
    assert!(
        page.body.contains("account list could not be read") && page.body.contains("<code>old</code>"),
        "{page:#?}"
    );
    let other = world.sign_in_as(&json!({"sub": "f:1b2c:kim", "groups": []})).await;
    world.host.sent.borrow_mut().clear();
    for path in ["/console/accounts", "/console/accounts.csv", "/console/accounts?instance=warehouse"] {
        let answer = get(&world, &other, path).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "OFFBOARD.40304"), "{path}");
    }
    assert!(world.host.sent.borrow().is_empty());
}
