/**
 * Decodes a key's base64. `undefined` when it is not a key blob: the name of a type and more fields, each with its
 * length in front.
 */
export function readKey(base64: string): Buffer | undefined {
  const key = Buffer.from(base64, "base64");
  if (key.toString("base64").replace(/=+$/, "") !== base64.replace(/=+$/, "")) return undefined;
  let fields = 0;
  let at = 0;
  while (at + 4 <= key.length) {
    at += 4 + key.readUInt32BE(at);
    fields += 1;
  }
  return at === key.length && fields >= 2 && /^[a-z][\w@.-]+$/.test(readKeyType(key)) ? key : undefined;
}

/** Reads the type of a key blob, such as `ssh-ed25519`. */
export function readKeyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1");
}
