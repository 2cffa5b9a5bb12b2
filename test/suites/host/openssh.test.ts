import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { ConnectionInput } from "../../../src/ssh/connection";
import { claimHost, connectionTo, openDeployment } from "./deployment";

describe("a connection by ssh(1)", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 6 });
  });
  afterAll(() => lab?.close());

  const listFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("knockgate-ssh-"));

  async function logIn(host: LabHost, more: Partial<ConnectionInput> = {}): Promise<string> {
    const connection = connectionTo(lab, host, { transport: "openssh", ...more });
    const [route] = (await openDeployment(connection)).routes;
    const opened = await route?.connect(10_000);
    const result = await opened?.run({ commands: "id -un\n" }, 10_000);
    opened?.close();
    return result?.stdout.trim() ?? "";
  }

  test("logs in by the key and the host key that it is given, and leaves nothing behind", async () => {
    expect(await logIn(claimHost(lab))).toBe("root");
    await expect.poll(listFolders, { timeout: 5_000 }).toEqual([]);
  });
});
