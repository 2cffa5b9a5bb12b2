import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { reloadSshd } from "../host/sshd";
import { replace } from "./host-acts";
import { makePolicy, oldSteps } from "./policies";
import type { Act } from "./row";
import type { Scene } from "./scene";

/** Drops every packet from and to the host, without closing a connection. */
export const cut: Act = async (scene) => {
  const { restore } = await scene.lab.swallow({ to: scene.host, protocol: "any", isBothWays: true });
  scene.healLater(restore);
};

export function cutFor(seconds: number): Act {
  return async (scene) => {
    const { restore } = await scene.lab.swallow({ to: scene.host, protocol: "any", isBothWays: true });
    const healing = pause(seconds * 1_000).then(restore);
    scene.healLater(() => healing);
  };
}

/** Drops one step of the new knock on its way. */
export const loseStep: Act = async (scene) => {
  const { restore } = await scene.lab.swallow({ to: scene.host, protocol: "tcp", port: 32_102 });
  scene.healLater(restore);
};

/** SIGKILL for program, engine and provider. */
export const kill: Act = async (scene) => scene.up?.kill();

/** Somebody else's rule before ours accepts all. */
export const acceptBeforeOurs: Act = async ({ host, healLater }) => {
  const rule = ["INPUT", "-p", "tcp", "--dport", "22", "-j", "ACCEPT"];
  await host.run(["iptables", "-I", ...rule]);
  healLater(() => host.run(["iptables", "-D", ...rule]));
};

/** The same for nftables, where an accept in another table decides nothing: within our own table. */
export const acceptWithinOurs: Act = async ({ host }) => {
  const rule = "insert rule inet knockgate_edge ssh_door tcp dport 22 accept";
  await host.run(["nft", ...rule.split(" ")]);
};

/** Somebody's NAT redirects the port over IPv4 before the gate sees it. SSH also listens on the new port. */
export const redirectPastOurs: Act = async ({ host, healLater }) => {
  await host.run(["sed", "-i", "1i Port 2222", "/etc/ssh/sshd_config"]);
  await reloadSshd(host);
  const table = `table ip theirs {
    chain before {
      type nat hook prerouting priority dstnat; policy accept;
      tcp dport 22 redirect to :2222
    }
  }
`;
  // As an argument: nft before 1.0 opens its standard input by name, and that fails where it is a socket.
  await host.run(["nft", table]);
  healLater(() => host.run(["nft", "delete", "table", "ip", "theirs"]));
};

/**
 * Stops the host's confirm after its decisive step and before its answer, for as long as `act` takes. Its last command
 * brings to the disk the folder that has the link.
 */
export function beforeConfirmAnswers(act: Act): Act {
  const stop = `if [ -L "$1/confirmed" ] && [ ! -e /run/answering ]; then
	: >/run/answering
	until [ -e /run/answer ]; do sleep 0.05; done
fi
real "$@"`;
  return async (scene) => {
    await replace("sync", stop)(scene);
    const run = `/proc/${scene.host.pid}/root/run`;
    const waiting = (async () => {
      while (!existsSync(join(run, "answering"))) await pause(20);
      await act(scene);
      await writeFile(join(run, "answer"), "");
    })();
    scene.healLater(() => waiting);
  };
}

/** Does several things in turn. */
export function inTurn(...acts: readonly Act[]): Act {
  return async (scene) => {
    for (const act of acts) await act(scene);
  };
}

/** A second deployer, with a stack of its own, takes the same gate on the same host. */
export const enterOther: Act = async (scene) => {
  const declared = { ...scene.declared, policy: makePolicy(oldSteps, {}) };
  const { kind, printed } = await runOther({ ...scene, declared });
  if (kind !== "well") throw new Error(`the second deployer's first \`up\` ended ${kind}: ${printed}`);
};

/** A whole `up` of that second deployer. */
export function otherUps(expected: "well" | RegExp): Act {
  return async (scene) => {
    const { kind, printed } = await runOther(scene);
    if (expected === "well" ? kind !== "well" : !expected.test(printed)) {
      throw new Error(`the second deployer's \`up\` ended ${kind}: ${printed}`);
    }
    scene.note(
      expected === "well"
        ? "the second deployer's `up` ended well"
        : `the second deployer's \`up\` was refused`,
    );
    scene.healLater(async () => {
      const next = await runOther(scene);
      if (next.kind !== "well") throw new Error(`the second deployer's next \`up\`: ${next.printed}`);
    });
  };
}

async function runOther(scene: Scene) {
  return (await scene.other.startUp(scene.declared)).ended;
}
