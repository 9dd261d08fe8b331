//! Signing in to the console at a real OpenID Provider ([`provider`]), with a browser's cookies and redirects ([`browser`]); and the
//! whole console in Chromium ([`journey`]).
//!
//! The console calls itself [`PUBLIC_URL`], whatever the port is that it listens on, and the provider `localhost`.

mod browser;
mod journey;
mod provider;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use http::StatusCode;

use crate::console::browser::{Browser, Page, absolute};
use crate::console::provider::Provider;
use crate::harness::gateway::Gateway;
use crate::harness::setup::Setup;

/// The console's own origin, which no one listens on: the browser of these tests knows where it is.
pub(crate) const PUBLIC_URL: &str = "http://127.0.0.1:3000";

const KEY: &str = "a session key of thirty-two bytes or more";

const FROM_OUR_PAGE: [(&str, &str); 2] = [("origin", PUBLIC_URL), ("sec-fetch-site", "same-origin")];

/// A console and its provider.
struct Console {
    gateway: Gateway,
    provider: Arc<Provider>,
}

impl Console {
    async fn start() -> Self {
        let provider = Provider::start().await;
        let caller = format!(
            "[[caller]]\nname = \"console\"\nkind = \"console\"\npublic_url = \"{PUBLIC_URL}\"\nissuer = \"{}\"\nclient_id = \"offboard\"\ngroups = \"groups\"\nsecrets = [{{ session_key = \"console_session_key\", client_secret = \"console_client_secret\" }}]\n\n[accounts]",
            provider.issuer
        );
        let setup = Setup::default()
            .replace("offboard.toml", "[accounts]", &caller)
            .variable("console_session_key", KEY)
            .variable("console_client_secret", "demo-secret")
            .variable("issuer_endpoint", &provider.issuer);
        let gateway = Gateway::start(setup).await;
        let console = Self { gateway, provider: Arc::new(provider) };
        console.catch_up();
        console
    }

    /// Sets the gateway's clock to this machine's, which is the provider's, if it is behind.
    fn catch_up(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        self.gateway.clock.fetch_max(now.try_into().unwrap(), Ordering::Relaxed);
    }

    /// The same with another session key and client secret.
    async fn another_with(&self, variable: &str, value: &str) -> Self {
        Self { gateway: self.gateway.another_with(variable, value).await, provider: self.provider.clone() }
    }

    fn browser(&self) -> Browser {
        let origins =
            [(PUBLIC_URL.to_owned(), self.gateway.address), (self.provider.issuer.clone(), self.provider.address)];
        Browser { origins: origins.into(), ..Browser::default() }
    }

    /// Goes from a page of the console to the provider, and answers its forms as this person, up to the redirect back to the
    /// console. `change` changes the URL at the provider that the console makes.
    async fn at_provider(
        &self,
        browser: &mut Browser,
        path: &str,
        person: &str,
        change: impl Fn(&str) -> String,
    ) -> Page {
        let page = browser.get(&format!("{PUBLIC_URL}{path}")).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{page:#?}");
        let page = browser.get(&absolute(&page.url, &page.link("/console/signin?go="))).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:#?}");
        let until = format!("{PUBLIC_URL}/");
        let mut page = browser.follow(&change(page.location()), Some(&until)).await;
        // Signing in, and consent.
        for _ in 0..2 {
            if page.status.is_redirection() {
                break;
            }
            let (action, prompt) = (absolute(&page.url, &page.action()), page.hidden("prompt"));
            let fields = [("prompt", prompt.as_str()), ("login", person), ("password", "x")];
            let answer = browser.post(&action, &fields, &[]).await;
            page = browser.follow_from(answer, Some(&until)).await;
        }
        assert!(page.location().starts_with(&format!("{PUBLIC_URL}/console/callback?")), "{page:#?}");
        self.catch_up();
        page
    }

    /// Signs in, and comes back to the page.
    async fn sign_in(&self, browser: &mut Browser, path: &str, person: &str) -> Page {
        let page = self.at_provider(browser, path, person, str::to_owned).await;
        browser.follow_from(page, None).await
    }
}

/// The names of the console's cookies.
fn cookies(browser: &Browser) -> Vec<&str> {
    browser.cookies.keys().filter(|(origin, _)| origin == PUBLIC_URL).map(|(_, name)| name.as_str()).collect()
}

fn session(browser: &mut Browser) -> &mut String {
    browser.cookies.get_mut(&(PUBLIC_URL.to_owned(), "__Host-offboard".to_owned())).expect("a session")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_comes_back_to_the_page_and_signs_out() {
    let console = Console::start().await;
    let mut browser = console.browser();
    let page = console.sign_in(&mut browser, "/console/removals?state=removed", "pat").await;
    assert_eq!(
        (page.status, page.url.as_str()),
        (StatusCode::OK, &*format!("{PUBLIC_URL}/console/removals?state=removed"))
    );
    assert!(page.is_for("console/pat"), "{page:#?}");
    // Which the team of the ID token may see.
    assert_eq!(page.link("/console/policy"), "/console/policy");
    assert_eq!(cookies(&browser), ["__Host-offboard"]);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with(&format!("form-action 'self' {}", console.provider.issuer)), "{policy}");
    assert_eq!(page.headers["cache-control"], "no-store");

    // Signing out needs the page's token, and one of our pages.
    let url = format!("{PUBLIC_URL}/console/signout");
    let token = page.hidden("token");
    for (fields, headers, code) in [
        (vec![("token", token.as_str())], vec![], "OFFBOARD.40311"),
        (
            vec![("token", token.as_str())],
            vec![("sec-fetch-site", "same-site"), ("origin", PUBLIC_URL)],
            "OFFBOARD.40311",
        ),
        (vec![("token", token.as_str())], vec![("origin", "https://evil.example")], "OFFBOARD.40311"),
        (vec![], FROM_OUR_PAGE.to_vec(), "OFFBOARD.40312"),
        (vec![("token", "1.a.b")], FROM_OUR_PAGE.to_vec(), "OFFBOARD.40312"),
    ] {
        let page = browser.clone().post(&url, &fields, &headers).await;
        assert_eq!((page.status, page.code()), (StatusCode::FORBIDDEN, code), "{fields:?} {headers:?} {page:#?}");
        assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"), "{page:#?}");
    }
    let page = browser.post(&url, &[("token", &token)], &FROM_OUR_PAGE).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:#?}");
    assert!(page.location().starts_with(&format!("{}/session/end?client_id=offboard&", console.provider.issuer)));
    assert_eq!(cookies(&browser), [""; 0]);
    let page = browser.follow_from(page, None).await;
    let (action, xsrf) = (absolute(&page.url, &page.action()), page.hidden("xsrf"));
    let answer = browser.post(&action, &[("xsrf", &xsrf), ("logout", "yes")], &[]).await;
    let page = browser.follow_from(answer, None).await;
    assert_eq!((page.status, page.url.as_str()), (StatusCode::OK, &*format!("{PUBLIC_URL}/console/signin")));
    assert_eq!(browser.get(&format!("{PUBLIC_URL}/console")).await.status, StatusCode::UNAUTHORIZED);
    // Pages that are asked for without a session leave no rows; the five forms do.
    assert_eq!(console.gateway.rows().len(), 5);
    let events: Vec<_> =
        console.gateway.request_lines().iter().filter_map(|line| line["event"].as_str().map(str::to_owned)).collect();
    assert!(events.contains(&"signed-in".to_owned()) && events.contains(&"signed-out".to_owned()), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_of_this_sign_in_is_refused() {
    let console = Console::start().await;
    let with = |from: &'static str, to: &'static str| {
        move |url: &str| {
            assert!(url.contains(from), "{url}");
            url.replacen(from, to, 1)
        }
    };
    // Another nonce: the ID token is for another sign-in.
    let mut browser = console.browser();
    let back = console.at_provider(&mut browser, "/console", "pat", with("&nonce=", "&nonce=x")).await;
    let page = browser.get(back.location()).await;
    assert_eq!((page.status, page.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40111"), "{page:#?}");
    assert!(page.body.contains("nonce"), "{page:#?}");
    assert_eq!(cookies(&browser), [""; 0], "the sign-in is over");

    // Another challenge: the provider does not take the verifier.
    let back = console.at_provider(&mut browser, "/console", "pat", with("code_challenge=", "code_challenge=x")).await;
    let page = browser.get(back.location()).await;
    assert_eq!((page.status, page.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40111"), "{page:#?}");

    // Without PKCE the provider does not sign anyone in.
    let without =
        |url: &str| url.split('&').filter(|pair| !pair.starts_with("code_challenge")).collect::<Vec<_>>().join("&");
    let back = console.at_provider(&mut browser, "/console", "pat", without).await;
    assert!(back.location().contains("error=invalid_request"), "{back:#?}");
    let page = browser.get(back.location()).await;
    assert_eq!((page.status, page.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40111"), "{page:#?}");

    // Another state, and one of another browser.
    let back = console.at_provider(&mut browser, "/console", "pat", str::to_owned).await;
    let (before, rest) = back.location().split_once("state=").unwrap();
    let (state, after) = rest.split_once('&').unwrap_or((rest, ""));
    // One whose cookie is not there, and one that shares its cookie's name.
    for other in [format!("x{state}"), format!("{state}x")] {
        let page = browser.clone().get(&format!("{before}state={other}&{after}")).await;
        assert_eq!((page.status, page.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40110"), "{page:#?}");
    }
    let page = console.browser().get(back.location()).await;
    assert_eq!((page.status, page.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40110"), "{page:#?}");
    // Another provider's answer.
    let page = browser.clone().get(&back.location().replacen("iss=http", "iss=https", 1)).await;
    assert_eq!((page.status, page.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40111"), "{page:#?}");

    // The right one works once: the provider refuses the code, and what it gave out for it is void.
    let kept = browser.clone();
    assert_eq!(browser.get(back.location()).await.status, StatusCode::SEE_OTHER);
    let page = kept.clone().get(back.location()).await;
    assert_eq!((page.status, page.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40111"), "{page:#?}");
    assert!(page.body.contains("invalid_grant"), "{page:#?}");

    // Later than ten minutes.
    let mut late = console.browser();
    let back = console.at_provider(&mut late, "/console", "pat", str::to_owned).await;
    console.gateway.advance(600_000);
    let page = late.get(back.location()).await;
    assert_eq!((page.status, page.code()), (StatusCode::UNAUTHORIZED, "OFFBOARD.40110"), "{page:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_and_is_held_to_its_key() {
    let console = Console::start().await;
    let mut browser = console.browser();
    let page = console.sign_in(&mut browser, "/console", "pat").await;
    assert_eq!(page.status, StatusCode::OK, "{page:#?}");
    let home = format!("{PUBLIC_URL}/console");

    let mut tampered = browser.clone();
    let value = session(&mut tampered);
    let last = if value.ends_with("A=") { "B=" } else { "A=" };
    value.replace_range(value.len() - 2.., last);
    let page = tampered.get(&home).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{page:#?}");
    assert_eq!(cookies(&tampered), [""; 0], "it is deleted");

    // A key that is not known ends it; one that is named second does not.
    let rotated = console.another_with("console_session_key", "another session key of thirty-two bytes").await;
    let mut there = Browser { origins: rotated.browser().origins, ..browser.clone() };
    assert_eq!(there.get(&home).await.status, StatusCode::UNAUTHORIZED);

    // Each request within half an hour keeps it, up to eight hours.
    for _ in 0..3 {
        console.gateway.advance(29 * 60_000);
        let page = browser.get(&home).await;
        assert_eq!(page.status, StatusCode::OK, "{page:#?}");
        assert!(page.headers.contains_key("set-cookie"), "{page:#?}");
    }
    console.gateway.advance(30 * 60_000);
    let page = browser.get(&home).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{page:#?}");
    assert_eq!(cookies(&browser), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_s_keys_rotate_and_its_failures_are_told() {
    let console = Console::start().await;
    assert_eq!(console.sign_in(&mut console.browser(), "/console", "pat").await.status, StatusCode::OK);
    // Half a minute is between two fetches of a key set.
    console.gateway.advance(31_000);
    console.provider.test("rotate").await;
    let page = console.sign_in(&mut console.browser(), "/console", "lin").await;
    assert_eq!(page.status, StatusCode::OK, "{page:#?}");
    assert!(page.is_for("console/lin"), "{page:#?}");

    // A client secret that the provider does not take is the operator's to mend.
    let other = console.another_with("console_client_secret", "wrong").await;
    let page = other.sign_in(&mut other.browser(), "/console", "pat").await;
    assert_eq!((page.status, page.code()), (StatusCode::SERVICE_UNAVAILABLE, "OFFBOARD.50307"), "{page:#?}");
    console.provider.test("fail").await;
    let page = console.sign_in(&mut console.browser(), "/console", "pat").await;
    assert_eq!((page.status, page.code()), (StatusCode::SERVICE_UNAVAILABLE, "OFFBOARD.50307"), "{page:#?}");
}
