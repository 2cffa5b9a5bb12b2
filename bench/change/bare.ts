import { connect } from "node:net";
import { Client } from "ssh2";
import { runCommand } from "../../lab/command";
import { sendKnock } from "../../src/knock/send-knock";
import type { Step } from "../../src/policy/step";
import type { Target } from "./target";

/**
 * The least work that brings a ruleset to a host and shows that the host can still be reached: the floor of a change.
 */
export interface BarePush {
  /** For `nft -f`. */
  readonly text: string;
  /** The steps to send before the first session. Empty if the host is not gated yet. */
  readonly before: readonly Step[];
  /** The steps to send before the second session. */
  readonly after: readonly Step[];
}

/** Opens two sessions by Knockgate's SSH library, and runs one `nft -f -` in the first. */
export async function pushBySsh2(target: Target, { text, before, after }: BarePush): Promise<void> {
  await sendKnock(target.address, before);
  await runOnce(target, "nft -f -", text);
  await sendKnock(target.address, after);
  await runOnce(target, "true", "");
}

/** The same by OpenSSH's client. `config` is a file that `writeSshConfig` wrote. */
export async function pushByOpenSsh(
  target: Target,
  { text, before, after }: BarePush,
  config: string,
): Promise<void> {
  await sendKnock(target.address, before);
  await runCommand(["ssh", "-F", config, target.name, "nft -f -"], { stdin: text });
  await sendKnock(target.address, after);
  await runCommand(["ssh", "-F", config, target.name, "true"]);
}

function runOnce({ address, hostKey, privateKey }: Target, command: string, input: string): Promise<void> {
  const expected = Buffer.from(hostKey.split(" ")[1] ?? "", "base64");
  const sock = connect({ host: address, port: 22 });
  sock.setNoDelay(true);
  const client = new Client();
  return new Promise((resolve, reject) => {
    client
      .on("error", reject)
      .on("ready", () => {
        client.exec(command, (error, channel) => {
          if (error !== undefined) return reject(error);
          let said = "";
          channel.stderr.on("data", (chunk: Buffer) => {
            said += chunk;
          });
          channel.on("close", (code: number) => {
            client.end();
            if (code === 0) resolve();
            else reject(new Error(`${address}: ${command} ended with ${code}: ${said.trim()}`));
          });
          channel.resume().end(input);
        });
      })
      .connect({ sock, username: "root", privateKey, hostVerifier: (key: Buffer) => key.equals(expected) });
  });
}
