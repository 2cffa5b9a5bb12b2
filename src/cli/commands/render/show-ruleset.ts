import { renderRedacted } from "../../../backends/redact.js";
import { renderPolicy } from "../../../backends/render.js";
import { takePolicy } from "../../files/check-policy.js";
import { readPolicyFile } from "../../files/policy-file.js";
import { makeRedactionKey } from "../../files/redaction-key.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import { compareTexts } from "../../framework/compare-texts.js";

/** Runs `knockgate render`. */
export async function runRender(invocation: Invocation, { input }: CommandContext): Promise<CommandOutcome> {
  const [name = ""] = invocation.arguments;
  const policy = takePolicy(await readPolicyFile(name, input));
  const text = invocation.has("show-secrets")
    ? renderPolicy(policy)
    : renderRedacted(policy, makeRedactionKey());
  return { exitCode: 0, text, json: { backend: policy.backend, ruleset: text } };
}

/** Runs `knockgate diff`. */
export async function runDiff(
  invocation: Invocation,
  { input, paint }: CommandContext,
): Promise<CommandOutcome> {
  const names = invocation.arguments;
  // One key for both files, so that equal steps have equal labels.
  const key = makeRedactionKey();
  const texts: string[] = [];
  for (const name of names) {
    const policy = takePolicy(await readPolicyFile(name, input));
    texts.push(invocation.has("show-secrets") ? renderPolicy(policy) : renderRedacted(policy, key));
  }
  const [before = "", after = ""] = texts;
  const [from = "", to = ""] = names;
  const { text, colour } = compareTexts({ name: from, text: before }, { name: to, text: after });
  const isSame = text === "";
  return { exitCode: isSame ? 0 : 1, text: colour(paint), json: { isSame, patch: text } };
}
