import { inspect } from "node:util";

/** Options of an operation of the engine whose output is shown. */
export const loud = {
  onOutput: (text: string) => process.stdout.write(text),
  color: "never",
  suppressProgress: true,
} as const;

interface Claim {
  readonly what: string;
  readonly holds: boolean;
  readonly seen: string;
}

/** The chapters and claims of the demo, and whether each claim held. */
export interface Show {
  chapter(title: string): void;
  say(line: string): void;
  /** Records a claim. The demo goes on after a claim that does not hold, and fails at its end. */
  claim(what: string, holds: boolean, seen: string): void;
  /** Prints all claims as a table and tells whether all of them held. */
  conclude(): boolean;
}

export function startShow(): Show {
  const claims: Claim[] = [];
  return {
    chapter: (title) => console.log(`\n=== ${title} ${"=".repeat(Math.max(3, 100 - title.length))}\n`),
    say: (line) => console.log(`  ${line}`),
    claim(what, holds, seen) {
      claims.push({ what, holds, seen });
      console.log(`  ${holds ? "held" : "DID NOT HOLD"}: ${what} (${seen})`);
    },
    conclude() {
      const width = Math.max(...claims.map(({ what }) => what.length));
      console.log(`\n${"shown".padEnd(width)}  held  seen\n${"-".repeat(width)}  ----  ${"-".repeat(40)}`);
      for (const { what, holds, seen } of claims) {
        console.log(`${what.padEnd(width)}  ${holds ? "yes " : "NO  "}  ${seen}`);
      }
      const broken = claims.filter(({ holds }) => !holds).length;
      console.log(`\n${claims.length - broken} of ${claims.length} held`);
      return broken === 0;
    },
  };
}

/** The first line with content of an error that the engine passed on. */
export function findMessage(error: unknown, pattern: RegExp): string {
  return pattern.exec(error instanceof Error ? error.message : inspect(error))?.[0] ?? "";
}
