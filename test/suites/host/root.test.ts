import { Client } from "ssh2";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { SshClient } from "../../../src/ssh/client";
import type { HostConnection } from "../../../src/ssh/host";
import { quoteSaid } from "../../../src/ssh/quote-said";
import { becomeRoot } from "../../../src/ssh/root";
import { claimHost, connectionTo, openDeployment } from "./deployment";

describe.each(["dash", "busybox"] as const)("a login that is root on a host with %s", (shell) => {
  let lab: Lab;
  let host: LabHost;
  let connection: HostConnection;
  const commands = vi.spyOn(Client.prototype, "exec");
  beforeAll(async () => {
    lab = await openLab({ hosts: 1, shell });
    host = claimHost(lab);
  });
  afterAll(() => lab?.close());
  afterEach(() => connection?.close());

  async function logIn(sudoPassword?: string): Promise<void> {
    const [route] = (await openDeployment(connectionTo(lab, host, { sudoPassword }))).routes;
    if (route === undefined) throw new Error("no route");
    connection = await route.connect(5_000);
    commands.mockClear();
  }

  test("runs program after program by one command, and gets exactly what each printed", async () => {
    await logIn();
    const program = "id -u\necho complaint >&2\nprintf 'no line break'\nexit 91\n";
    for (const _time of ["first", "second", "third"]) {
      const result = await connection.run({ commands: program }, 5_000);
      expect(result).toEqual({ code: 91, stdout: "0\nno line break", stderr: "complaint\n" });
    }
    expect(commands).toHaveBeenCalledTimes(1);
  });

  test("passes only the functions from one program to the next", async () => {
    await logIn();
    const functions = 'sent=$((sent + 1))\ngreet() { echo "hello $*"; }\n';
    const first =
      "greet you; word=set; cd /tmp; umask 0; greet() { :; }; exec >/dev/null; trap 'echo trap' EXIT; set --\n";
    expect((await connection.run({ functions, commands: first }, 5_000)).stdout).toBe("hello you\n");
    const second = 'greet "$sent" "$1"; echo "<$word> $PWD $(umask)"\n';
    const again = await connection.run({ functions, commands: second }, 5_000);
    expect(again.stdout).toMatch(/^hello 1 [\d.]+ \d+ [\d.]+ 22\n<> \/root 0?022\n$/);
    const others = { functions: "other() { echo other; }\n", commands: "other; greet you\n" };
    expect((await connection.run(others, 5_000)).stdout).toBe("other\nhello you\n");
    expect((await connection.run({ functions, commands: 'echo "$sent"\n' }, 5_000)).stdout).toBe("2\n");
    expect(commands).toHaveBeenCalledTimes(1);
  });

  test("gives a program no standard input, least of all the next program", async () => {
    await logIn();
    expect((await connection.run({ commands: "cat; echo done\n" }, 5_000)).stdout).toBe("done\n");
    expect((await connection.run({ commands: "echo next\n" }, 5_000)).stdout).toBe("next\n");
  });

  test("does not send the password that another host would want", async () => {
    await logIn("only for sudo");
    const program = 'env; set; cat "/proc/$$/cmdline" "/proc/$PPID/cmdline"\n';
    for (const _time of ["first", "second"]) {
      const { stdout } = await connection.run({ commands: program }, 5_000);
      expect(stdout).toContain("SSH_CONNECTION");
      expect(stdout).not.toContain("only for sudo");
    }
  });

  test("runs programs side by side, each by a shell of its own, and keeps those shells", async () => {
    await logIn();
    await connection.run({ commands: ":\n" }, 5_000);
    // Each program waits for the other.
    const program = (word: string) =>
      `mkdir -p /run/here && : >/run/here/${word}; until [ -e /run/here/a ] && [ -e /run/here/b ]; do sleep 0.05; done; echo ${word}\n`;
    for (const _time of ["first", "second"]) {
      const results = await Promise.all(
        ["a", "b"].map((word) => connection.run({ commands: program(word) }, 5_000)),
      );
      expect(results.map(({ stdout }) => stdout)).toEqual(["a\n", "b\n"]);
      await connection.run({ commands: "rm -r /run/here\n" }, 5_000);
    }
    expect(commands).toHaveBeenCalledTimes(2);
  });

  test("starts another shell for one that was ended in between", async () => {
    await logIn();
    const { stdout } = await connection.run({ commands: "echo $$\n" }, 5_000);
    await host.run(["kill", "-KILL", stdout.trim()]);
    await vi.waitFor(async () => {
      expect(await connection.run({ commands: "echo $$\n" }, 5_000)).toMatchObject({
        code: 0,
        stdout: expect.not.stringContaining(stdout),
      });
    });
    expect(commands).toHaveBeenCalledTimes(2);
  });

  test.each(["kill -KILL $$", "exec sleep 60"])("uses another shell after `%s`", async (program) => {
    await logIn();
    // The login shell either passes on the signal that ended our shell, or exits with a code for it.
    const result = await connection.run({ commands: `${program}\n` }, 1_000).catch(({ code }) => ({ code }));
    expect(result.code).toBeOneOf([137, "HOST_FAILED", "UNREACHABLE"]);
    expect((await connection.run({ commands: "echo next\n" }, 5_000)).stdout).toBe("next\n");
    expect(commands).toHaveBeenCalledTimes(2);
  });

  test("returns large outputs of both kinds completely", async () => {
    await logIn();
    const program = "head -c 300001 /dev/zero | tr '\\0' x; head -c 200003 /dev/zero | tr '\\0' y >&2\n";
    for (const _time of ["first", "second"]) {
      const { stdout, stderr } = await connection.run({ commands: program }, 10_000);
      expect([stdout === "x".repeat(300_001), stderr === "y".repeat(200_003)]).toEqual([true, true]);
    }
  });
});

test.each([
  ["a program's own words", "root\n"],
  ["what looks like an answer", `${"0".repeat(32)} root\n`],
])("a login that is root is not seen in %s where no sh answers", async (_what, stdout) => {
  const result = { code: 1, stdout, stderr: "nothing here\n" };
  const hear = async () => ({ kind: "ended", result });
  const client = {
    name: "root@here",
    converse: () => ({ isOpen: false, hear }),
    quote: (said: string) => quoteSaid(said),
  } as unknown as SshClient;
  await expect(becomeRoot(client, undefined).run({ commands: "id\n" }, 5_000)).rejects.toMatchObject({
    code: "HOST_FAILED",
    message: expect.stringMatching(/root@here: it did not run sh \(exit code 1.*nothing here.*ForceCommand/),
  });
});
