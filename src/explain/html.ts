import { escapeXml } from "./escape.js";
import type { Explanation, GateExplanation } from "./explanation.js";
import { anchorOf, renderRuleset } from "./html-ruleset.js";
import { pageStyle } from "./html-style.js";
import type { Part } from "./part.js";
import { renderGateSvg } from "./svg.js";
import { groupRuns } from "./words.js";

/**
 * Writes an explanation as one page that loads nothing. It is light or dark as the reader prefers, and can be printed.
 */
export function renderHtml(explanation: Explanation): string {
  const { policy, backend, scope, gates, areSecretsShown } = explanation;
  const title = `Knock policy ${policy}`;
  const secrecy = areSecretsShown
    ? "This page shows the knocks themselves: keep it as secret as they are."
    : "Steps are secret: each has a label in place of its port or size, which changes when the step does.";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>${escapeXml(title)}</h1>
<p>${escapeXml(`${countOf(gates.length, "gate")}, backend ${backend}, scope ${scope}.`)} ${secrecy}</p>
</header>
<nav aria-label="Contents">
<ul>
${gates.map((gate) => `<li><a href="#${anchorOf(gate.path)}">Gate ${escapeXml(gate.name)}</a></li>`).join("\n")}
<li><a href="#policy">The whole policy</a></li>
<li><a href="#findings">Findings</a></li>
<li><a href="#ruleset">Ruleset</a></li>
</ul>
</nav>
<main id="main">
${gates.map(renderGate).join("\n")}
<section aria-labelledby="policy">
<h2 id="policy">The whole policy</h2>
${renderParts("What holds for all gates", [...explanation.sources, ...explanation.settings])}
</section>
${renderFindings(explanation)}
${renderRuleset(explanation)}
</main>
</body>
</html>
`;
}

function renderGate(gate: GateExplanation, index: number): string {
  const id = anchorOf(gate.path);
  const name = escapeXml(gate.name);
  return `<section class="gate" aria-labelledby="${id}">
<h2 id="${id}">Gate ${name}</h2>
<p>All that is there for this gate: ${linkLines(gate.lines)}.</p>
<figure>
<section class="wide" tabindex="0" aria-label="Diagram of gate ${name}">
${renderGateSvg(gate, `diagram-${index}`).trimEnd()}
</section>
<figcaption>What gate ${name} does with one source's packets. The step just taken, sent once more, changes nothing.</figcaption>
</figure>
${renderParts(`Gate ${gate.name}, part by part`, gate.parts)}
</section>`;
}

function renderParts(caption: string, parts: readonly Part[]): string {
  const rows = parts.map(({ path, name, meaning, lines }) =>
    [
      `<tr id="${anchorOf(path)}"><th scope="row">${escapeXml(name)}</th>`,
      `<td>${escapeXml(meaning)}</td><td>${linkLines(lines)}</td></tr>`,
    ].join(""),
  );
  return renderTable(caption, ["Part", "Meaning", "Became"], rows);
}

function renderFindings({ findings }: Explanation): string {
  const rows = findings.map(({ severity, path, rule, message, fix }) =>
    [
      `<tr><th scope="row"><span class="${severity}">${severity}</span></th>`,
      `<td><code>${escapeXml(path)}</code></td>`,
      `<td>${escapeXml(message)} <code>${escapeXml(rule)}</code></td><td>${escapeXml(fix)}</td></tr>`,
    ].join(""),
  );
  const body =
    rows.length === 0
      ? "<p>The linter finds nothing.</p>"
      : renderTable("What the linter finds", ["Severity", "Where", "Finding", "Fix"], rows);
  return `<section aria-labelledby="findings">
<h2 id="findings">Findings</h2>
${body}
</section>`;
}

function renderTable(caption: string, head: readonly string[], rows: readonly string[]): string {
  return `<section class="wide" tabindex="0" aria-label="${escapeXml(caption)}">
<table>
<caption>${escapeXml(caption)}</caption>
<thead><tr>${head.map((text) => `<th scope="col">${text}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
</section>`;
}

function linkLines(lines: readonly number[]): string {
  const links = groupRuns(lines).map(([first, last]) => {
    return `<a href="#line-${first}">${first === last ? first : `${first}–${last}`}</a>`;
  });
  if (links.length === 0) return "no line of its own";
  return `${lines.length === 1 ? "line" : "lines"} ${links.join(", ")}`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
