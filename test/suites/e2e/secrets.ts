import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Lists the secrets that a text contains: as they are, in quotes of JSON, in base64 at any offset, in hex, or as in a
 * URL.
 */
export function findSecrets(text: string, secrets: readonly string[]): readonly string[] {
  return secrets.filter((secret) => listForms(secret).some((form) => standsIn(text, form)));
}

/** The same for every file below a folder. */
export async function findSecretsBelow(
  folder: string,
  secrets: readonly string[],
): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  if (files.length === 0) throw new Error(`${folder} has no files to look into`);
  const found = await Promise.all(
    files.map(async (file) => {
      const path = join(file.parentPath, file.name);
      return findSecrets(await readFile(path, "utf8"), secrets).map((secret) => `${secret} in ${path}`);
    }),
  );
  return found.flat();
}

/** The secret parts of a private key's text: each line of its body. */
export function splitKey(privateKey: string): readonly string[] {
  return privateKey.split("\n").filter((line) => line.length > 16 && !line.startsWith("-----"));
}

/** The forms that a secret may have in a text. */
function listForms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const quoted = JSON.stringify(secret).slice(1, -1);
  // The engine is written in Go, which escapes these three characters.
  const quotedByGo = quoted.replace(/[&<>]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
  const hex = bytes.toString("hex");
  const eachByte = hex.replace(/../g, "%$&");
  return [
    ...new Set([
      secret,
      quoted,
      quotedByGo,
      ...[quoted, quotedByGo].map((text) => JSON.stringify(text).slice(1, -1)),
      bytes.toString("base64"),
      bytes.toString("base64url"),
      ...listBase64Cores(bytes),
      hex,
      hex.toUpperCase(),
      encodeURIComponent(secret),
      new URLSearchParams([["", secret]]).toString().slice(1),
      eachByte,
      eachByte.toUpperCase(),
    ]),
  ];
}

/**
 * The part of a secret's base64 that does not depend on its neighbours: three cases, because three bytes make four
 * characters. Secrets of less than five bytes are left out: so short a part could appear by chance.
 */
function listBase64Cores(bytes: Buffer): readonly string[] {
  if (bytes.length < 5) return [];
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const end = Math.floor(((before + bytes.length) * 8) / 6);
    const core = text.slice(Math.ceil((before * 8) / 6), end);
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/** A port is a few digits: inside a longer word, such as a cipher text, or inside a fraction, it means nothing. */
function standsIn(text: string, form: string): boolean {
  if (!/^\d{1,6}$/.test(form)) return text.includes(form);
  return new RegExp(`(?<![A-Za-z0-9+/=])(?<!\\d\\.)${form}(?![A-Za-z0-9+/=])`).test(text);
}
