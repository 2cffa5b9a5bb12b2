import { describe, expect, test } from "vitest";
import { writeKnockCommands } from "../../../../src/knock/clients/knock-commands";
import { readSshEndpoint, type SshEndpoint } from "../../../../src/knock/clients/ssh-endpoint";
import { readStep, type StepInput } from "../../../../src/policy/step";

const way = { host: "203.0.113.7", port: 22, user: "ops" };
const behind = { ...way, proxy: { host: "bastion.example", port: 2_222, user: "jump" } };
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIABBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const quiet = "-n --max-retries 0 --initial-rtt-timeout 150ms --max-rtt-timeout 150ms";
const begin =
  'trap f=1 USR1; f=; p=$BASHPID; test "$p" || p=$$; { exec 3<>/dev/udp/127.0.0.1/9; ' +
  "while { read -t .4 -u 3; test $? -gt 128 || sleep .4; } && kill -USR1 $p; do :; done; } 3<&- 4<&- & v=$!";
const end = "kill $v; wait $v";
const sendFrom =
  's(){ "$@" <&3 & p=$!; for i in 1 2 3 4 5; do kill -0 $p || break; sleep .1; done; kill $p; wait $p; } 3<&0';
const need = (tool: string) => `command -v ${tool} >/dev/null || { echo ${tool}: not found >&2; exit 127; }`;

function write(steps: readonly StepInput[], to: SshEndpoint) {
  return writeKnockCommands(steps.map(readStep), to);
}

describe("a knock as commands", () => {
  test("has TCP and UDP steps in order for each tool", () => {
    expect(write([{ tcp: 7_411 }, { udp: 8_522 }, { tcp: 6_633 }], way)).toEqual({
      knock: "knock -d 150 203.0.113.7 7411:tcp 8522:udp 6633:tcp",
      nmap: [
        `nmap ${quiet} -Pn -sT -p 7411 203.0.113.7`,
        `nmap ${quiet} -Pn -sU --data-length 0 -p 8522 203.0.113.7`,
        `nmap ${quiet} -Pn -sT -p 6633 203.0.113.7`,
      ].join(" && "),
      bash:
        `bash -c 'h=$1; { ${begin}; true >"/dev/tcp/$h/7411"; echo >"/dev/udp/$h/8522"; sleep .1; ` +
        `true >"/dev/tcp/$h/6633"; ${end}; } >/dev/null 2>&1; true' knock 203.0.113.7`,
      netcat:
        `sh -c 'h=$1; ${need("nc")}; ${sendFrom}; { s nc -w 1 "$h" 7411; printf %01d 0 | s nc -u -w 1 "$h" 8522; ` +
        `s nc -w 1 "$h" 6633; } </dev/null >/dev/null 2>&1; true' knock 203.0.113.7`,
    });
  });

  test("has sizes where the tool can send just that size", () => {
    const steps = [{ udp: 8_522, udpPayloadBytes: 9 }, { icmpPayloadBytes: 77 }];
    expect(write(steps, { ...way, host: "2001:db8::7" })).toEqual({
      nmap: [
        `nmap -6 ${quiet} -Pn -sU --data-length 9 -p 8522 2001:db8::7`,
        `nmap -6 ${quiet} -sn -PE --disable-arp-ping --data-length 77 2001:db8::7`,
      ].join(" && "),
      bash:
        `bash -c 'h=$1; type ping >/dev/null || exit; { ${begin}; dd if=/dev/zero bs=9 count=1 ` +
        '>"/dev/udp/$h/8522"; sleep .1; ping -q -c 1 -s 77 "$h" & wait $! || kill $!; ' +
        `${end}; } >/dev/null 2>&1; true' knock 2001:db8::7`,
      netcat:
        `sh -c 'h=$1; ${need("nc")}; ${need("ping")}; ${sendFrom}; { printf %09d 0 | s nc -u -w 1 "$h" 8522; ` +
        `s ping -q -c 1 -s 77 "$h"; } </dev/null >/dev/null 2>&1; true' knock 2001:db8::7`,
    });
  });

  test.each<{ what: string; steps: readonly StepInput[]; tools: readonly string[] }>([
    {
      what: "echo requests",
      steps: [{ tcp: 7_411 }, { icmpPayloadBytes: 0 }],
      tools: ["nmap", "bash", "netcat"],
    },
    { what: "echo requests alone", steps: [{ icmpPayloadBytes: 0 }], tools: ["nmap", "bash", "ping"] },
    {
      what: "sized datagrams",
      steps: [{ udp: 7_411, udpPayloadBytes: 1 }],
      tools: ["nmap", "bash", "netcat"],
    },
    { what: "empty datagrams", steps: [{ udp: 7_411, udpPayloadBytes: 0 }], tools: ["nmap"] },
    {
      what: "one UDP port twice in a row",
      steps: [{ udp: 53 }, { udp: 53 }],
      tools: ["knock", "bash", "netcat"],
    },
    {
      what: "one UDP port twice",
      steps: [{ udp: 53 }, { tcp: 1 }, { udp: 53 }],
      tools: ["knock", "nmap", "bash", "netcat"],
    },
  ])("of $what exists only for $tools", ({ steps, tools }) => {
    expect(Object.keys(write(steps, way))).toEqual(tools);
  });

  test("is run on the bastion if there is one, without a step in the arguments of its processes", () => {
    const steps = [{ udp: 8_522 }];
    const there = "ssh -l jump -p 2222 bastion.example 'bash -s -- 203.0.113.7'";
    expect(write(steps, behind)).toEqual({
      bash: `printf %s 'h=$1; { echo >"/dev/udp/$h/8522"; sleep .1; } >/dev/null 2>&1; true' | ${there}`,
    });
    expect(write([{ udp: 8_522, udpPayloadBytes: 0 }], behind)).toEqual({});
    const pinned = { ...behind, proxy: { ...behind.proxy, hostKey } };
    expect(write(steps, pinned).bash).toContain(
      ` | ssh -o IgnoreUnknown=KnownHostsCommand -o 'KnownHostsCommand=/bin/echo %H ${hostKey}' -o `,
    );
  });

  test.each(["-oProxyCommand=id", "a\0b", "a b", "", "a/b", "a\u0007"])(
    "is not made for the host %j",
    (host) => {
      expect(write([{ tcp: 7_411 }], { ...way, host })).toEqual({});
      expect(write([{ tcp: 7_411 }], { ...behind, proxy: { ...behind.proxy, host } })).toEqual({});
    },
  );

  test.each(["it's", "$(id)", "`id`", "a;id", "a&b", 'a"b', "*", "a\\b", "~root", "fe80::1%eth0"])(
    "has the host %s as one word that means itself",
    (host) => {
      const { knock } = write([{ tcp: 7_411 }], { ...way, host });
      const word = /^[a-z0-9:%]+$/.test(host) ? host : `'${host.replaceAll("'", "'\\''")}'`;
      expect(knock).toBe(`knock -d 150 ${word} 7411:tcp`);
    },
  );
});

describe("the way to a host", () => {
  test("has the defaults of @pulumi/command, and nothing secret", () => {
    const secrets = { privateKey: "very private", password: "hush", sudoPassword: "hush" };
    const proxy = { host: "b", ...secrets };
    expect(readSshEndpoint({ host: "a", ...secrets, proxy })).toEqual({
      host: "a",
      port: 22,
      user: "root",
      proxy: { host: "b", port: 22, user: "root" },
    });
  });

  test("has no pinned key where whatever key is taken", () => {
    expect(readSshEndpoint({ host: "a", port: 2_222, user: "ops", hostKey })).toMatchObject({ hostKey });
    expect(readSshEndpoint({ host: "a", hostKey, ignoreHostKey: true })).not.toHaveProperty("hostKey");
  });
});
