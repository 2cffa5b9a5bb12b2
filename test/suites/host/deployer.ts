// A deployer for tests to kill: reads one change as JSON from its stdin and prints each line of its log.

import { text } from "node:stream/consumers";
import { changeHost } from "../../../src/change/change";
import type { ChangeRequest } from "../../../src/change/request";
import type { ConnectionInput } from "../../../src/ssh/connection";
import { openDeployment } from "./deployment";

/** The deployer's input. */
export interface Errand {
  readonly connection: ConnectionInput;
  readonly request: ChangeRequest;
}

async function main(): Promise<void> {
  const { connection, request }: Errand = JSON.parse(await text(process.stdin));
  const context = await openDeployment(connection);
  await changeHost(request, { ...context, log: (line) => console.log(line) });
}

void main();
