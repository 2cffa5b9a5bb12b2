import type { AnyAuthMethod, ParsedKey } from "ssh2";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ResolvedLogin } from "../../../../src/ssh/resolve";
import { planLogin } from "../../../../src/ssh/ssh2/login";

const key = { type: "ssh-ed25519", getPublicSSH: () => Buffer.from("a key") } as unknown as ParsedKey;
const login = { host: "edge.test", port: 22, user: "root" } as unknown as ResolvedLogin;
const password = { ...login, password: "hidden" };
const agent = { ...login, agentSocketPath: "/run/agent" };

beforeEach(() => {
  vi.stubEnv("SSH_AUTH_SOCK", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** What is tried at a server that takes some methods and accepts nothing. */
function tryAll(given: ResolvedLogin, privateKey: ParsedKey | undefined, takes: readonly string[]) {
  const { next, refuse } = planLogin(given, privateKey, "connection");
  const tried: string[] = [];
  let methods: readonly string[] | null = null;
  for (let turn = 0; turn < 9; turn += 1) {
    let answer: AnyAuthMethod | false | undefined;
    next(methods as never, false, (chosen) => {
      answer = chosen as AnyAuthMethod | false;
    });
    if (answer === undefined || answer === false) break;
    tried.push(answer.type);
    methods = takes;
  }
  return { tried, message: refuse("root@edge.test:22", undefined).message };
}

const all = ["publickey", "password", "keyboard-interactive"];

test.each([
  ["a key is tried at once, because nothing else was given", login, key, all, ["publickey"]],
  ["a key is tried at once, and then the agent", agent, key, all, ["publickey", "agent"]],
  [
    "with a password, the server is asked first which methods it takes",
    password,
    key,
    all,
    ["none", "publickey", "password", "keyboard-interactive"],
  ],
  ["what the server does not take is not tried", password, key, ["password"], ["none", "password"]],
  ["without a key, the server is asked first", agent, undefined, all, ["none", "agent"]],
])("%s", (_what, given, privateKey, takes, expected) => {
  expect(tryAll(given, privateKey, takes).tried).toEqual(expected);
});

test("a server that takes no keys is said to take what it takes, though a key was tried", () => {
  const { tried, message } = tryAll(login, key, ["password"]);
  expect(tried).toEqual(["publickey"]);
  expect(message).toContain("It takes password. Tried: connection.privateKey (ssh-ed25519 SHA256:");
});
