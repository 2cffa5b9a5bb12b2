import { labelTokens } from "../../policy/token.js";
import type { ClientTokens } from "./client-knock.js";
import { nextAddress, writeNeeds } from "./token-client.js";
import {
  listOffsets,
  writeCurrentSlot,
  writeShellKey,
  writeTokenFunctions,
  writeTokenSending,
} from "./token-shell.js";
import { writeSlotList } from "./used-slots.js";
import { listAddresses } from "./visit-addresses.js";

/** How long a port has to answer, in seconds: longer than the kernel waits to send a lost SYN again. */
const patienceSeconds = 1.2;

/**
 * Copies between ssh and the host, by the file descriptors 4 and 3. If the host ends the connection, ssh sees the end
 * of its pipe. If ssh ends, the host sees the end of its connection.
 */
export const copyBothWays = "{ cat; kill $$ 2>/dev/null; } <&4 >&3 & exec cat <&3 4<&-";

/** Writes the comment of ssh_config(5) that holds a user's key for the programs below. Secret. */
export function writeKeyComment(tokens: ClientTokens): string {
  return `${nameKey(tokens)} ${writeShellKey(tokens.key)}`;
}

/** Another key has another name, so that two users' blocks can stand side by side. */
function nameKey({ key, settings }: ClientTokens): string {
  return `#knockgate-key ${labelTokens(key, settings)}`;
}

/**
 * Writes a program for bash 3.2 or newer that sends tokens to the host in its `$1` until its port `$2` answers, and
 * then copies. The connection itself asks the port: one more could use up the opening for a single connection, and sshd
 * counts connections without a login. A signal from a process beside it breaks off a connection that takes too long.
 */
export function writeTokenConnection(tokens: ClientTokens, host: string): string {
  // It must not hold ssh's pipes, nor the connection.
  const timer = `{ while sleep ${patienceSeconds}; do kill -USR1 $$; done; } 3<&- 4<&- & v=$!`;
  const parts = [
    "exec 4<&0",
    ...writeNeeds(tokens, undefined, "bash"),
    writeKeySearch(tokens),
    ...writeTokenFunctions(tokens, "bash"),
    "u=$2; trap f=1 USR1",
    `{ ${listAddresses(host)}; ${writeCurrentSlot(tokens)}; ${writeSlotList(tokens)}; g=`,
    `for e in ${listOffsets(tokens).join(" ")}; do ${nextAddress}; j $((n0 + e)); y $j; ${writeTokenSending(tokens, "bash")}`,
    `f=; ${timer}; exec 3<>"/dev/tcp/$h/$u" && g=1; kill $v; wait $v; test "$g" && break`,
    'test "$f" && l="$l $h"; done; } </dev/null >/dev/null 2>&1',
    'test "$g" || { echo knockgate: no token opened the port, or nothing listens there >&2; exit 1; }',
    copyBothWays,
  ];
  return parts.join("; ");
}

/** Reads the key into `$k` from the comment, which is in a file of ssh's folder. */
function writeKeySearch(tokens: ClientTokens): string {
  const files = '"$KNOCKGATE_SSH_CONFIG" ~/.ssh/* ~/.ssh/*/*';
  const match = `test "$a $c" = "${nameKey(tokens)}" && break 2`;
  const miss = "no key below ~/.ssh: keep this block there, or name its file in KNOCKGATE_SSH_CONFIG";
  return (
    `for f in ${files}; do test -f "$f" && while read -r a c k; do ${match}; done <"$f"; done; ` +
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
    writeCurrentSlot(tokens),
    `{ ${writeSlotList(tokens)}; j $n0; y $j; } >/dev/null 2>&1`,
  ];
  const send = `{ ${writeTokenSending(tokens, "bash")}; } >/dev/null 2>&1`;
  return {
    prepare: make.join("; "),
    print: `printf "%s" "$${variable}"; echo`,
    there: ["h=$1", `read -r ${variable}`, ...writeNeeds(tokens, undefined, "bash"), send, "true"].join("; "),
  };
}
