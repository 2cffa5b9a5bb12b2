import { unreachable } from "../../errors.js";
import { writeBashKnock } from "../../knock/clients/bash-knock.js";
import { runBriefly } from "../../knock/clients/run-briefly.js";
import type { KnockStep, TokenStep } from "../../knock/packet.js";
import { writeTokenPayload } from "../../knock/token-payload.js";

/** The beginning of each line that the program prints. A login may print other lines before it. */
export const marker = "knockgate:";

/**
 * Writes a program for bash 3.2 or newer on a bastion; its `$1` is the host. It sends what each try sends and probes a
 * port, until the port answers. Each line of its output begins with {@link marker}: `began`, then `sent COUNT` after
 * each try, and last `open`, `refused`, `silent`, or `unasked` when there is no port to probe.
 *
 * @param host the host that its `$1` will be
 * @param tries what each try sends, and how long the port then has to answer
 * @returns `undefined` when bash can't send a step
 */
export function writeOpening(
  host: string,
  tries: readonly Try[],
  port: number | undefined,
): string | undefined {
  const programs = tries.map(({ steps }) => writePackets(host, steps));
  if (!programs.every((program) => program !== undefined)) return undefined;
  const say = (words: string) => `echo "${marker} ${words}"`;
  const asking = (timeoutMs: number) => [
    `r=$(a ${port} ${Math.ceil(timeoutMs / 100)})`,
    `case $r in open) ${say("open")}; exit 0 ;; *"Connection refused"*) ${say("refused")}; exit 0 ;; esac`,
  ];
  const lines = [
    "{",
    "h=$1",
    ask,
    say("began"),
    // A function, because the knock, too, takes the host as its `$1`.
    ...programs
      .slice(0, port === undefined ? 1 : undefined)
      .flatMap((program, index) => [
        `k() { ${program}; }`,
        `k "$h"; ${say(`sent ${index + 1}`)}`,
        ...(port === undefined ? [] : asking(tries[index]?.timeoutMs ?? 0)),
      ]),
    say(port === undefined ? "unasked" : "silent"),
    // bash reads the whole block before it runs it, so no command in it can read a part of the program.
    "exit 0; } </dev/null",
  ];
  return `${lines.join("\n")}\n`;
}

/** What one try sends, and how long the port then has to answer. */
export interface Try {
  readonly steps: readonly KnockStep[];
  readonly timeoutMs: number;
}

/** A try sends the steps of a sequence, or tokens. */
function writePackets(host: string, steps: readonly KnockStep[]): string | undefined {
  const tokens = steps.filter((step) => step.kind === "token");
  const others = steps.filter((step) => step.kind !== "token");
  if (tokens.length === 0) return writeBashKnock(others, host);
  return ["h=$1", ...tokens.map(writeTokenPacket)].join("; ");
}

/**
 * Writes a command that sends one token. A datagram's bytes are escapes of the builtin printf. ping(8) takes the token
 * as an argument, which others on the bastion can list for a moment; by then it is on its way, and good for one packet.
 */
function writeTokenPacket(step: TokenStep): string {
  const payload = writeTokenPayload(step);
  switch (step.carrier.kind) {
    case "udp": {
      const bytes = [...payload].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
      return `printf '${bytes}' >"/dev/udp/$h/${step.carrier.port}"`;
    }
    case "icmpEcho":
      return `${runBriefly.bash}; s ping -q -c 1 -s ${payload.length} -p ${step.token} "$h" >/dev/null 2>&1`;
    default:
      return unreachable(step.carrier);
  }
}

/**
 * Probes a port at each address of a host. It breaks off each handshake before a server notices, as the packet program
 * of src/transport does: sshd counts connections without a login. Prints `open`, or bash's words for a refusal.
 */
const perl = `
use Socket qw(:addrinfo SOCK_STREAM SOL_SOCKET SO_ERROR SO_LINGER);
use Errno qw(EINPROGRESS ECONNREFUSED);
use Fcntl qw(F_SETFL O_NONBLOCK);
my ($host, $port, $tenths) = @ARGV;
my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM });
my ($is_refused, @waiting);
for (@found) {
  socket(my $socket, $_->{family}, SOCK_STREAM, 0) or next;
  setsockopt($socket, 6, 12, pack("i", 0));
  setsockopt($socket, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
  fcntl($socket, F_SETFL, O_NONBLOCK);
  if (connect($socket, $_->{addr}) || $! == EINPROGRESS) { push @waiting, $socket }
  elsif ($! == ECONNREFUSED) { $is_refused = 1 }
}
my $left = $tenths / 10;
while (@waiting && $left > 0) {
  my $bits = "";
  vec($bits, fileno($_), 1) = 1 for @waiting;
  (my $count, $left) = select(undef, $bits, undef, $left);
  last if $count < 1;
  my @still;
  for (@waiting) {
    if (!vec($bits, fileno($_), 1)) { push @still, $_; next }
    my $said = unpack("i", getsockopt($_, SOL_SOCKET, SO_ERROR));
    if ($said == 0) { print "open"; exit }
    $is_refused = 1 if $said == ECONNREFUSED;
  }
  @waiting = @still;
}
print "Connection refused" if $is_refused;
`;

/**
 * Prints `open`, or the system's error for a port. Without perl, or on another system than Linux, a process of its own
 * connects. When that is killed, its SYN goes, too: the kernel would otherwise retransmit it into the next knock.
 */
const ask = `a() {
LC_ALL=C
if test "$(uname -s)" = Linux && type perl >&2; then perl -e '${perl}' "$h" "$1" "$2"; return; fi
{ : 3<>"/dev/tcp/$h/$1"; } 2>&1 && echo open & p=$!
i=0; while [ $i -lt $2 ] && kill -0 $p; do sleep .1; i=$((i + 1)); done
kill $p; wait $p
} 2>/dev/null`;
