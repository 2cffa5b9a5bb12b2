import { writeBashKnock } from "../client/bash-knock.js";
import type { Step } from "../policy/step.js";

/** What each of the program's own lines begins with: a login may say other things before it. */
export const marker = "knockgate:";

/**
 * Writes a program for bash 3.2 or newer on a bastion, to be run with a host as its `$1`: it sends the knock, asks a port
 * whether the gate is open, and does both again until that answers. Each of its lines begins with {@link marker}:
 * `began`, then `sent COUNT` after each knock, and at last `open`, `refused`, `silent`, or `unasked` where there is no port.
 *
 * @param host what its `$1` will be
 * @param tenths how long each try waits for an answer, in tenths of a second
 * @returns `undefined` where bash can't send a step
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
    // The knock takes the host as its `$1`, as this program does.
    `k "$h"; n=$((n + 1)); ${say("sent $n")}`,
    ...(port === undefined ? [] : asking),
    "done",
    say(port === undefined ? "unasked" : "silent"),
    // Read whole before it runs, so that nothing that it starts reads on in it.
    "exit 0; } </dev/null",
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * Asks a port at each address of a host by a handshake that is broken off before a server hears of it, as the packet program
 * of src/transport does: sshd counts connections without a login. Says `open`, or what bash would say of a refusal.
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
 * Says `open`, or what the system says of a port. Without perl, or elsewhere than on Linux, what connects is one process of its own: with it goes the SYN that the
 * kernel would else send once more, into the next knock.
 */
const ask = `a() {
LC_ALL=C
if test "$(uname -s)" = Linux && type perl >&2; then perl -e '${perl}' "$h" "$1" "$2"; return; fi
{ : 3<>"/dev/tcp/$h/$1"; } 2>&1 && echo open & p=$!
i=0; while [ $i -lt $2 ] && kill -0 $p; do sleep .1; i=$((i + 1)); done
kill $p; wait $p
} 2>/dev/null`;
