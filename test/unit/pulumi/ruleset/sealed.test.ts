import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type Sealed, seal, unseal } from "../../../../src/pulumi/ruleset/sealed";

const body = randomBytes(300).toString("base64").replace(/.{70}/g, "$&\n");
const key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
const login = { host: "203.0.113.7", user: "ops", hostKey: `ssh-ed25519 ${"A".repeat(68)}`, privateKey: key };
const sealed: Sealed = {
  connection: login,
  undoAfterSeconds: 60,
  origin: "organization/urn:pulumi:prod::infra::knockgate:index:KnockGate::edge",
  redactionKey: "0123456789abcdef0123456789abcdef",
  digest: "ab".repeat(32),
  former: [],
  obstacles: ["ß <&> \n"],
};

test("what is sealed comes back as it was", () => {
  expect(unseal(seal(sealed))).toEqual(sealed);
  expect(unseal(seal({ ...sealed, digest: "" }))).toEqual({ ...sealed, digest: "" });
  expect(unseal(seal({}))).toEqual({});
});

test("it takes less than the text of it, and little more than the key", () => {
  const { length } = seal(sealed);
  expect(length).toBeLessThan(JSON.stringify(sealed).length * 0.85);
  expect(length).toBeLessThan(key.length + 280);
});

test("a text that is not sealed, or not any more whole, is nothing", () => {
  for (const text of [undefined, "", "1:", "2:abcd", "[secret]", { sealed: 1 }, seal(sealed).slice(0, 99)]) {
    expect(unseal(text)).toBeUndefined();
  }
});

// A state that was written with another dictionary could not be read.
test("what was sealed once can always be read", () => {
  const kept = "1:q8aeyo0MjPUM9AwNjfXMUauqRFDGgFvrGGBhq4RsVy0A";
  expect(unseal(kept)).toEqual({
    connection: { host: "203.0.113.7", password: "a" },
    digest: "00ff",
    former: [],
  });
});
