import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { connectionSchema } from "../../src/transport/connection";
import { connectSsh } from "../../src/transport/ssh";

const { privateKey: encrypted } = generateKeyPairSync("rsa", {
  modulusLength: 2_048,
  publicKeyEncoding: { type: "pkcs1", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem", cipher: "aes-128-cbc", passphrase: "right" },
});

// Nothing is dialled: the key is read first.
test.each([
  ["is no key", { privateKey: "very-private-words" }],
  ["is encrypted, and nothing opens it", { privateKey: encrypted }],
  ["is encrypted, and another word opens it", { privateKey: encrypted, privateKeyPassword: "wrong" }],
])("a private key that %s is an argument to mend, and is not repeated", async (_what, more) => {
  const connection = connectionSchema.parse({ host: "edge.test", ...more });
  const failure: Error = await connectSsh(connection, "127.0.0.1", undefined, 1_000).then(
    () => new Error("connected"),
    (error) => error,
  );
  expect(failure).toMatchObject({
    code: "ARGUMENTS_INVALID",
    message: expect.stringContaining("connection.privateKey can't be read"),
  });
  expect(`${failure.stack}`).not.toMatch(/very-private-words|BEGIN RSA|wrong/);
});
