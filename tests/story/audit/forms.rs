//! The forms of a page: JSON, lines of JSON, CSV.

use http::Method;
use serde_json::Value;

use crate::audit::shared::{list_as, write};
use crate::gateway::{app, ask, memory, portal, seconds, text};

#[tokio::test]
async fn every_form() {
    let (host, app) = (memory(), app());
    write(&host, &app, &[]).await;
    for sql in [
        "INSERT INTO removals (id, state, asked_at, ended_at, caller, kind, actor, instance, user_name, reason,
            policies, attempts, status, code, message, request_id, reference, expires_at)
         VALUES ('019e00000000000000000000000000aa', 'rejected', 1780308000000, 1780308001500, 'slack', 'slack',
            'slack/U1', 'warehouse', 'alice', '=HYPERLINK(\"https://evil.example\",\"a\")', 'one,two', 0, 403,
            'OFFBOARD.40305', 'he said \"no, never\"\r\nand went', NULL, 'K7Q2M9XA', 1780394400000)",
        "INSERT INTO approvals (removal, reference, person, actor, caller, kind, approved, reason, at) VALUES
            ('019e00000000000000000000000000aa', 'K7Q2M9XA', 'dana', 'slack/U2', 'slack', 'slack', 1, NULL, 1780308001000),
            ('019e00000000000000000000000000aa', 'K7Q2M9XA', 'eve', 'portal/K', 'portal', 'api', 0, 'on call; \"really\"', 1780308001500)",
        "INSERT INTO removals (id, state, asked_at, policies, attempts, user_name, reason, code, message, dry_run)
         VALUES ('019e0000000000000000000000000001', 'refused', 1780307999000, '', 0, '@bob', '-1+2', '+x', '\ty', 1),
            ('019e0000000000000000000000000000', 'refused', 1780307998000, '', 0, NULL, NULL, NULL, NULL, 0)",
    ] {
        host.database.execute(sql, &[]);
    }

    let csv = list_as(&host, &app, "limit=2", Some("text/csv")).await;
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(csv.headers()["x-offboard-next"], "019e0000000000000000000000000001");
    assert_eq!(csv.headers()["content-length"].to_str().unwrap(), csv.body().len().to_string());
    assert_eq!(
        text(&csv),
        concat!(
            r#""id","reference","state","asked_at","expires_at","ended_at","milliseconds","caller","kind","actor","#,
            r#""instance","user_name","reason","dry_run","policies","approvals","attempts","status","code","message","#,
            r#""request_id","confirmed_by","policy_set","caused_by","gateway""#,
            "\r\n",
            r#""019e00000000000000000000000000aa","K7Q2M9XA","rejected","2026-06-01T10:00:00.000Z","#,
            r#""2026-06-02T10:00:00.000Z","2026-06-01T10:00:01.500Z","1500","slack","slack","slack/U1","warehouse","#,
            r#""alice","'=HYPERLINK(""https://evil.example"",""a"")","false","one,two","#,
            r#""approve by slack/U2 at 2026-06-01T10:00:01.000Z; "#,
            r#"deny by portal/K at 2026-06-01T10:00:01.500Z: on call; ""really""","0","403","OFFBOARD.40305","#,
            "\"he said \"\"no, never\"\"\r\nand went\",\"\",\"\",\"\",\"\",\"\"\r\n",
            r#""019e0000000000000000000000000001","","refused","2026-06-01T09:59:59.000Z","","","","","","","","'@bob","#,
            r#""'-1+2","true","","","0","","'+x","#,
            "\"'\ty\",\"\",\"\",\"\",\"\",\"\"\r\n",
        )
    );

    let json_page = list_as(&host, &app, "limit=2", Some("application/json")).await;
    assert_eq!(json_page.headers()["content-type"], "application/json");
    let body: Value = serde_json::from_slice(json_page.body()).unwrap();
    assert_eq!(body["next"], "019e0000000000000000000000000001");
    let lines = list_as(&host, &app, "limit=2", Some("application/x-ndjson")).await;
    assert_eq!(lines.headers()["content-type"], "application/x-ndjson");
    assert_eq!(lines.headers()["x-offboard-next"], "019e0000000000000000000000000001");
    let read: Vec<Value> = text(&lines).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(text(&lines).ends_with("}\n"));
    assert_eq!(Value::from(read), body["removals"]);
    assert_eq!(body["removals"][0]["approvals"][1]["reason"], "on call; \"really\"");

    // A row in a list is the row alone.
    let id = body["removals"][0]["id"].as_str().unwrap();
    let alone = ask(&host, &app, portal(seconds(&host), Method::GET, &format!("/removals/{id}"), "")).await;
    assert_eq!(serde_json::from_slice::<Value>(alone.body()).unwrap(), body["removals"][0]);

    // Nothing, in each form.
    for (accept, nothing) in
        [("*/*", r#"{"removals":[],"next":null}"#.to_owned()), ("application/x-ndjson", String::new())]
    {
        let answer = list_as(&host, &app, "state=removed", Some(accept)).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (200, nothing));
    }
    let answer = list_as(&host, &app, "state=removed", Some("text/csv")).await;
    assert_eq!(text(&answer).lines().count(), 1);

    for accept in ["text/html", "text/*", "application/xml;q=0.9, image/png"] {
        let answer = list_as(&host, &app, "", Some(accept)).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (406, &"application/json".parse().unwrap())
        );
        assert!(text(&answer).contains("OFFBOARD.40601"));
    }
}
