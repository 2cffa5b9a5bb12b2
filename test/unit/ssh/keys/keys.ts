import { createHmac, randomBytes } from "node:crypto";

/** A key blob (RFC 4253, 6.6): its type and some bytes, each after its length. */
export function makeKey(type: string, body = randomBytes(32)): Buffer {
  return Buffer.concat([type, body].map((part) => Buffer.concat([lengthOf(part), Buffer.from(part)])));
}

function lengthOf(part: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return length;
}

/** A name in the form in which `ssh-keygen -H` hides it. */
export function hashName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}
