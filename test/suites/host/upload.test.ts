import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { renderPolicy } from "../../../src/backends/render";
import { stageProgram } from "../../../src/host/script/program";
import { digestText } from "../../../src/policy/digest";
import { frameProgram } from "../../../src/ssh/root";
import { claimHost } from "./deployment";
import { listFiles } from "./inspection";
import { oldPolicy } from "./policies";

const text = renderPolicy(oldPolicy);
const { functions = "", commands } = stageProgram("edge", "0000-0000", digestText(text), {
  ruleset: text,
  load: text,
  owner: "me",
  backend: "nftables",
});
const program = frameProgram(functions, commands, "mark");

describe.concurrent.each(["dash", "busybox"] as const)("an upload to a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 3, shell });
  });
  afterAll(() => lab?.close());

  test.each([
    ["in a file", program.lastIndexOf("put_line owner") - 40],
    ["between two files", program.lastIndexOf("put_line owner")],
    ["in its last command", program.lastIndexOf("stage_end") + 12],
  ])("that stalls and ends %s holds no lock and does nothing", async (_where, length) => {
    const host = claimHost(lab);
    const upload = host.spawn(["sh", "-s"]);
    upload.stdin.write(program.slice(0, length));
    await pause(500);
    await host.run(["flock", "-n", "/var/lib", "true"]);
    expect(await listFiles(host)).toEqual([]);
    upload.stdin.end();
    await once(upload, "close");
    expect([await host.ruleset(), await listFiles(host)]).toEqual(["", []]);
  });
});
