import { escapeXml } from "./escape.js";
import type { Explanation, RulesetLine } from "./explanation.js";

/** Makes an id for the page from a path of the policy: `part-gates-0-knock-steps-1`. */
export function anchorOf(path: string): string {
  return `part-${path.replace(/[^\w]+/g, "-").replace(/-$/, "")}`;
}

/** Writes the ruleset as a table. Each line has an anchor, and beside it the parts of the policy that it comes from. */
export function renderRuleset(explanation: Explanation): string {
  if (explanation.ruleset.length === 0) {
    return `<section aria-labelledby="ruleset">
<h2 id="ruleset">Ruleset</h2>
<p>There is none: ${explanation.backend} can't do what this policy asks for. The findings say why.</p>
</section>`;
  }
  const names = nameParts(explanation);
  const rows = explanation.ruleset.map((line) => renderLine(line, names)).join("\n");
  return `<section aria-labelledby="ruleset">
<h2 id="ruleset">Ruleset</h2>
<p>What ${explanation.backend} loads, and which part of the policy each line came from. Lines without one hold the others together.</p>
<section class="wide" tabindex="0" aria-label="Ruleset of policy ${escapeXml(explanation.policy)}">
<table class="ruleset">
<caption>Ruleset of policy ${escapeXml(explanation.policy)}</caption>
<thead><tr><th scope="col">Line</th><th scope="col">Text</th><th scope="col">From</th></tr></thead>
<tbody>
${rows}
</tbody>
</table>
</section>
</section>`;
}

function nameParts({ gates, sources, settings }: Explanation): ReadonlyMap<string, string> {
  return new Map([
    ...gates.flatMap(({ name, path, parts }) => [
      [path, name] as const,
      ...parts.map((part) => [part.path, `${name}: ${part.name}`] as const),
    ]),
    ...[...sources, ...settings].map((part) => [part.path, part.name] as const),
  ]);
}

function renderLine({ number, text, paths }: RulesetLine, names: ReadonlyMap<string, string>): string {
  // The names of a gate's parts already contain the gate's name.
  const exact = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`)));
  const links = exact.flatMap((path) => {
    const name = names.get(path);
    return name === undefined ? [] : [`<a href="#${anchorOf(path)}">${escapeXml(name)}</a>`];
  });
  const depth = /^\t*/.exec(text)?.[0].length ?? 0;
  const code = `<code class="in-${depth}">${escapeXml(text.slice(depth))}</code>`;
  return `<tr id="line-${number}"><th scope="row">${number}</th><td>${code}</td><td>${links.join(", ")}</td></tr>`;
}
