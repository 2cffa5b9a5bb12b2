import { KnockgateError, unreachable } from "../../errors.js";
import { isProtected } from "../../policy/gate.js";
import { interruptSteps, writeBashNeeds, writeBashSteps } from "./bash-knock.js";
import { listTokenStates, writeBashTokens } from "./bash-sha256.js";
import { type ClientKnock, type ClientTokens, readClientKnock } from "./client-knock.js";
import { isEmptyDatagram } from "./empty-datagram.js";
import type { Profile } from "./profile.js";
import { writeProxyBlock } from "./proxy-block.js";
import { writeNeeds } from "./token-client.js";
import { copyBothWays, forgetBeside, writeConnecting } from "./token-proxy.js";
import { listOffsets, writeCurrentSlot, writeTokenSending } from "./token-shell.js";
import { listSlotWords, writeSlotList } from "./used-slots.js";
import { listAddresses } from "./visit-addresses.js";

/** How often a sequence is sent until the port answers. */
const sequenceTries = [1, 2, 3];

/**
 * Writes a script for bash 3.2 or newer that opens the gates of profiles for ssh, without Knockgate and Node. Called
 * without arguments, it prints the blocks for ssh_config(5) that call it. Secret: it holds the knocks and keys, so it must
 * be a file that only its user can read. No process gets one of them as an argument, except that ping(8) gets the size of
 * a step or a token.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` when bash can't open a gate
 */
export function writeStandalone(profiles: readonly Profile[]): string {
  const hosts = profiles.map(readHost);
  const hasTokens = hosts.some(({ knock }) => knock?.kind === "tokens");
  return [
    writeHead(profiles.map(({ name }) => name)),
    ...(hasTokens ? [writeBashTokens()] : []),
    writeBlocks(hosts),
    writeMain(hosts),
  ].join("\n");
}

/** A profile, and the knock for its SSH port; `undefined`: no gate protects that. */
interface StandaloneHost extends Pick<Profile, "name" | "way"> {
  readonly knock: ClientKnock | undefined;
}

function readHost({ name, way, gates }: Profile): StandaloneHost {
  if (way.proxy !== undefined)
    refuse(name, "its host is behind a bastion; `knockgate ssh-config` and the output sshConfig can open it");
  const gate = gates.find((one) => isProtected(one, "tcp", way.port));
  const knock = gate && readClientKnock(gate);
  if (knock?.kind === "sequence" && knock.steps.some(isEmptyDatagram))
    refuse(name, "its knock has a UDP step without payload, which bash can't send");
  return { name, way, knock };
}

function refuse(name: string, why: string): never {
  throw new KnockgateError("ARGUMENTS_INVALID", `profile ${name}: ${why}. Nothing was written.`);
}

function writeHead(names: readonly string[]): string {
  return `#!/bin/bash
# Opens the gates of ${names.join(", ")} for ssh. It needs bash and coreutils, and ping for echo requests.
# Secret: whoever can read this file can open the gates.
#
#   bash FILE              prints blocks for ~/.ssh/config, which are not secret
#   bash FILE HOST PORT    opens the gate of HOST, connects to PORT and copies: what ssh does with such a block
`;
}

/** The blocks must name the script's own place, so it prints them itself. */
function writeBlocks(hosts: readonly StandaloneHost[]): string {
  const blocks = hosts.map(({ name, way, knock }) =>
    writeProxyBlock({ name, way }, knock === undefined ? undefined : ["bash {file}", name]),
  );
  return `print_blocks() {
  case $0 in /*) file=$0 ;; *) file=$PWD/\${0#./} ;; esac
  case $file in *[!a-zA-Z0-9_./@+-]*)
    echo "knockgate: ssh_config can't hold the path $file: give it one of letters, digits and _./@+-" >&2
    exit 1 ;;
  esac
  case $(ls -ld "$file") in -???------*) ;; *)
    echo "knockgate: others may use $file: only you should, see chmod(1)" >&2 ;;
  esac
  while IFS= read -r line; do printf '%s\\n' "\${line/"{file}"/$file}"; done <<'END'
${blocks.join("\n")}END
}
`;
}

function writeMain(hosts: readonly StandaloneHost[]): string {
  const gated = hosts.flatMap(({ name, way, knock }) => (knock ? writeBranch(name, way.host, knock) : []));
  return `prepare() { :; }
forget() { :; }
u=$2

# For each host: its addresses in $l, and how a knock is sent to the address in $h.
case $1 in
"") print_blocks; exit ;;
${gated.join("")}*) echo "knockgate: no gate of $1 is known here" >&2; exit 2 ;;
esac
case $u in "" | *[!0-9]*) echo "knockgate: call it with a host and a port" >&2; exit 2 ;; esac

# File 4 is what ssh sends, file 3 the connection. A signal breaks off what takes too long.
exec 4<&0
{
  prepare
  ${writeConnecting("$tries", "send")}
  forget
} </dev/null >/dev/null 2>&1
test "$g" || { echo "knockgate: no knock opened the port, or nothing listens there" >&2; exit 1; }
${copyBothWays}
`;
}

/** The branch of a host: what it needs, what its tries are, and how one is made. */
function writeBranch(name: string, host: string, knock: ClientKnock): string {
  const lines = [`set -- ${host}`, listAddresses(host), ...describeKnock(knock)];
  return `${name})\n${lines.map((line) => `  ${line}\n`).join("")}  ;;\n`;
}

function describeKnock(knock: ClientKnock): readonly string[] {
  switch (knock.kind) {
    case "sequence":
      return [
        ...writeBashNeeds(knock.steps),
        `tries="${sequenceTries.join(" ")}"`,
        `send() { ${interruptSteps(knock.steps, writeBashSteps(knock.steps))}; }`,
      ];
    case "tokens":
      return describeTokens(knock);
    default:
      return unreachable(knock);
  }
}

function describeTokens(tokens: ClientTokens): readonly string[] {
  const slots = listSlotWords(tokens);
  return [
    ...writeNeeds(tokens, undefined, "bash"),
    ...listTokenStates(tokens),
    `tries="${listOffsets(tokens).join(" ")}"`,
    `prepare() { ${writeCurrentSlot(tokens, "bash")}; ${writeSlotList(slots)}; }`,
    `send() { j $((n0 + e)); y $j; ${writeTokenSending(tokens, "bash")}; }`,
    `forget() { ${forgetBeside(slots)} }`,
  ];
}
