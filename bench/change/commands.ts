import { Client } from "ssh2";

let count = 0;
const exec = Client.prototype.exec;
Client.prototype.exec = function counted(this: Client, ...args: Parameters<typeof exec>) {
  count += 1;
  return exec.apply(this, args);
} as typeof exec;

/** The number of commands that this process has started over SSH so far, by any caller. */
export function countCommands(): number {
  return count;
}
