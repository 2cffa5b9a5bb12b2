import { expect, test } from "vitest";
import { digestKeyed, digestText } from "../../../src/policy/digest";

test("a digest is the SHA-256 of the text as UTF-8", () => {
  expect(digestText("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(digestText("é")).toBe("4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c");
});

test("a keyed digest is HMAC-SHA-256, cut to its length (RFC 4231, test case 2)", () => {
  const whole = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  expect(digestKeyed("Jefe", "what do ya want for nothing?", 64)).toBe(whole);
  expect(digestKeyed("Jefe", "what do ya want for nothing?", 6)).toBe(whole.slice(0, 6));
  expect(digestKeyed("other", "what do ya want for nothing?", 64)).not.toBe(whole);
});
