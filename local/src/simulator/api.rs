//! What the documented API does with a request, and answers.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::Value;

use super::auth::authenticate;
use super::cloud::Cloud;
use super::iam::issue::issue_token;
use super::received::ReceivedRequest;
use super::refusal::{Refusal, json_response, refused};
use super::target::Target;
use super::{accounts, paths};

pub(super) fn respond(cloud: &Cloud, request: &ReceivedRequest) -> Response<Bytes> {
    if Target::of(request) == Some(Target::Iam) {
        return issue_token(cloud, request);
    }
    match call(cloud, request) {
        Ok(body) => json_response(StatusCode::OK, &body),
        Err(refusal) => refused(&refusal, request),
    }
}

fn call(cloud: &Cloud, request: &ReceivedRequest) -> Result<Value, Refusal> {
    let (path, query) = request.path_and_query();
    let (project_id, instance_id) = paths::instance_ids(path).ok_or(Refusal::NoSuchApi)?;
    if ![Method::DELETE, Method::GET].contains(&request.method) {
        return Err(Refusal::NoSuchApi);
    }

    let access = authenticate(cloud, request)?;

    if !is_alphanumeric(project_id, 32) {
        return Err(Refusal::BadParameter("project_id"));
    }
    if !is_alphanumeric(instance_id, 36) {
        return Err(Refusal::BadInstanceId);
    }
    if !access.covers(project_id) {
        return Err(Refusal::OtherProject);
    }
    let mut state = cloud.state();
    let state = &mut *state;
    let instance = state
        .instances
        .iter_mut()
        .find(|instance| instance.project_id == project_id && instance.instance_id == instance_id)
        .ok_or(Refusal::NoSuchInstance)?;
    let parameters = accounts::parameters(query)?;
    if request.method == Method::DELETE {
        accounts::delete(instance, &parameters, &mut state.alarms)
    } else {
        accounts::list(instance, &parameters, cloud.options.list_ignores_filter)
    }
}

fn is_alphanumeric(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::super::demo;
    use super::super::headers::REQUEST_ID;
    use super::super::testing::{Signing, USERS, body, delete, said, start, start_with, with_headers};
    use super::*;
    use crate::http_client::send;

    #[tokio::test]
    async fn an_account_is_deleted_once() {
        let simulator = start().await;
        let response = delete(&simulator, "alice").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.body(), r#"{"result":"SUCCESS"}"#);
        assert_eq!(response.headers()["content-length"], "20");
        assert!(!simulator.accounts(demo::INSTANCE_ID).contains("alice"));
        assert_eq!(simulator.accounts(demo::INSTANCE_ID).len(), demo::ACCOUNTS.len() - 1);

        assert_eq!(said(&delete(&simulator, "alice").await), "400 DBS.200824");
        assert!(simulator.add_account(demo::INSTANCE_ID, "alice"));
        assert!(!simulator.add_account(demo::INSTANCE_ID, "alice"));
        assert_eq!(said(&delete(&simulator, "alice").await), "200 SUCCESS");

        let requests = simulator.requests();
        let statuses: Vec<_> = requests.iter().map(|seen| seen.status.unwrap().as_u16()).collect();
        assert_eq!(statuses, [200, 400, 200]);
        assert_eq!(requests[0].method, Method::DELETE);
        assert_eq!(requests[0].path_and_query, format!("{USERS}?user_name=alice"));
        assert_eq!(response.headers()[REQUEST_ID], requests[0].request_id.as_str());
        let ids: BTreeSet<_> = requests.iter().map(|seen| &seen.request_id).collect();
        assert_eq!(ids.len(), 3);
    }

    #[tokio::test]
    async fn refusals() {
        let simulator = start().await;
        let before = simulator.accounts(demo::INSTANCE_ID);
        let (project, instance) = (demo::PROJECT_ID, demo::INSTANCE_ID);
        for (path_and_query, expected) in [
            (format!("{USERS}?user_name=nobody"), "400 DBS.200824"),
            (format!("{USERS}?user_name=Alice"), "400 DBS.200824"),
            (USERS.to_owned(), "400 DBS.280292"),
            (format!("{USERS}?user_name="), "400 DBS.280292"),
            (format!("{USERS}?user_name=a%20b"), "400 DBS.280292"),
            (format!("{USERS}?user_name=us%C3%A9r"), "400 DBS.280292"),
            (format!("{USERS}?user_name={}", "a".repeat(65)), "400 DBS.280292"),
            (format!("{USERS}?user_name=%ff"), "400 DBS.280001"),
            (format!("{USERS}?user_name=alice&user_name=bob"), "400 DBS.280001"),
            (format!("/v3/{project}/instances/short/starrocks/users?user_name=alice"), "400 DBS.280404"),
            (format!("/v3/{project}/instances/{}/starrocks/users?user_name=alice", "é".repeat(18)), "400 DBS.280404"),
            (format!("/v3/%7Bproject_id%7D/instances/{instance}/starrocks/users?user_name=alice"), "400 DBS.280001"),
            (format!("/v3/{}/instances/{instance}/starrocks/users?user_name=alice", "0".repeat(32)), "404 DBS.200002"),
            (format!("/v3/{project}/instances/{}/starrocks/users?user_name=alice", "0".repeat(36)), "404 DBS.200002"),
            (format!("/v3/{project}/instances/{instance}/starrocks/user?user_name=alice"), "404 APIGW.0101"),
            (format!("{USERS}/?user_name=alice"), "404 APIGW.0101"),
            ("/".to_owned(), "404 APIGW.0101"),
        ] {
            let path_and_query = path_and_query.replace('é', "%C3%A9");
            let request = Signing::default().request(&simulator, Method::DELETE, &path_and_query);
            let response = send(simulator.address(), request).await.unwrap();
            assert_eq!(said(&response), expected, "{path_and_query}");
            assert!(body(&response)["error_msg"].is_string());
            assert!(response.headers().contains_key(REQUEST_ID));
        }
        let request = Signing::default().request(&simulator, Method::POST, USERS);
        assert_eq!(said(&send(simulator.address(), request).await.unwrap()), "404 APIGW.0101");
        assert_eq!(simulator.accounts(demo::INSTANCE_ID), before);
    }

    #[tokio::test]
    async fn languages() {
        let simulator = start().await;
        for (language, expected) in [
            ("en-us", "The database account does not exist."),
            ("zh-cn", "数据库账户不存在。"),
            ("fr-fr", "The database account does not exist."),
        ] {
            let headers = [("x-auth-token", demo::TOKEN), ("x-language", language)];
            let request = with_headers(Method::DELETE, &format!("{USERS}?user_name=nobody"), &headers);
            let response = send(simulator.address(), request).await.unwrap();
            assert_eq!(body(&response)["error_msg"], expected);
        }
    }

    #[tokio::test]
    async fn reserved_accounts_raise_an_alarm() {
        let simulator = start().await;
        assert!(simulator.alarms().is_empty());
        for name in ["root", "rdsAdmin", "RDSMETRIC"] {
            assert_eq!(said(&delete(&simulator, name).await), "403 DBS.200819");
        }
        assert_eq!(simulator.alarms().len(), 3);
        assert!(simulator.alarms()[0].contains("`root`"), "{:?}", simulator.alarms());
        assert_eq!(simulator.accounts(demo::INSTANCE_ID).len(), demo::ACCOUNTS.len());
    }

    #[tokio::test]
    async fn the_list() {
        let simulator = start().await;
        let list = async |query: &str| {
            let uri = format!("{USERS}{query}");
            let request = Signing::default().request(&simulator, Method::GET, &uri);
            send(simulator.address(), request).await.unwrap()
        };
        let names = |response: &Response<Bytes>| -> Vec<String> {
            let body = body(response);
            let details = body["user_details"].as_array().unwrap().iter();
            details.map(|details| details["user_name"].as_str().unwrap().to_owned()).collect()
        };

        let all = list("?limit=100&offset=0").await;
        assert_eq!(names(&all).len(), demo::ACCOUNTS.len());
        assert_eq!(body(&all)["total_count"], demo::ACCOUNTS.len());
        assert_eq!(
            body(&all)["user_details"][0],
            json!({ "user_name": "alice", "data_bases": [], "dml": 0, "ddl": 0 }),
        );
        assert_eq!(list("").await.body(), all.body());

        let page = list("?limit=2&offset=1").await;
        assert_eq!(names(&page), ["bob", "carol"]);
        assert_eq!(body(&page)["total_count"], demo::ACCOUNTS.len());

        simulator.add_account(demo::INSTANCE_ID, "bobby");
        let filtered = list("?limit=100&offset=0&user_name=bob").await;
        assert_eq!(names(&filtered), ["bob", "bobby"]);
        assert_eq!(body(&filtered)["total_count"], 2);

        for query in ["?limit=0", "?limit=101", "?limit=x", "?offset=-1"] {
            assert_eq!(said(&list(query).await), "400 DBS.280001", "{query}");
        }
    }

    #[tokio::test]
    async fn the_list_may_ignore_its_filter() {
        let simulator = start_with(|options| options.list_ignores_filter = true).await;
        let uri = format!("{USERS}?limit=2&user_name=bob");
        let request = Signing::default().request(&simulator, Method::GET, &uri);
        let body = body(&send(simulator.address(), request).await.unwrap());
        assert_eq!(body["total_count"], demo::ACCOUNTS.len());
        assert_eq!(body["user_details"][0]["user_name"], "alice");
    }
}
