import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { becomeRoot } from "../../src/transport/root";
import type { SshClient } from "../../src/transport/ssh";

/** A login of this process's own user, root in the lab, that notes what it runs. */
function logIn(commands: string[]): SshClient {
  return {
    name: "root@here",
    run: async (command, input) => {
      commands.push(command);
      const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { input, encoding: "utf8" });
      return { code: status ?? -1, stdout, stderr };
    },
    forward: () => Promise.reject(new Error("not here")),
    onClose: () => undefined,
    close: () => undefined,
  };
}

describe("a login that is root", () => {
  test("runs each program by one command, the first one too, and gets just what it left", async () => {
    const commands: string[] = [];
    const connection = becomeRoot(logIn(commands), undefined);
    const program = "id -u\necho complaint >&2\nprintf 'no line break'\nexit 91\n";
    for (const count of [1, 2]) {
      const result = await connection.run(program, 5_000);
      expect(result).toEqual({ code: 91, stdout: "0\nno line break", stderr: "complaint\n" });
      expect(commands).toHaveLength(count);
    }
  });

  test("leaves the password that another host would want to nobody", async () => {
    const connection = becomeRoot(logIn([]), "only for sudo");
    const program = 'env; set; cat "/proc/$$/cmdline"\n';
    for (const _time of ["first", "second"]) {
      expect((await connection.run(program, 5_000)).stdout).not.toContain("only for sudo");
    }
  });

  test("runs programs side by side once the first has shown the way", async () => {
    const commands: string[] = [];
    const connection = becomeRoot(logIn(commands), undefined);
    const results = await Promise.all(["a", "b", "c"].map((word) => connection.run(`echo ${word}\n`, 5_000)));
    expect(results.map(({ stdout }) => stdout)).toEqual(["a\n", "b\n", "c\n"]);
    expect(commands).toHaveLength(3);
  });

  test.each([
    ["a program's own words", "root\n"],
    ["what looks like an answer", `${"0".repeat(32)} root\n`],
  ])("is not seen in %s where no sh answers", async (_what, stdout) => {
    const run = async () => ({ code: 1, stdout, stderr: "nothing here\n" });
    const connection = becomeRoot({ ...logIn([]), run }, undefined);
    await expect(connection.run("id\n", 5_000)).rejects.toMatchObject({
      code: "HOST_FAILED",
      message: expect.stringMatching(
        /root@here: it did not run sh \(exit code 1.*nothing here.*ForceCommand/,
      ),
    });
  });
});
