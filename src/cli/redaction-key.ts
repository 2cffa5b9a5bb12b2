import { randomBytes } from "node:crypto";

/** Makes a key for labels that is thrown away after the run: nobody can try ports against them. */
export function makeRedactionKey(): string {
  return randomBytes(32).toString("hex");
}
