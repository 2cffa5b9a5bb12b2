import { check } from "knockgate/provider";
import { renderRedacted } from "../../src/backends/redact";
import { renderPolicy } from "../../src/backends/render";
import { lintPolicy } from "../../src/lint/lint";
import { parsePolicy } from "../../src/policy/parse";

const runs = 5;

/**
 * Renders a table of what a policy of so many gates costs, in milliseconds, each the best of five. The computation is
 * one block: meanwhile the provider's process does nothing else.
 */
export async function measurePolicies(gateCounts: readonly number[]): Promise<string> {
  const lines: string[] = [];
  for (const count of gateCounts) {
    const raw = makePolicy(count);
    const reading = parsePolicy(raw);
    if (reading.kind !== "policy")
      throw new Error(`${count} gates: ${JSON.stringify(reading).slice(0, 200)}`);
    const { policy } = reading;
    const inputs = { connection: { host: "edge.test", ignoreHostKey: true }, policy: raw };
    const times = [
      await time(() => parsePolicy(raw)),
      await time(() => lintPolicy(policy)),
      // A policy's text is made once, so each run gets another object.
      await time(() => renderPolicy({ ...policy })),
      await time(() => renderRedacted({ ...policy }, "a key")),
      await time(() => check({}, inputs)),
    ];
    const cells = [count, Buffer.byteLength(renderPolicy(policy)), ...times.map((ms) => ms.toFixed(1))];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return [
    "| gates | bytes of ruleset | parse | lint | render | redact | all that a preview does |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

async function time(act: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run += 1) {
    const startedMs = performance.now();
    await act();
    least = Math.min(least, performance.now() - startedMs);
  }
  return least;
}

function makePolicy(count: number) {
  const gates = Array.from({ length: count }, (_, index) => ({
    name: `gate-${index}`,
    protect: [{ tcp: `${2_000 + index}` }],
    knock: { steps: [{ tcp: 20_000 + index }, { udp: 40_000 + index }, { tcp: 30_000 + index }] },
  }));
  return { name: "edge", gates };
}
