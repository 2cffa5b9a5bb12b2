import * as pulumi from "@pulumi/pulumi";
import { registerAsServed } from "../registration.js";
import { makeProvider } from "./provider.js";
import { readSchemaText } from "./schema.js";

/**
 * Serves the package to an engine until the engine ends this process. The first line of standard output is the port.
 * Nobody sees later lines, so text for the user goes to the engine's log.
 *
 * @param args what the engine starts a plugin with: options of its log, then its own address
 */
export async function servePlugin(args: readonly string[]): Promise<void> {
  const provider = makeProvider(readSchemaText());
  registerAsServed(provider.version ?? "");
  logToEngine(args);
  await pulumi.provider.main(provider, [...args]);
}

/** Connects the log to the engine. The provider's server gives the runtime the engine's address only in `construct`. */
function logToEngine(args: readonly string[]): void {
  const address = args.findLast((arg) => /:\d+$/.test(arg) && !arg.startsWith("-"));
  if (address !== undefined) pulumi.runtime.resetOptions("", "", 1, address, "", false, "");
}
