import { once } from "node:events";
import { join } from "node:path";
import { startCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import type { LabMachine } from "../../../lab/machine";

export interface Watched {
  readonly begun: number;
  /** How many connections were answered: let in or refused. */
  readonly answered: number;
  /** How many of the answers only said that nothing listens. */
  readonly refused: number;
  /** For how long the port answered, when all answers are put together. */
  readonly openMs: number;
}

/** Connects to a host's SSH port again and again, without a knock, while something is done. */
export function watchClosed(
  client: LabMachine,
  host: LabHost,
  act: () => Promise<unknown>,
): Promise<Watched> {
  return watchPort(client, { address: host.ipv4, port: host.sshPort }, act);
}

/** The same with another port. */
export async function watchPort(
  client: LabMachine,
  { address, port }: { readonly address: string; readonly port: number },
  act: () => Promise<unknown>,
): Promise<Watched> {
  const enter = ["nsenter", "--target", String(client.pid), "--net", "--"];
  const loop = [process.execPath, join(__dirname, "connect-repeatedly.mjs"), address, String(port)];
  const child = startCommand([...enter, ...loop]);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child.stderr, "data");
  const closed = once(child, "close");
  try {
    await act();
  } finally {
    child.stdin.end();
    await closed;
  }
  return JSON.parse(said);
}
