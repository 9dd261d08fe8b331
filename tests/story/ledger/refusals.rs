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
    host.database
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
             INSERT INTO removals (id, state, asked_at, policies, attempts) SELECT printf('00%030d', i), 'refused', 0, '', 0 FROM n",
            [],
        )
        .unwrap();
    for _ in 0..400 {
        ask(&host, &app, stranger()).await;
    }
    let count = |sql: &str| host.database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let unproved = count("SELECT count(*) FROM removals WHERE actor IS NULL");
    assert!((10_000..10_400).contains(&unproved), "{unproved}");
    assert_eq!(count("SELECT count(*) FROM removals WHERE caller IS NULL AND code = 'OFFBOARD.40402'"), 400);
    assert_eq!(count("SELECT count(*) FROM removals WHERE state = 'removed'"), 1);
}
