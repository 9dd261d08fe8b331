//! HEAD where there is GET, slashes that do not matter, and what the gateway has no call for.

use bytes::Bytes;
use http::{Method, Response};
use starrocks_offboard::app::App;
use starrocks_offboard::request::inbound::Inbound;
use support::memory::Memory;

use crate::gateway::{DOCUMENTED, SUCCESS, app, ask, documented, header, memory, portal, seconds, slash, text};

async fn call(host: &Memory, app: &App, method: Method, path: &str) -> Response<Bytes> {
    ask(host, app, portal(seconds(host), method, path, "")).await
}

fn unsigned(method: Method, path: &str) -> Inbound {
    Inbound {
        method,
        path: path.to_owned(),
        query: String::new(),
        host: "localhost".into(),
        headers: http::HeaderMap::new(),
        body: Bytes::new(),
    }
}

/// The same headers as GET's, no body, and no row.
#[tokio::test]
async fn head_is_get_without_its_body() {
    for path in ["/healthz", "/removals", "/approvals", DOCUMENTED] {
        let (host, app) = (memory(), app());
        let mut answers = Vec::new();
        for method in [Method::GET, Method::HEAD] {
            if path == DOCUMENTED {
                host.will_list(&["alice"]);
            }
            answers.push(call(&host, &app, method, path).await);
        }
        let [get, head] = answers.try_into().unwrap();
        assert_eq!((get.status().as_u16(), head.status().as_u16()), (200, 200), "{path}");
        assert_ne!(get.body().len(), 0);
        assert_eq!(head.body().len(), 0);
        let headers = |answer: &Response<Bytes>| {
            let mut headers = answer.headers().clone();
            // Each request has an id of its own.
            headers.remove("x-request-id");
            headers
        };
        assert_eq!(headers(&get), headers(&head), "{path}");
        assert_eq!(header(&head, "content-length"), Some(get.body().len().to_string().as_str()));
        assert!(host.statements.get() == 0 || host.rows().is_empty(), "{path}");
    }
}

/// A removal's row, by HEAD.
#[tokio::test]
async fn a_removal_is_looked_up_by_head() {
    let (host, app) = (memory(), app());
    host.will_answer(200, SUCCESS);
    let removed = ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
    let path = format!("/removals/{}", header(&removed, "x-offboard-removal").unwrap());
    let (get, head) = (call(&host, &app, Method::GET, &path).await, call(&host, &app, Method::HEAD, &path).await);
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
    assert_eq!(header(&head, "content-length"), header(&get, "content-length"));
    assert_eq!(host.rows().len(), 1);
}

/// HEAD needs the proof that GET needs; where there is no GET, `Allow` says so.
#[tokio::test]
async fn head_is_no_way_around() {
    let (host, app) = (memory(), app());
    for path in ["/removals", "/approvals", DOCUMENTED] {
        let answer = ask(&host, &app, unsigned(Method::HEAD, path)).await;
        assert_eq!((answer.status().as_u16(), answer.body().len()), (401, 0), "{path}");
        assert_eq!(header(&answer, "x-offboard-code"), Some("OFFBOARD.40101"));
    }
    for (method, path, allow) in [
        (Method::HEAD, "/hooks/slack", "POST"),
        (Method::HEAD, "/approvals/K7Q2M9XA", "POST"),
        (Method::POST, "/healthz", "GET, HEAD"),
        (Method::PUT, "/removals", "GET, HEAD"),
        (Method::PATCH, DOCUMENTED, "DELETE, GET, HEAD"),
    ] {
        let answer = ask(&host, &app, unsigned(method, path)).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "allow")), (405, Some(allow)), "{path}");
    }
}

/// Creating an account, its password and its permissions are TaurusDB's own calls.
#[tokio::test]
async fn calls_that_the_gateway_has_not_are_sent_to_taurusdb_itself() {
    for (method, more, allow) in [
        (Method::POST, "", "DELETE, GET, HEAD"),
        (Method::PUT, "", "DELETE, GET, HEAD"),
        (Method::PUT, "/password", ""),
        (Method::PUT, "/permission", ""),
        (Method::DELETE, "/password", ""),
    ] {
        let (host, app) = (memory(), app());
        let answer = call(&host, &app, method, &format!("{DOCUMENTED}{more}")).await;
        let expected = r#"{"error_code":"OFFBOARD.40501","error_msg":"this gateway only removes StarRocks accounts and lists them; send this call to TaurusDB itself"}"#;
        assert_eq!((answer.status().as_u16(), text(&answer).as_str()), (405, expected));
        assert_eq!(header(&answer, "allow"), Some(allow));
        assert_eq!(host.sent.borrow().len(), 0);
    }
}

#[tokio::test]
async fn slashes_do_not_matter_where_nothing_is_signed_over_the_path() {
    for path in ["/hooks/slack/", "//hooks//slack", "/hooks/slack//"] {
        let (host, app) = (memory(), app());
        host.will_answer(200, SUCCESS);
        let inbound = Inbound { path: path.into(), ..slash(seconds(&host), "alice analytics") };
        let answer = ask(&host, &app, inbound).await;
        assert_eq!(header(&answer, "x-offboard-code"), Some("SUCCESS"), "{path} {}", text(&answer));
    }
    // Signed as it was sent.
    let (host, app) = (memory(), app());
    assert_eq!(call(&host, &app, Method::GET, "//removals/").await.status().as_u16(), 200);
    // Added on the way: not what was signed.
    let inbound = Inbound { path: "//removals".into(), ..portal(seconds(&host), Method::GET, "/removals", "") };
    assert_eq!(ask(&host, &app, inbound).await.status().as_u16(), 401);
}

/// Case A5: what stands in a file is for the log. Strangers learn how many secrets prove nothing, and not what they are called.
#[tokio::test]
async fn a5_secrets_of_a_wrong_form_are_counted_for_strangers_and_named_in_the_log() {
    let (mut host, app) = (memory(), app());
    let health = ask(&host, &app, unsigned(Method::GET, "/healthz")).await;
    assert!(!text(&health).contains("unusable_secrets"), "{}", text(&health));
    assert_eq!(host.lines.borrow().len(), 0);
    host.variables.insert("hr_webhook_secret".into(), "whsec_not base64".into());
    let health = ask(&host, &app, unsigned(Method::GET, "/healthz")).await;
    assert!(text(&health).contains(r#""unusable_secrets":1"#), "{}", text(&health));
    assert!(!text(&health).contains("hr_webhook_secret"), "{}", text(&health));
    let said = "health: no usable secret: variable `hr_webhook_secret`";
    assert_eq!(*host.lines.borrow(), [said]);
}
