import type { ClientTokens } from "./client-knock.js";
import { runBriefly } from "./run-briefly.js";
import {
  findTokenTool,
  listOffsets,
  type TokenShell,
  writeCurrentSlot,
  writeShellKey,
  writeTokenFunctions,
  writeTokenSending,
} from "./token-shell.js";
import { listSlotWords, writeForgetting, writeSlotList } from "./used-slots.js";
import { listAddresses } from "./visit-addresses.js";

/** How long a port has to answer, in tenths of a second: longer than the kernel waits to send a lost SYN again. */
const patienceTenths = 12;

/**
 * Writes a program that opens a gate by a token, for the host in its `$1`: for bash 3.2 or newer, or for any POSIX sh
 * with nc. It sends the token of the current slot, asks the port, and goes on with the slots that `listSlotsToTry`
 * names until the port answers. Each address gets tokens of its own, because each token is good once. It prints nothing,
 * except that a tool is missing. It has no line break and no single quote; bash's has no `#` and no backslash either.
 *
 * It holds the key. So it must reach the shell on standard input or in a file, and never as an argument.
 *
 * @param host the value of its `$1`: a name may have several addresses
 * @param port the TCP port that is asked. `undefined`: none may be, so only the current slot's token is sent
 */
export function writeTokenClient(
  tokens: ClientTokens,
  host: string,
  port: number | undefined,
  shell: TokenShell,
): string {
  const tries = port === undefined ? writeOnce(tokens, shell) : writeTries(tokens, port, shell);
  const slots = listSlotWords(tokens);
  const parts = [
    ...writeNeeds(tokens, port, shell),
    `k=${writeShellKey(tokens.key)}`,
    ...writeTokenFunctions(tokens, shell),
    `{ ${listAddresses(host)}; ${writeCurrentSlot(tokens, shell)}; ${writeSlotList(slots)}`,
    `(${writeForgetting(slots)}); ${tries}; } </dev/null >/dev/null 2>&1`,
  ];
  return parts.join("; ");
}

/** Writes code that names a missing tool, and defines what runs it. */
export function writeNeeds(
  tokens: ClientTokens,
  port: number | undefined,
  shell: TokenShell,
): readonly string[] {
  const sender = findTokenTool(tokens, shell);
  const asker = port !== undefined && shell === "sh" ? "nc" : undefined;
  const tools = new Set([sender, asker].filter((tool) => tool !== undefined));
  return [
    ...[...tools].map((tool) => `type ${tool} >/dev/null 2>&1 || { echo ${tool}: not found >&2; exit 127; }`),
    ...(sender === undefined ? [] : [runBriefly[shell]]),
  ];
}

function writeOnce(tokens: ClientTokens, shell: TokenShell): string {
  return `for h in $l; do j $n0; y $j; ${writeTokenSending(tokens, shell)}; n0=$((j + 1)); done`;
}

/** An address whose port refuses is left out from then on. One that stays silent comes again after the others. */
function writeTries(tokens: ClientTokens, port: number, shell: TokenShell): string {
  return [
    `${asking[shell](port)}; for e in ${listOffsets(tokens).join(" ")}`,
    `do ${nextAddress}; j $((n0 + e)); y $j; ${writeTokenSending(tokens, shell)}; ${afterAsking[shell]}; done`,
  ].join("; ");
}

/** Takes the first address off `$l`, into `$h`. */
export const nextAddress = `test "$l" || break; set -- $l; h=$1; shift; l="$*"`;

/** Defines `a`, which asks the port of the address in `$h`. */
const asking: Readonly<Record<TokenShell, (port: number) => string>> = {
  bash: (port) => `a(){ : 3<>"/dev/tcp/$h/${port}"; }`,
  sh: (port) => `a(){ nc -w 1 "$h" ${port} </dev/null; }`,
};

/**
 * Ends at an answer. bash runs `a` beside it, and ends it when it takes too long: that is silence. Another sh can't see
 * when a process beside it has ended; its nc ends by itself, and says the same of a refusal and of silence.
 */
const afterAsking: Readonly<Record<TokenShell, string>> = {
  bash:
    `a & p=$!; i=0; while test $i -lt ${patienceTenths} && kill -0 $p; do sleep .1; i=$((i + 1)); done; ` +
    'if kill $p; then l="$l $h"; elif wait $p; then break; fi',
  sh: 'if a; then break; fi; l="$l $h"',
};
