import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { explainPolicy } from "../../../src/explain/explanation";
import { renderHtml } from "../../../src/explain/html";
import { renderMermaid } from "../../../src/explain/mermaid";
import { renderSvg } from "../../../src/explain/svg";
import { renderTable } from "../../../src/explain/table";
import { parsePolicy } from "../../../src/policy/parse";
import { readPolicy } from "../policy/read-policy";

const pictures = join(__dirname, "..", "..", "..", "docs", "pictures");
const reading = parsePolicy(JSON.parse(readFileSync(join(pictures, "policy.json"), "utf8")));
if (reading.kind === "wrong") throw new Error("docs/pictures/policy.json is no policy");
const explanation = explainPolicy(reading.policy, { key: "docs/pictures" });

// `npm run pictures` writes them anew.
test.each([
  ["states-light.svg", renderSvg(explanation, "light")],
  ["states-dark.svg", renderSvg(explanation, "dark")],
  ["states.mmd", renderMermaid(explanation)],
  ["table.txt", renderTable(explanation)],
  ["table.md", renderTable(explanation, "markdown")],
  ["report.html", renderHtml(explanation)],
])("docs/pictures/%s matches the policy beside it", async (file, text) => {
  await expect(text).toMatchFileSnapshot(join(pictures, file));
});

test("docs/pictures/one-gate.svg is the gate of the README's program", async () => {
  const readme = readFileSync(join(pictures, "..", "..", "README.md"), "utf8");
  const gate = {
    name: "ssh",
    protect: [{ tcp: "22" }],
    knock: { token: { udp: 62_201 } },
    openForSeconds: 30,
  };
  expect(readme).toContain(
    'gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62201 } }, openForSeconds: 30 }]',
  );
  const users = [{ name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" }];
  const drawn = explainPolicy(readPolicy({ name: "edge", users, gates: [gate] }), { key: "docs/pictures" });
  await expect(renderSvg(drawn)).toMatchFileSnapshot(join(pictures, "one-gate.svg"));
  const [, meaning] = /<desc [^>]*>(.*)<\/desc>/.exec(renderSvg(drawn)) ?? [];
  expect(readme).toContain(`<img src="docs/pictures/one-gate.svg" width="640" alt="${meaning}">`);
});

test("docs/explain.md has that diagram and that table", () => {
  const page = readFileSync(join(pictures, "..", "explain.md"), "utf8");
  expect(page).toContain(`\n\`\`\`mermaid\n${renderMermaid(explanation)}\`\`\`\n`);
  const [first] = renderTable(explanation, "markdown").split("\n\n### ");
  expect(page).toContain(`\n${first}\n`);
});
