import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { ConnectionInput } from "../../../src/ssh/connection";
import type { CommandResult } from "../../../src/ssh/host";
import { claimHost, connectionTo, openDeployment } from "./deployment";
import { addUser } from "./users";

const password = "Sesame-4711-word";
const program = "id -u\necho complaint >&2\nexit 9\n";
const answer: CommandResult = { code: 9, stdout: "0\n", stderr: "complaint\n" };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("a login", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 30 });
  });
  afterAll(() => lab?.close());

  /** Runs a program that a user runs as root, by sudo with a password. Returns what it leaves. */
  async function run(host: LabHost, more: Partial<ConnectionInput> = {}, limitMs = 10_000) {
    const connection = connectionTo(lab, host, { user: "keeper", sudoPassword: password, ...more });
    const [route] = (await openDeployment(connection)).routes;
    if (route === undefined) throw new Error("no route");
    const opened = await route.connect(5_000);
    return opened.run({ commands: program }, limitMs).finally(() => opened.close());
  }

  async function prepare(shell: string, files: Readonly<Record<string, string>> = {}): Promise<LabHost> {
    const host = claimHost(lab);
    await addUser(host, "keeper", { password, shell, sudoers: "keeper ALL=(ALL:ALL) ALL" });
    for (const [name, text] of Object.entries(files)) {
      const folder = name.includes("/") ? `mkdir -p "$(dirname ${name})" && ` : "";
      await host.run(
        ["sh", "-c", `cd /home/keeper && ${folder}cat >${name} && chown -R keeper: . && chmod +x ${name}`],
        {
          stdin: text,
        },
      );
    }
    return host;
  }

  const noise = "printf 'hi \\n there '\nprintf 'oh ' >&2\nstty -echo\n";

  test.each([
    ["bash", "/bin/bash", { ".bashrc": noise }],
    [
      "bash that starts another bash, and goes on when that ends",
      "/bin/bash",
      { ".bashrc": "bash\nprintf on\n" },
    ],
    ["bash that traces what it runs", "/bin/bash", { ".bashrc": "set -xv\nexport SHELLOPTS\n" }],
    ["bash that reads a line for itself", "/bin/bash", { ".bashrc": 'read -r line\necho "$line"\n' }],
    ["zsh", "/usr/bin/zsh", { ".zshenv": noise }],
    ["tcsh", "/bin/tcsh", { ".tcshrc": "echo -n hi\nstty -echo\n" }],
    ["fish", "/usr/bin/fish", { ".config/fish/config.fish": "printf hi; printf oh >&2\n" }],
    ["rbash", "/bin/rbash", { ".bashrc": noise }],
  ])("by %s whose startup files print without a line break becomes root", async (_what, shell, files) => {
    const host = await prepare(shell, files);
    expect(await run(host)).toMatchObject({
      code: 9,
      stdout: "0\n",
      stderr: expect.stringContaining("complaint"),
    });
  });

  test("as root whose startup file prints without a line break runs a program", async () => {
    const host = claimHost(lab);
    await host.run([
      "sh",
      "-c",
      "sed -i '/^root:/s,/bin/sh,/bin/bash,' /etc/passwd; printf 'printf hi; printf oh >&2' >/root/.bashrc",
    ]);
    expect(await run(host, { user: "root" })).toEqual(answer);
  });

  test.each([
    [
      "`exec bash` in a startup file",
      "/bin/bash",
      { ".bashrc": "exec bash\n" },
      /because another shell read what it was sent.*~\/\.bashrc/,
    ],
    ["`exec zsh` in a startup file", "/bin/bash", { ".bashrc": "exec zsh\n" }, /because another shell read/],
    [
      "`exec fish`, which reads to the end first",
      "/bin/bash",
      { ".bashrc": "exec fish\n" },
      /because another shell read/,
    ],
    [
      "a wrapper that starts a shell",
      "/home/keeper/wrap",
      { wrap: "#!/bin/sh\necho hello\nexec bash\n" },
      /because another shell read/,
    ],
    [
      "a wrapper that repeats its input",
      "/home/keeper/wrap",
      { wrap: "#!/bin/sh\nexec cat\n" },
      /it did not run sh \(exit code 0\)/,
    ],
    [
      "a wrapper that repeats its input and runs it",
      "/home/keeper/wrap",
      { wrap: "#!/bin/sh\ntee /dev/stderr | sh\n" },
      /another shell read/,
    ],
    [
      "a wrapper that makes one output of two",
      "/home/keeper/wrap",
      { wrap: '#!/bin/sh\n/bin/sh "$@" 2>&1\n' },
      /its standard output and standard error come as one.*2>&1/,
    ],
    [
      "a wrapper with a terminal",
      "/home/keeper/wrap",
      { wrap: '#!/bin/sh\nSHELL=/bin/sh exec script -qc "$2" /dev/null\n' },
      /its standard output and standard error come as one.*terminal/,
    ],
    [
      "a wrapper that says the command",
      "/home/keeper/wrap",
      { wrap: '#!/bin/bash\necho "$2" is not for you >&2\nexit 3\n' },
      /\(exit code 3: is not for you\): is another login shell/,
    ],
    [
      "a wrapper that says the command in other words",
      "/home/keeper/wrap",
      { wrap: '#!/bin/bash\necho -e "$2" is not for you >&2\nexit 3\n' },
      /\(exit code 3\): is another login shell/,
    ],
    ["nologin", "/usr/sbin/nologin", {}, /\(exit code 1: This account is currently not available\.\)/],
  ] as const)("that meets %s fails without having sent a password", async (_what, shell, files, why) => {
    const host = await prepare(shell, files as Record<string, string>);
    const failure: unknown = await run(host, {}, 5_000).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "HOST_FAILED",
      message: expect.stringMatching(/keeper@\S+: it did not run sh/),
    });
    expect(String(failure)).toMatch(why);
    expect(String(failure)).not.toContain(password);
    expect(String(failure)).not.toMatch(/printf|say\(\)/);
  });

  test("by a key that sends one to another user says whom, and where to go", async () => {
    const host = claimHost(lab);
    const say = `echo 'Please login as the user \\"debian\\" rather than the user \\"root\\".';echo;sleep 1;exit 142`;
    await host.run([
      "sed",
      "-i",
      `s/^/no-port-forwarding,command="${say.replaceAll("\\", "\\\\")}" /`,
      "/etc/ssh/authorized_keys",
    ]);
    await expect(run(host, { user: "root" })).rejects.toMatchObject({
      code: "HOST_FAILED",
      message: expect.stringMatching(
        /exit code 142: Please login as the user "debian" rather than the user "root"\.\): .*ForceCommand.*Log in as another user/,
      ),
    });
  });
});
