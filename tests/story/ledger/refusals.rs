//! Rows of requests that prove no caller: how many are kept.

use starrocks_offboard::request::inbound::Inbound;

use crate::gateway::{SUCCESS, app, ask, documented, memory, seconds, slash};

/// A stranger cannot fill the disk, and what they send never pushes out the row of a proved caller.
#[tokio::test]
async fn refusals_of_strangers_are_kept_up_to_a_number() {
    let (host, app) = (memory(), app());
    host.will_answer(200, SUCCESS);
    ask(&host, &app, documented(seconds(&host), "user_name=alice")).await;
    let stranger = || Inbound { path: "/hooks/nobody".into(), ..slash(0, "") };
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
        INSERT INTO removals (id, state, asked_at, policies, attempts)
        SELECT '000000000000000000000000000' || (10000 + i), 'refused', 0, '', 0 FROM n";
    host.database.execute(many, &[]);
    for _ in 0..400 {
        ask(&host, &app, stranger()).await;
    }
    let unproved = host.database.count("removals WHERE actor IS NULL");
    assert!((10_000..10_400).contains(&unproved), "{unproved}");
    assert_eq!(host.database.count("removals WHERE caller IS NULL AND code = 'OFFBOARD.40402'"), 400);
    assert_eq!(host.database.count("removals WHERE state = 'removed'"), 1);
}
