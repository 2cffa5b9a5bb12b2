import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { writeSshConfig } from "../../../../src/knock/clients/ssh-config";
import { readPolicy } from "../../policy/read-policy";

test("the ProxyCommand says nothing when the host ends the connection before ssh does", async () => {
  const server = createServer((socket) => socket.end("bye\n")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const knock = { steps: [{ udp: 8_522 }, { udp: 9_533 }] };
  const policy = readPolicy({ name: "edge", gates: [{ name: "ssh", protect: [{ tcp: `${port}` }], knock }] });
  const config = writeSshConfig("edge", { host: "127.0.0.1", port, user: "ops" }, policy);
  const [, command = "exit 1"] = /ProxyCommand (.*) %p$/m.exec(config) ?? [];
  const proxy = spawn("bash", ["-c", `exec ${command} ${port}`]);
  const said = [text(proxy.stdout), text(proxy.stderr)];
  await once(proxy, "exit");
  // The command that copies to the host is still there, but its parent has ended already.
  proxy.stdin.end();
  expect(await Promise.all(said)).toEqual(["bye\n", ""]);
  server.close();
});
