// The ledger of bolt.mjs: a claim before the DELETE, its outcome after it. Both functions return once their commit is on
// the disk, so a repeated delivery sends no second DELETE, and a crash between them leaves a row that says `claimed`.
import Database from "better-sqlite3";

// The workers share the file; each waits up to `timeout` milliseconds while the other one commits.
const database = new Database(process.env.DATABASE, { timeout: 10_000 });
database.pragma("journal_mode = WAL");
// In this mode, the default of better-sqlite3 is NORMAL, which can lose the latest commits when the power fails.
database.pragma("synchronous = FULL");
database.exec(`CREATE TABLE IF NOT EXISTS removals (
  id INTEGER PRIMARY KEY,
  delivery TEXT NOT NULL UNIQUE,
  user_name TEXT NOT NULL,
  instance TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  status INTEGER
) STRICT`);

const insert = database.prepare(
  `INSERT INTO removals (delivery, user_name, instance, asked_at, state) VALUES (?, ?, ?, ?, 'claimed')
   ON CONFLICT (delivery) DO NOTHING`,
);
const update = database.prepare("UPDATE removals SET state = ?, status = ? WHERE id = ?");

/** Returns the row's id, or `null` if this delivery has one already. */
export function claim(delivery, userName, instance) {
  const { changes, lastInsertRowid } = insert.run(delivery, userName, instance, Date.now());
  return changes === 1 ? lastInsertRowid : null;
}

export function finish(id, state, status) {
  update.run(state, status, id);
}
