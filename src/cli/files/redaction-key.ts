import { randomBytes } from "node:crypto";

/** Makes a key for labels that exists only during the run: nobody can try ports against the labels. */
export function makeRedactionKey(): string {
  return randomBytes(32).toString("hex");
}
