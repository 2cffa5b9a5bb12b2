import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Lists which of the secrets stand in a text, as they are or in base64 or hex. */
export function findSecrets(text: string, secrets: readonly string[]): readonly string[] {
  return secrets.filter((secret) => {
    const forms = [secret, Buffer.from(secret).toString("base64"), Buffer.from(secret).toString("hex")];
    return forms.some((form) => standsIn(text, form));
  });
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

/** The parts of a private key's text that nobody may see: each line of its body. */
export function splitKey(privateKey: string): readonly string[] {
  return privateKey.split("\n").filter((line) => line.length > 16 && !line.startsWith("-----"));
}

/** A port is four digits: within a longer word, such as a cipher text, it says nothing. */
function standsIn(text: string, form: string): boolean {
  if (!/^\d+$/.test(form)) return text.includes(form);
  return new RegExp(`(?<![A-Za-z0-9+/=.])${form}(?![A-Za-z0-9+/=])`).test(text);
}
