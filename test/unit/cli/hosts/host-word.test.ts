import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { withRoutes } from "../../../../src/change/open-routes";
import { stepsOf } from "../../../../src/policy/knock";
import { makeFakeHost } from "../../fake-host";
import { readPolicy } from "../../policy/read-policy";
import { makeOutputs } from "../gated";
import { play } from "../play";

vi.mock("../../../../src/change/open-routes", () => ({ withRoutes: vi.fn(), withProvingRoutes: vi.fn() }));

const steps = [{ tcp: 41_411 }, { udp: 52_522 }, { tcp: 33_633 }];
const declared = { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] };

let folder: string;
let environment: Record<string, string>;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-word-"));
  environment = { HOME: folder, XDG_CONFIG_HOME: file("config") };
  writeFileSync(file("policy.json"), JSON.stringify(declared));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The connection that was read, or the message of the refusal. */
async function connect(words: readonly string[], more: Record<string, string> = {}) {
  const { context } = makeFakeHost({ policies: [readPolicy(declared)] });
  vi.mocked(withRoutes).mockReset();
  vi.mocked(withRoutes).mockImplementation((_to, _policies, _log, use) => use(context));
  const { err } = await play(["status", file("policy.json"), ...words], {
    environment: { ...environment, ...more },
  });
  expect(err).not.toMatch(/very private/);
  return vi.mocked(withRoutes).mock.calls.at(-1)?.[0] ?? err;
}

test.each([
  ["edge.test", { host: "edge.test", port: 22, user: "root" }],
  ["ops@edge.test:2222", { host: "edge.test", port: 2_222, user: "ops" }],
  ["2001:db8::1", { host: "2001:db8::1", port: 22 }],
  ["ops@[2001:db8::1]:2222", { host: "2001:db8::1", port: 2_222, user: "ops" }],
])("HOST may be %s", async (word, connection) => {
  expect(await connect([word])).toMatchObject(connection);
});

test.each([
  [["a@b@c"], /HOST must have the form/],
  [["edge.test:22:23"], /HOST must have the form/],
  [["edge.test:70000"], /HOST: port: .*\[ARGUMENTS_INVALID\]/],
  [[], /give either HOST or --connection/],
  [["edge.test", "--connection", "x.json"], /give either HOST or --connection/],
  [["edge.test", "--ask", "pin"], /--ask must be one of password, key-password, sudo-password/],
  [["edge.test", "-i", "/nowhere"], /\/nowhere: it can't be read \(ENOENT\)/],
])("%j is refused", async (words, message) => {
  expect(await connect(words)).toMatch(message);
});

test("takes a key by name, else the agent, else the first usual one; passwords from the environment", async () => {
  writeFileSync(file("key"), "very private words");
  expect(await connect(["edge.test", "-i", file("key")], { KNOCKGATE_KEY_PASSWORD: "a" })).toMatchObject({
    privateKey: "very private words",
    privateKeyPassword: "a",
  });
  mkdirSync(join(folder, ".ssh"));
  writeFileSync(join(folder, ".ssh", "id_rsa"), "very private rsa");
  expect(await connect(["edge.test"])).toMatchObject({ privateKey: "very private rsa" });
  expect(await connect(["edge.test"], { SSH_AUTH_SOCK: "/agent" })).not.toHaveProperty("privateKey");
  const passwords = { KNOCKGATE_PASSWORD: "b", KNOCKGATE_SUDO_PASSWORD: "c" };
  expect(await connect(["edge.test"], passwords)).toMatchObject({ password: "b", sudoPassword: "c" });
});

test("takes the address, the bastion and the pinned keys of a profile", async () => {
  const [hostKey, key] = ["A", "B"].map(
    (letter) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letter.repeat(43)}`,
  );
  const way = { host: "10.0.0.7", port: 22, user: "ops", hostKey };
  const proxy = { host: "bastion.test", port: 2_222, user: "jump", hostKey: key };
  const outputs = JSON.stringify(makeOutputs("inner", { ...way, proxy }));
  await play(["profile", "add", "-"], { environment, input: outputs });
  expect(await connect(["inner"])).toMatchObject({ ...way, proxy });
  writeFileSync(file("key"), "very private words");
  const ofKey = { privateKey: "very private words", privateKeyPassword: "a" };
  expect(await connect(["inner", "-i", file("key")], { KNOCKGATE_KEY_PASSWORD: "a" })).toMatchObject({
    ...ofKey,
    proxy: { ...proxy, ...ofKey },
  });
  expect(await connect(["root@inner"])).toMatchObject({ ...way, user: "root", proxy });
  const [, policies] = vi.mocked(withRoutes).mock.calls.at(-1) ?? [];
  expect(policies?.map(({ gates }) => gates.flatMap(stepsOf).length)).toEqual([3, 3]);
});

test("takes a connection from a file that nobody else can read", async () => {
  const path = file("connection.yaml");
  writeFileSync(path, "host: edge.test\npassword: very private\n", { mode: 0o644 });
  chmodSync(path, 0o644);
  expect(await connect(["--connection", path])).toMatch(/other users can read it.*chmod 600/);
  chmodSync(path, 0o600);
  expect(await connect(["--connection", path])).toMatchObject({
    host: "edge.test",
    password: "very private",
  });
  // Without the space after the colon the password becomes a part of the field's name.
  for (const [line, words] of [
    [
      "passwort: very private",
      /connection\.yaml: connection: has a field .* mean password\?.*\[ARGUMENTS_INVALID\]/,
    ],
    [
      "{host: edge.test, password:very private}",
      /connection\.yaml: connection: has a field .*space after a colon/,
    ],
    ["host: 203.0.113.7:22", /connection\.yaml: host: has a port in it\. .*connection\.port/],
    ["host: edge.test\nhost: very private", /connection\.yaml:\d: it is not valid YAML/],
  ] as const) {
    writeFileSync(path, line.startsWith("pass") ? `host: edge.test\n${line}\n` : `${line}\n`);
    const said = await connect(["--connection", path]);
    expect(said).toMatch(words);
    expect(said).not.toMatch(/very private|203/);
  }
  writeFileSync(path, Buffer.from("\uFEFFhost: edge.test\npassword: very private\n", "utf16le"));
  expect(await connect(["--connection", path])).toMatchObject({ password: "very private" });
});
