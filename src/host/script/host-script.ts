import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Later parts call earlier ones. */
const parts = [
  "layout.sh",
  "tokens.sh",
  "ledger.sh",
  "fill.sh",
  "rest.sh",
  "token-status.sh",
  "../../backends/nftables/tokens.sh",
  "../../backends/nftables/host.sh",
  "../../backends/iptables/lists.sh",
  "../../backends/iptables/host.sh",
  "table.sh",
  "pending.sh",
  "former.sh",
  "timer.sh",
  "boot.sh",
  "fill-timer.sh",
  "hold.sh",
  "neighbours.sh",
  "change.sh",
  "probe.sh",
  "commands.sh",
];

/** The parts as they are written, with their comments. */
export const writtenScript = parts.map((part) => readFileSync(join(__dirname, part), "utf8")).join("\n");

/**
 * The host script: functions for POSIX sh, with `main` as the entry. It runs nothing by itself. Each change sends it and
 * lets the host read it several times, so it has no comments.
 */
export const hostScript = `# Knockgate's host script. It is kept with comments in Knockgate's package, in host/script.\n${leaveOutComments(writtenScript)}`;

/** Leaves out lines that are a comment or empty. Texts for files (here-documents) stay whole. */
function leaveOutComments(script: string): string {
  let end: string | undefined;
  const lines = script.split("\n").filter((line) => {
    if (end !== undefined) {
      if (line === end) end = undefined;
      return true;
    }
    end = /<<'?([A-Z]+)'?(?: |$)/.exec(line)?.[1];
    return !/^\s*(#.*)?$/.test(line);
  });
  return `${lines.join("\n")}\n`;
}
