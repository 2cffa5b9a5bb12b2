import { unreachable } from "../../errors.js";
import { listSlotsToTry } from "../../policy/slots.js";
import { tokenPlace } from "../token-payload.js";
import type { ClientTokens } from "./client-knock.js";
import { blockBytes } from "./sha256.js";

/** A shell that can make and send a token. */
export type TokenShell = "bash" | "sh";

/**
 * Takes the first two hex digits off `$q`, into `$c`. bash's way has no `#`, after which wg-quick(8) sees a comment.
 * Other shells have only that way.
 */
const takeByte: Readonly<Record<TokenShell, string>> = {
  bash: `c=\${q:0:2}; q=\${q:2}`,
  sh: `z=\${q#??}; c=\${q%"$z"}; q=$z`,
};

/** Puts one backslash into `$b`. bash's way has no backslash, which fish(1) would read in single quotes. */
const backslash: Readonly<Record<TokenShell, string>> = {
  bash: `printf -v b %q "*"; b=\${b:0:1}`,
  sh: `b="${"\\".repeat(2)}"`,
};

/** Writes a command that prints the digest of a text with escapes. bash saves a process by its own kind of pipe. */
const digest: Readonly<Record<TokenShell, (text: string) => string>> = {
  bash: (text) => `$($a < <(printf "${text}"))`,
  sh: (text) => `$(printf "${text}" | $a)`,
};

/**
 * Writes shell code that makes tokens, of bash 3.2 or a POSIX sh, with coreutils (or with shasum, which macOS has). It
 * reads the key from `$k`, as 128 hex digits. After `y SLOT`, `$t` is the token as hex digits, and `$r` the same as
 * escapes of printf(1). It keeps `$a`, `$b`, `$m` and `$o` for that. The key is only in variables and in the builtin printf, so no process list shows it.
 *
 * `x HEX BYTE` writes bytes as escapes into `$r`, each of them XOR the byte: HMAC needs the key so twice.
 */
export function writeTokenFunctions(tokens: ClientTokens, shell: TokenShell): readonly string[] {
  const next = takeByte[shell];
  const digits = "?".repeat(32);
  return [
    backslash[shell],
    `x(){ q=$1; r=; while test "$q"; do ${next}; n=$((0x$c ^ $2)); r=$r$b$((n >> 6))$((n >> 3 & 7))$((n & 7)); done; }`,
    'a=sha256sum; type $a >/dev/null 2>&1 || a="shasum -a 256"',
    `x $k 54; m=$r; x $k 92; o=$r; x ${beginMessage(tokens).toString("hex")} 0; m=$m$r`,
    // No token has a byte 0a: bash would send what follows in a second datagram.
    `y(){ w=${digest[shell]("$m$1")}; x "\${w%% *}" 0; w=${digest[shell]("$o$r")}; w=\${w%% *}; q=\${w%${digits}}; t=; ` +
      `while test "$q"; do ${next}; test $c = 0a && c=0b; t=$t$c; done; x $t 0; }`,
  ];
}

/** Writes a key for `$k`: its bytes as hex digits, padded to a block as HMAC does (RFC 2104). Secret. */
export function writeShellKey(key: string): string {
  return Buffer.from(key, "ascii")
    .toString("hex")
    .padEnd(2 * blockBytes, "0");
}

/** The message of the HMAC without its last part, the slot. */
export function beginMessage({ policy, gate, host }: ClientTokens): Buffer {
  return Buffer.from(["knockgate-token-1", policy, gate, host, ""].join("\0"), "utf8");
}

/** Writes code that puts the current slot into `$n0`. bash from 5.0 on knows the time by itself. */
export function writeCurrentSlot({ settings }: ClientTokens, shell: TokenShell): string {
  const seconds: Readonly<Record<TokenShell, string>> = {
    bash: `\${EPOCHSECONDS:-$(date +%s)}`,
    sh: "$(date +%s)",
  };
  return `n0=$((${seconds[shell]} / ${settings.slotSeconds}))`;
}

/** Lists how far from the current slot the slots are that a client tries, in order. */
export function listOffsets({ settings }: ClientTokens): readonly number[] {
  return listSlotsToTry(0, settings);
}

/**
 * Writes code that sends the token in `$r` and `$t` to the address in `$h`. An echo request is sent by ping(8), which
 * takes the token as an argument: others can list it for a moment. By then it is on its way, and good for one packet.
 */
export function writeTokenSending({ carrier }: ClientTokens, shell: TokenShell): string {
  switch (carrier.kind) {
    case "udp":
      return `printf "$r" ${datagram[shell](carrier.port)}`;
    case "icmpEcho":
      return `s ping -q -c 1 -s ${tokenPlace(carrier).payloadBytes} -p $t "$h"`;
    default:
      return unreachable(carrier);
  }
}

/** Sends what comes from printf as one datagram. */
const datagram: Readonly<Record<TokenShell, (port: number) => string>> = {
  bash: (port) => `>"/dev/udp/$h/${port}"`,
  sh: (port) => `| s nc -u -w 1 "$h" ${port}`,
};

/** The tool that sends the token; `undefined`: the shell does. */
export function findTokenTool({ carrier }: ClientTokens, shell: TokenShell): "nc" | "ping" | undefined {
  if (carrier.kind === "icmpEcho") return "ping";
  return shell === "sh" ? "nc" : undefined;
}
