import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type GateArgs, type PolicyArgs, tokenOf, userKey } from "knockgate";
import type { LabHost } from "../lab/host";
import type { Scene } from "./chapters";
import { loud, type Show } from "./show";

const seed = randomBytes(32).toString("hex");
const tokenPort = 62_201;
const slotMs = 60_000;

/** A policy that lets in these people, each by tokens of their own. The first one is the deployer. */
export function declareTokens(people: readonly string[], gate: Omit<GateArgs, "knock">): PolicyArgs {
  return {
    name: "edge",
    users: people.map((name) => ({ name, key: keyOf(name) })),
    gates: [{ ...gate, knock: { token: { udp: tokenPort } } }],
  };
}

export async function showTokens(scene: Scene, host: LabHost, show: Show): Promise<void> {
  const { stack, client, people, openForSeconds } = scene;
  const shut = () => pause(openForSeconds * 1_000 + 500);
  const knock = async (payload: string) => {
    await client.sendToken(host, tokenPort, payload);
    return client.login(host);
  };

  show.chapter(`A token on ${host.name}: one packet, one person, once`);
  await shut(); // the deployer's own token opened the door for this machine too
  const before = await client.login(host);
  show.claim("without a token ssh can't connect", before.includes("timed out"), before);
  const token = makeToken("ada", host, 0);
  const opened = await knock(token);
  show.claim("a token of ada's opens", opened === host.name, `hostname: ${opened}`);
  await shut();
  const again = await knock(token);
  show.claim("the same packet, sent again, opens nothing", again.includes("timed out"), again);

  people.delete("ben");
  const { summary } = await stack.up(loud);
  const updated = summary.resourceChanges?.update ?? 0;
  show.claim("ben is taken away by one line", updated === 1, `${updated} updated`);
  await shut();
  const gone = await knock(makeToken("ben", host, 0));
  show.claim("a token of ben's opens nothing any more", gone.includes("timed out"), gone);
  const still = await knock(makeToken("ada", host, 1));
  show.claim(
    "ada's next token opens as before, with the same key",
    still === host.name,
    `hostname: ${still}`,
  );
}

function keyOf(user: string): string {
  return userKey({ seed, policy: "edge", user });
}

/** A person's token for the current minute, or for one that comes `later`. */
function makeToken(user: string, host: LabHost, later: number): string {
  const slot = Math.floor(Date.now() / slotMs) + later;
  return tokenOf(keyOf(user), { policy: "edge", gate: "ssh", host: host.ipv4, slot });
}
