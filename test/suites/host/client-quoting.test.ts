import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { writeKnockCommands } from "../../../src/knock/clients/knock-commands";
import { isHostWord } from "../../../src/knock/clients/ssh-endpoint";
import { readStep } from "../../../src/policy/step";

/** Near-misses: characters with a meaning in sh, and characters of names and addresses. */
const piece = fc.constantFrom(
  ..."'\"`$\\!*?[]{}()<>|&;#~=%^.:-",
  "''",
  "'\\''",
  "$(id)",
  "$h",
  "a",
  "203.0.113.7",
  "2001:db8::7",
  "ü",
);
const host = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(""));

/**
 * Functions that replace the tools and print their arguments. ssh passes its last word to a shell, as the far sshd
 * does.
 */
const listeners = `
say() { for word; do command printf '%s\\0' "$word"; done; }
knock() { say knock "$@"; }
nmap() { say nmap "$@"; }
bash() { say bash "$@"; }
sh() { say sh "$@"; }
ssh() { cat >/dev/null; for word; do :; done; eval "$word"; }
`;

function hear(commands: readonly string[], shell: string): readonly string[] {
  const input = `${listeners}${commands.join("\n")}\n`;
  const { stdout, stderr, status } = spawnSync(shell, ["-s"], { input, encoding: "utf8" });
  if (status !== 0 || stderr !== "") throw new Error(`${shell}: ${stderr}`);
  return stdout.split("\0").slice(0, -1);
}

test.each(["dash", "bash"])(
  "for %s a host's name is one literal word, whatever characters are in it",
  (shell) => {
    fc.assert(
      fc.property(fc.array(host.filter(isHostWord), { minLength: 1, maxLength: 20 }), (hosts) => {
        const steps = [{ tcp: 7_411 }, { udp: 8_522 }].map(readStep);
        const login = { port: 22, user: "ops" };
        const proxy = { ...login, host: "bastion.example" };
        const commands = hosts.flatMap((name) => {
          const direct = writeKnockCommands(steps, { ...login, host: name });
          const through = writeKnockCommands(steps, { ...login, host: name, proxy });
          const { ping } = writeKnockCommands([{ kind: "icmpEcho", payloadBytes: 9 }], {
            ...login,
            host: name,
          });
          const all = [direct.knock, direct.nmap, direct.bash, direct.netcat, ping, through.bash];
          return all.map((command) => command ?? "exit 1");
        });
        const heard = hear(commands, shell);
        const expected = hosts.flatMap((name) => {
          const options = [
            "-n",
            "--max-retries",
            "0",
            "--initial-rtt-timeout",
            "150ms",
            "--max-rtt-timeout",
            "150ms",
          ];
          const nmap = ["nmap", ...(name.includes(":") ? ["-6"] : []), ...options, "-Pn"];
          return [
            ...["knock", "-d", "150", name, "7411:tcp", "8522:udp"],
            ...[...nmap, "-sT", "-p", "7411", name, ...nmap, "-sU", "--data-length", "0", "-p", "8522", name],
            ...["bash", "-c", expect.stringContaining('>"/dev/tcp/$h/7411";'), "knock", name],
            ...["sh", "-c", expect.stringContaining('s nc -w 1 "$h" 7411;'), "knock", name],
            ...["sh", "-c", expect.stringContaining('s ping -q -c 1 -s 9 "$h";'), "knock", name],
            ...["bash", "-s", "--", name],
          ];
        });
        expect(heard).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  },
);
