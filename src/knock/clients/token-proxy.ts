import { labelTokens } from "../../policy/token.js";
import type { ClientTokens } from "./client-knock.js";
import { answerSeconds, writeInterruption } from "./interruption.js";
import { blockBytes } from "./sha256.js";
import { nextAddress, writeNeeds } from "./token-client.js";
import {
  listOffsets,
  writeCurrentSlot,
  writeShellKey,
  writeTokenFunctions,
  writeTokenSending,
} from "./token-shell.js";
import { listSlotWords, type SlotListWords, writeForgetting, writeSlotList } from "./used-slots.js";
import { listAddresses } from "./visit-addresses.js";

/**
 * Copies between ssh and the host, by the file descriptors 4 and 3. If the host ends the connection, ssh sees the end
 * of its pipe. If ssh ends, the host sees the end of its connection.
 */
export const copyBothWays = "{ cat; kill $$ 2>/dev/null; } <&4 >&3 & exec cat <&3 4<&-";

/** Writes the comment of ssh_config(5) that holds a user's key for the programs below. Secret. */
export function writeKeyComment(tokens: ClientTokens): string {
  return `${keyword} ${nameKey(tokens)} ${writeShellKey(tokens.key)}`;
}

const keyword = "#knockgate-key";

/** Another key has another name, so that two users' blocks can stand side by side. */
function nameKey({ key, settings }: ClientTokens): string {
  return labelTokens(key, settings);
}

/**
 * Writes a program for bash 3.2 or newer that sends tokens to the host in its `$1` until its port `$2` answers, and
 * then copies. The connection itself asks the port: one more could use up the opening for a single connection, and sshd
 * counts connections without a login. A signal from a process beside it breaks off a connection that takes too long.
 */
export function writeTokenConnection(tokens: ClientTokens, host: string): string {
  const slots = listSlotWords(tokens);
  const send = `j $((n0 + e)); y $j; ${writeTokenSending(tokens, "bash")}`;
  const parts = [
    "exec 4<&0",
    ...writeNeeds(tokens, undefined, "bash"),
    writeKeySearch(tokens),
    ...writeTokenFunctions(tokens, "bash"),
    `u=$2; { ${listAddresses(host)}; ${writeCurrentSlot(tokens, "bash")}; ${writeSlotList(slots)}`,
    `${writeConnecting(listOffsets(tokens).join(" "), send)}; ${forgetBeside(slots)} } </dev/null >/dev/null 2>&1`,
    'test "$g" || { echo knockgate: no token opened the port, or nothing listens there >&2; exit 1; }',
    copyBothWays,
  ];
  return parts.join("; ");
}

/**
 * Writes code for bash that connects to the port `$u` of an address in `$l`, by file descriptor 3. `$g` is set if that
 * succeeded. Before each try it does `send` for the address in `$h`. An address that refuses is left out from then on;
 * one that stays silent comes again after the others.
 *
 * @param tries a word for each try, in `$e` while it lasts
 */
export function writeConnecting(tries: string, send: string): string {
  const { begin, end } = writeInterruption(answerSeconds);
  return [
    `g=; for e in ${tries}; do ${nextAddress}; ${send}`,
    `${begin}; exec 3<>"/dev/tcp/$h/$u" && g=1; ${end}; test "$g" && break; test "$f" && l="$l $h"; done`,
  ].join("; ");
}

/** Forgets beside the connection, so that ssh need not wait for it. */
export function forgetBeside(slots: SlotListWords): string {
  return `{ ${writeForgetting(slots)}; } 3<&- 4<&- &`;
}

/**
 * Reads the key into `$k` from the comment, which is in a file of ssh's folder. A file is read in one piece: a list of
 * known hosts can have thousands of lines. The quotes in the pattern keep it from finding itself.
 */
function writeKeySearch(tokens: ClientTokens): string {
  const files = '"$KNOCKGATE_SSH_CONFIG" ~/.ssh/* ~/.ssh/*/*';
  const before = `*"${keyword} "${nameKey(tokens)}" "`;
  const key = `k=\${c#${before}}; k=\${k:0:${2 * blockBytes}}`;
  const miss = "no key below ~/.ssh: keep this block there, or name its file in KNOCKGATE_SSH_CONFIG";
  return (
    `k=; for f in ${files}; do test -f "$f" || continue; IFS= read -rd "" c <"$f"; ` +
    `case $c in ${before}*) ${key}; break ;; esac; done; ` +
    `test "$k" || { echo "knockgate: ${miss}" >&2; exit 1; }`
  );
}

/** Programs for bash that send one token from a bastion. */
interface SendingThrough {
  /** Makes the token of the current slot here, so that the key stays here. */
  readonly prepare: string;
  /** Prints the token as one line, here. */
  readonly print: string;
  /** Reads that line on the bastion, and sends the token to the host in its `$1`. */
  readonly there: string;
}

export function writeTokenSendingThrough(tokens: ClientTokens): SendingThrough {
  const variable = tokens.carrier.kind === "udp" ? "r" : "t";
  const make = [
    writeKeySearch(tokens),
    ...writeTokenFunctions(tokens, "bash"),
    writeCurrentSlot(tokens, "bash"),
    `{ ${writeSlotList(listSlotWords(tokens))}; j $n0; y $j; } >/dev/null 2>&1`,
  ];
  const send = `{ ${writeTokenSending(tokens, "bash")}; } >/dev/null 2>&1`;
  return {
    prepare: make.join("; "),
    print: `printf "%s" "$${variable}"; echo`,
    there: ["h=$1", `read -r ${variable}`, ...writeNeeds(tokens, undefined, "bash"), send, "true"].join("; "),
  };
}
