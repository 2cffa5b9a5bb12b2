import * as pulumi from "@pulumi/pulumi";
import { registerAsServed } from "../pulumi/registration.js";
import { makeProvider } from "./provider.js";
import { readSchemaText } from "./schema.js";

/**
 * Serves the package to an engine until the engine ends this process. The first line printed is the port; what is
 * printed after it nobody sees, so what the user shall see goes to the engine's log.
 *
 * @param args what the engine starts a plugin with: its own address, after options of its log
 */
export async function servePlugin(args: readonly string[]): Promise<void> {
  const provider = makeProvider(readSchemaText());
  registerAsServed(provider.version ?? "");
  logToEngine(args);
  await pulumi.provider.main(provider, [...args]);
}

/** Outside `construct`, the provider's server leaves the runtime without the engine's address. */
function logToEngine(args: readonly string[]): void {
  const address = args.findLast((arg) => /:\d+$/.test(arg) && !arg.startsWith("-"));
  if (address !== undefined) pulumi.runtime.resetOptions("", "", 1, address, "", false, "");
}
