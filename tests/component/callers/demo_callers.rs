//! What a caller kind answers by itself, and how a kind tells its callers apart: what no file of `tests/fixtures` can say.

use support::planned::Planned;

use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, PORTAL_SECRET, PROJECT, Signature};
use crate::harness::setup::Setup;

/// `help`, or nothing at all, is answered at once: no policy, no ledger, no TaurusDB.
#[tokio::test(flavor = "multi_thread")]
async fn slack_help_says_what_to_write() {
    const ENGLISH: &str = "Remove a StarRocks account: `ACCOUNT INSTANCE [REASON]`, for example `alice analytics left the company`. Add `--dry-run` to see what would happen.\nYour own requests: `confirm ID` or `cancel ID`. Requests of others: `approve ID` or `deny ID [REASON]`.\nPending requests: `pending`. A removal and its result: `status ID`.\nInstances: `analytics`, `warehouse`";
    const CHINESE: &str = "删除StarRocks账号：`账号名 实例名 [原因]`，例如 `alice analytics 已离职`。加上 `--dry-run` 仅预检，不删除。\n自己的申请：`confirm 编号` 或 `cancel 编号`。他人的申请：`approve 编号` 或 `deny 编号 [原因]`。\n待处理的申请：`pending`。某次删除及其结果：`status 编号`。\n实例：`analytics`、`warehouse`";
    for (text, language, help) in
        [("help", None, ENGLISH), ("", None, ENGLISH), ("  ", None, ENGLISH), ("help", Some("zh-cn"), CHINESE)]
    {
        // On a Monday at ten, when production is open.
        let gateway = Gateway::start(Setup::default()).await;
        let ask = Ask { text: Some(text.into()), language: language.map(str::to_owned), ..Ask::default() };
        let answer = gateway.ask(Kind::Slack, &ask).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, help));
        assert_eq!((gateway.rows().len(), gateway.deletes()), (0, 0));
    }

    // To those who prove who they are.
    let gateway = Gateway::start(Setup::default()).await;
    let ask = Ask { text: Some("help".into()), signature: Signature::Wrong, ..Ask::default() };
    assert_eq!(gateway.ask(Kind::Slack, &ask).await.code(), "OFFBOARD.40105");
}

/// Slack takes 3,000 characters in a section, and shows nothing of a message that has more.
#[tokio::test(flavor = "multi_thread")]
async fn slack_is_told_no_more_than_it_can_show() {
    let long = format!(r#"{{"error_code":"DBS.280001","error_msg":"{}"}}"#, "<&>".repeat(10_000));
    let upstream = vec![Planned { status: 400, body: long, ..Planned::default() }];
    let gateway = Gateway::start(Setup { upstream, ..Setup::default() }).await;
    let answer = gateway.ask(Kind::Slack, &Ask::default()).await;
    let text = answer.text();
    assert!(text.chars().count() <= 3000, "{}", text.len());
    let begins = "❌ TaurusDB refused to remove `alice` from `analytics`\nTaurusDB says: &lt;&amp;&gt;&lt;&amp;&gt;";
    assert!(text.starts_with(begins), "{text}");
    assert!(text.ends_with("…. TaurusDB did not accept the removal's parameters. Ask the operator."), "{text}");

    let instances: String = (0..100)
        .map(|number| {
            format!("[[instance]]\nname = \"a-long-name-of-an-instance-{number}\"\nproject_id = \"{PROJECT}\"\ninstance_id = \"{number:032}in17\"\nregion = \"ap-southeast-3\"\nenvironment = \"staging\"\n\n")
        })
        .collect();
    let setup = Setup::default().replace("offboard.toml", "[[team]]", &(instances + "[[team]]"));
    let gateway = Gateway::start(setup).await;
    let help = gateway.ask(Kind::Slack, &Ask { text: Some("help".into()), ..Ask::default() }).await.json();
    let blocks = help["blocks"].as_array().unwrap().iter().filter_map(|block| block["text"]["text"].as_str());
    let longest = blocks.max_by_key(|text| text.chars().count()).unwrap();
    assert!(longest.chars().count() <= 3000, "{longest}");
    assert!(longest.ends_with("`a-long-name-of-an-instance-17` and 82 more"), "{longest}");
}

/// Two workspaces are two callers: the same person's id in the one is unknown in the other, and the same words are two requests.
#[tokio::test(flavor = "multi_thread")]
async fn two_callers_of_one_kind_are_not_one() {
    let second =
        "[[caller]]\nname = \"slack-eu\"\nkind = \"slack\"\nsecrets = [\"slack_signing_secret\"]\n\n[accounts]";
    let gateway = Gateway::start(Setup::default().replace("offboard.toml", "[accounts]", second)).await;
    let other = gateway.ask(Kind::Slack, &Ask { path: Some("/hooks/slack-eu".into()), ..Ask::default() }).await;
    assert_eq!(other.code(), "OFFBOARD.40301");
    assert_eq!(gateway.ask(Kind::Slack, &Ask::default()).await.code(), "SUCCESS");
    let actors: Vec<_> = gateway.rows().into_iter().map(|row| row.actor.unwrap()).collect();
    assert_eq!(actors, ["slack-eu/U2CERLKJA", "slack/U2CERLKJA"]);
}

/// Two keys of one portal: each proves its own id, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn an_access_key_is_proved_by_its_own_secret() {
    let keys = "{ id = \"HPUAPORTALKEY0000001\", secret = \"portal_secret_key\" }";
    let both = format!("{keys}, {{ id = \"HPUAPORTALKEY0000002\", secret = \"slack_signing_secret\" }}");
    let gateway = Gateway::start(Setup::default().replace("offboard.toml", keys, &both)).await;
    let second = Ask { access_key: "HPUAPORTALKEY0000002".into(), ..Ask::default() };
    // With the first one's secret.
    assert_eq!(gateway.ask(Kind::Api, &second).await.code(), "OFFBOARD.40105");

    let gateway = Gateway::start(
        Setup::default().replace("offboard.toml", keys, &both).variable("slack_signing_secret", PORTAL_SECRET),
    )
    .await;
    let answer = gateway.ask(Kind::Api, &second).await;
    assert_eq!(answer.code(), "OFFBOARD.40301");
    assert_eq!(gateway.row().actor.as_deref(), Some("portal/HPUAPORTALKEY0000002"));
}
