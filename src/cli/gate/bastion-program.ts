import { writeBashKnock } from "../../knock/clients/bash-knock.js";
import type { Step } from "../../policy/step.js";

/** The beginning of each line that the program prints. A login may print other lines before it. */
export const marker = "knockgate:";

/**
 * Writes a program for bash 3.2 or newer on a bastion; its `$1` is the host. It sends the knock and probes a port, and
 * repeats both until the port answers. Each line of its output begins with {@link marker}: `began`, then `sent COUNT`
 * after each knock, and last `open`, `refused`, `silent`, or `unasked` when there is no port to probe.
 *
 * @param host the host that its `$1` will be
 * @param tenths how long each try waits for an answer, in tenths of a second
 * @returns `undefined` when bash can't send a step
 */
export function writeOpening(
  host: string,
  steps: readonly Step[],
  port: number | undefined,
  tenths: readonly number[],
): string | undefined {
  const knock = writeBashKnock(steps, host);
  if (knock === undefined) return undefined;
  const say = (words: string) => `echo "${marker} ${words}"`;
  const [patience = 0] = tenths;
  const asking = [
    `r=$(a ${port} $w)`,
    `case $r in open) ${say("open")}; exit 0 ;; *"Connection refused"*) ${say("refused")}; exit 0 ;; esac`,
  ];
  const lines = [
    "{",
    "h=$1 n=0",
    `k() { ${knock}; }`,
    ask,
    say("began"),
    `for w in ${(port === undefined ? [patience] : tenths).join(" ")}; do`,
    // The knock, too, takes the host as its `$1`.
    `k "$h"; n=$((n + 1)); ${say("sent $n")}`,
    ...(port === undefined ? [] : asking),
    "done",
    say(port === undefined ? "unasked" : "silent"),
    // bash reads the whole block before it runs it, so no command in it can read a part of the program.
    "exit 0; } </dev/null",
  ];
  return `${lines.join("\n")}\n`;
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
