import type { Found } from "./play";
import { type Row, unnamedStep } from "./row";

/** A row and what each of its runs found. */
export interface Played {
  readonly row: Row;
  readonly runs: readonly Found[];
}

/** Writes docs/faults.md. Every word below the figures comes from the rows and from their runs. */
export function renderReport(played: readonly Played[]): string {
  const runs = played.reduce((sum, { runs }) => sum + runs.length, 0);
  const mended = played.flatMap(({ row }) => (row.mended === undefined ? [] : [row]));
  const unnamed = mended.filter(({ mended }) => mended?.every((words) => words === unnamedStep));
  const longest = Math.max(...played.flatMap(({ runs }) => runs.map(({ unsafeSeconds }) => unsafeSeconds)));
  return `${preface}
## Figures

| | |
| --- | --- |
| rows | ${played.length} |
| runs | ${runs} |
| rows for which Knockgate had to be mended first | ${mended.length}, ${unnamed.length} of them only to name the step in an error |
| longest time until safe | ${longest.toFixed(1)} s, armed for 15 s |

## Rows

| row | what was done | what was found | until safe |
| --- | --- | --- | --- |
${played.map(renderRow).join("\n")}

## Mended on the way

${renderMended(mended)}
`;
}

function renderMended(rows: readonly Row[]): string {
  const what = [...new Set(rows.flatMap(({ mended = [] }) => mended))];
  return what
    .map((words) => {
      const ids = rows.filter(({ mended }) => mended?.includes(words)).map(({ id }) => `\`${id}\``);
      return `- ${words}: ${ids.join(", ")}`;
    })
    .join("\n");
}

/** A table's cell in docs/faults.md. Its test reads the first two cells back. */
export function renderHead({ id, done }: Row): string {
  return `| \`${id}\` | ${done} |`;
}

function renderRow({ row, runs }: Played): string {
  const words = [...new Set(runs.map(({ words }) => words))].join("; or: ");
  const seconds = runs.map(({ unsafeSeconds }) => unsafeSeconds);
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)].map((value) => value.toFixed(1));
  return `${renderHead(row)} ${words} | ${least === most ? least : `${least} to ${most}`} s |`;
}

const preface = `# Faults

What becomes of a host when a change on it goes wrong. Made by

\`\`\`sh
npm run faults
\`\`\`

as root on Debian, which plays every row of the matrix in \`test/faults\` and rewrites this file when all of
them pass. \`npm test\` plays a part of them, with KNOCKGATE_DEEP=1 all.

Each row is real: Pulumi's engine with a state in files, the provider in a process of its own, sshd, and the kernel's
firewall. Hosts are network namespaces, or, where a row says systemd, power or reboot, a Debian booted with a systemd
and a disk of its own. Something in the provider's process stops it right after the line of a step was printed, so that
the fault comes between that step and the next, and not about then. After every row the same is checked:

1. The kernel has the old confirmed ruleset or the new one, byte for byte as it was listed when it was confirmed, and
   nothing is pending. The list of sets may be in another order after a boot.
2. A gate does not answer a client that has not knocked, and lets it log in by SSH after the knock that the row names:
   one that the resource in the state knows; or that of the *pending operation* which the engine notes there and which
   only a deployer that was killed leaves. Where the answer to a confirm was lost, the state knows both knocks.
3. Where \`up\` fails, its error names the step, the host, what the host has or will have, and what to do: run it again.
   Its code stands in brackets.
4. Nothing that was printed holds a step's port or a line of the private key.
5. When the fault is over, the next \`pulumi up\` ends well and the gate opens for the new knock, without a manual step.
   After a kill, \`pulumi cancel\` takes away the engine's own lock on its file backend.

*Until safe* is how long, from the fault on, the host had a change that was neither confirmed nor undone: at most the
armed time, which is 15 s here (60 s or more where all tries of a proof must fail, or a second deployer must be refused
meanwhile) and 60 s by default, and the part of a second that the undo takes. It is longer only where the host itself can't undo, or confirms, just then: until it can,
and up to 5 s more, or until it has. A host that is down or boots counts as not safe; 0.0 s says that nothing was ever
armed, or that it was confirmed already.
Times are of one machine with 2 processors that played eight rows at once and did other work, looked at every 50 ms;
yours will differ.

A clock was not set, because that is the machine's, and everybody's: libfaketime (\`LD_PRELOAD\`) showed another one to
every process of the host's SSH sessions and to every service that it started, and left the monotonic clock alone, as
setting a clock does. systemd's first process is not under it; its timers that run once, as ours do, count by the
monotonic clock (systemd.timer(5), OnActiveSec).
`;
