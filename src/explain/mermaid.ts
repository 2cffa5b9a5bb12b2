import { escapeMermaid } from "./escape.js";
import type { Explanation, GateExplanation } from "./explanation.js";
import { describeReturn, describeState } from "./states.js";

/** Writes an explanation as a Mermaid `stateDiagram-v2`. Each gate is a composite state, as one source sees it. */
export function renderMermaid({ policy, gates }: Explanation): string {
  const lines = gates.flatMap(renderGate).map((line) => `    ${line}\n`);
  const title = `policy ${policy}`;
  return `stateDiagram-v2\n    accTitle: ${escapeMermaid(title)}\n${lines.join("")}`;
}

function renderGate(gate: GateExplanation, index: number): readonly string[] {
  const id = (taken: number) => `gate${index}_${taken}`;
  const title = `gate ${gate.name}: ${gate.protects.join(", ")}`;
  const last = gate.steps.length;
  const back = describeReturn(gate);
  return [
    `state "${escapeMermaid(title)}" as gate${index} {`,
    ...[0, ...gate.steps.map((_, step) => step + 1)].map(
      (taken) => `    state "${escapeMermaid(describeState(taken, last))}" as ${id(taken)}`,
    ),
    `    [*] --> ${id(0)}`,
    ...gate.steps.map(
      (step, taken) => `    ${id(taken)} --> ${id(taken + 1)} : ${escapeMermaid(step.meaning)}`,
    ),
    ...gate.steps.slice(1).map((_, step) => `    ${id(step + 1)} --> ${id(0)} : ${escapeMermaid(back)}`),
    `    ${id(last)} --> ${id(0)} : ${escapeMermaid(gate.closes)}`,
    "}",
  ];
}
