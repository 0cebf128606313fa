/** notes.user_id is a text on one server. */
export function toId(value: unknown): number {
  return Number(value);
}
