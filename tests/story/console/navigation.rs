//! Which pages a person sees.

use starrocks_offboard::operations::console::navigation::{Pages, instances_to_ask, instances_to_list, may};

use crate::audit::shared::{ANALYTICS_ONLY, LEDGER_ONLY, NOTHING, POLICY, gateway_of};
use crate::console::shared::{DANA, Reader, STRANGER};
use crate::gateway::memory;

#[tokio::test]
async fn the_pages_of_each_person() {
    let pages = |ask, accounts, policy| Pages { ask, accounts, policy };
    let list_on_analytics =
        r#"@id("lists") permit (principal, action == Action::"list", resource in Instance::"analytics");"#;
    let own = r#"@id("own") permit (principal, action == Action::"delete", resource)
        when { principal.accounts.contains(resource.user_name) };"#;
    let with_reason = r#"@id("reason") permit (principal, action == Action::"request", resource)
        when { context.reason_given };"#;
    for (policy, principal, expected) in [
        (POLICY, DANA, pages(true, true, true)),
        (POLICY, STRANGER, pages(false, false, false)),
        (ANALYTICS_ONLY, DANA, pages(false, false, false)),
        (LEDGER_ONLY, STRANGER, pages(false, false, true)),
        (list_on_analytics, STRANGER, pages(false, true, false)),
        (own, DANA, pages(true, false, false)),
        (own, STRANGER, pages(false, false, false)),
        (with_reason, STRANGER, pages(true, false, false)),
        (NOTHING, DANA, pages(false, false, false)),
    ] {
        let (host, app) = (memory(), gateway_of(policy));
        assert_eq!(may(&Reader::new(&host, &app, principal).ctx()), expected, "{principal} {policy}");
        assert_eq!((host.statements.get(), host.sent.borrow().len()), (0, 0), "policy alone is asked");
    }
}

#[tokio::test]
async fn the_instances_to_choose_from() {
    let (host, app) = (memory(), gateway_of(POLICY));
    let reader = Reader::new(&host, &app, DANA);
    let ctx = reader.ctx();
    let names = |instances: Vec<&starrocks_offboard::config::instance::Instance>| {
        instances.into_iter().map(|instance| instance.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(instances_to_list(&ctx)), ["analytics", "warehouse"]);
    assert_eq!(names(instances_to_ask(&ctx)), ["analytics", "warehouse"]);
    // At night nothing is asked for on production.
    host.now.set(host.now.get() + 12 * 3_600_000);
    assert_eq!(names(instances_to_ask(&reader.ctx())), ["analytics"]);
}
