import { type Explanation, explainPolicy } from "../../../explain/explanation.js";
import { renderHtml } from "../../../explain/html.js";
import { renderMermaid } from "../../../explain/mermaid.js";
import { renderSvg } from "../../../explain/svg.js";
import { renderTable } from "../../../explain/table.js";
import { takePolicy } from "../../files/check-policy.js";
import { readPolicyFile } from "../../files/policy-file.js";
import { makeRedactionKey } from "../../files/redaction-key.js";
import type { Call, Outcome, Surroundings } from "../../framework/command.js";

const writers: Readonly<Record<string, (explanation: Explanation) => string>> = {
  text: (explanation) => renderTable(explanation),
  markdown: (explanation) => renderTable(explanation, "markdown"),
  mermaid: renderMermaid,
  svg: (explanation) => renderSvg(explanation),
  html: renderHtml,
};

/** Runs `knockgate explain`. */
export async function runExplain(call: Call, { input }: Surroundings): Promise<Outcome> {
  const [name = ""] = call.arguments;
  const policy = takePolicy(await readPolicyFile(name, input));
  const showSecrets = call.has("show-secrets");
  const explanation = explainPolicy(policy, { key: makeRedactionKey(), showSecrets });
  const text = writers[call.value("format") ?? "text"]?.(explanation) ?? "";
  return { exitCode: 0, text: text.endsWith("\n") ? text : `${text}\n`, json: explanation };
}
