import { once } from "node:events";
import { join } from "node:path";
import { startCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import type { LabMachine } from "../../../lab/machine";

export interface Watched {
  readonly begun: number;
  readonly answered: number;
  /** How many of the answers only said that nothing listens. */
  readonly refused: number;
  /** From the first answered connection to the last. */
  readonly openMs: number;
}

/**
 * Connects to a host's SSH port again and again, without a knock, while something is done. Returns how many connections
 * it tried, how many were answered, and for how long.
 */
export async function watchClosed(
  client: LabMachine,
  host: LabHost,
  act: () => Promise<unknown>,
): Promise<Watched> {
  const enter = ["nsenter", "--target", String(client.pid), "--net", "--"];
  const loop = [process.execPath, join(__dirname, "connect-repeatedly.mjs"), host.ipv4, String(host.sshPort)];
  const child = startCommand([...enter, ...loop]);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child.stderr, "data");
  await act();
  child.stdin.end();
  await once(child, "close");
  return JSON.parse(said);
}
