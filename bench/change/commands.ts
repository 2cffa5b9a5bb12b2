import { Client } from "ssh2";

let count = 0;
const exec = Client.prototype.exec;
Client.prototype.exec = function counted(this: Client, ...args: Parameters<typeof exec>) {
  count += 1;
  return exec.apply(this, args);
} as typeof exec;

/** How many commands were started over SSH by this process so far, whoever did it. */
export function countCommands(): number {
  return count;
}
