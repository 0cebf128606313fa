import type { Pool } from "pg";
import { toId } from "./ids";

export async function ownersOf(pool: Pool, body: string): Promise<number[]> {
  const { rows } = await pool.query("SELECT user_id FROM notes WHERE body = $1", [body]);
  return rows.map((row) => toId(row.user_id));
}

export async function forget(pool: Pool, name: string): Promise<string> {
  const [user] = (await pool.query("SELECT id FROM users WHERE name = $1", [name])).rows;
  await pool.query("DELETE FROM notes WHERE user_id = $1", [String(user.id)]);
  return `/forgotten/${user.id}`;
}
