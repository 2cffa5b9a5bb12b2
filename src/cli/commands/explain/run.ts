import { type Explanation, explainPolicy } from "../../../explain/explanation.js";
import { renderHtml } from "../../../explain/html.js";
import { renderMermaid } from "../../../explain/mermaid.js";
import { renderSvg } from "../../../explain/svg.js";
import { renderTable } from "../../../explain/table.js";
import { takePolicy } from "../../files/check-policy.js";
import { readPolicyFile } from "../../files/policy-file.js";
import { makeRedactionKey } from "../../files/redaction-key.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";

const writers: Readonly<Record<string, (explanation: Explanation) => string>> = {
  text: (explanation) => renderTable(explanation),
  markdown: (explanation) => renderTable(explanation, "markdown"),
  mermaid: renderMermaid,
  svg: (explanation) => renderSvg(explanation),
  html: renderHtml,
};

/** Runs `knockgate explain`. */
export async function runExplain(invocation: Invocation, { input }: CommandContext): Promise<CommandOutcome> {
  const [name = ""] = invocation.arguments;
  const policy = takePolicy(await readPolicyFile(name, input));
  const showSecrets = invocation.has("show-secrets");
  const explanation = explainPolicy(policy, { key: makeRedactionKey(), showSecrets });
  const text = writers[invocation.value("format") ?? "text"]?.(explanation) ?? "";
  return { exitCode: 0, text: text.endsWith("\n") ? text : `${text}\n`, json: explanation };
}
