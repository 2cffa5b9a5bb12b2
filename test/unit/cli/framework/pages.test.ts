import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandNames, loadCommands } from "../../../../src/cli/commands";
import { writeManual } from "../../../../src/cli/framework/manual";
import { namePage, writeContents, writePage } from "../../../../src/cli/framework/page";

const root = join(__dirname, "..", "..", "..", "..");
const docs = join(root, "docs");

test("each command has a page, and docs/cli holds no other", async () => {
  const commands = await loadCommands();
  await expect(writeContents(commands)).toMatchFileSnapshot(join(docs, "cli", "README.md"));
  for (const command of commands) {
    await expect(writePage(command)).toMatchFileSnapshot(join(docs, "cli", namePage(command)));
  }
  expect(readdirSync(join(docs, "cli")).sort()).toEqual(["README.md", ...commands.map(namePage)].sort());
});

test("the man page says the same", async () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const manual = writeManual(await loadCommands(), version);
  await expect(manual).toMatchFileSnapshot(join(docs, "man", "knockgate.1"));
});

test("each command is called as it is listed, and has whole sentences and examples of itself", async () => {
  const commands = await loadCommands();
  expect(commands.map(({ name }) => name)).toEqual(commandNames);
  for (const { name, summary, description, arguments: given, options, examples } of commands) {
    expect(summary, name).toMatch(/^[A-Z].*[^.]$/);
    const sentences = [
      ...description,
      ...given.map(({ about }) => about),
      ...options.map(({ about }) => about),
    ];
    for (const sentence of sentences) expect(sentence, name).toMatch(/^[A-Z`].*[.]$/s);
    expect(examples.length, name).toBeGreaterThan(0);
    for (const { line } of examples) expect(line).toContain(`knockgate ${name}`);
  }
});
