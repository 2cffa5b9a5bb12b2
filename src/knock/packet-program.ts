import { unreachable } from "../errors.js";
import type { KnockStep, TokenStep } from "./packet.js";
import { writeTokenPayload } from "./token-payload.js";

/**
 * Sends what Node or an SSH server can't. These are echo requests: Node has no ICMP sockets, and ping(8) takes the size
 * or the token, a secret, as an argument that every user of the machine can read. And they are the packets of a knock
 * from a bastion: a forwarded connection would send its SYN again and again until it is answered.
 *
 * perl belongs to Debian's base system and to macOS; the modules are in perl-base. The program and its requests come on
 * standard input only. It carries out the requests line by line and answers each line that asks for something. The last
 * line of its output is `end`, or `failed`, the number of the line that failed, and why.
 *
 * For echo requests it opens a ping socket, which needs no privilege where the kernel allows it (icmp(7),
 * ping_group_range), else a raw socket.
 */
const program = String.raw`
use strict;
use Errno qw(ECONNREFUSED EINPROGRESS);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use Socket qw(:addrinfo AF_INET AF_INET6 SOCK_DGRAM SOCK_RAW SOCK_STREAM SOL_SOCKET SO_ERROR SO_LINGER);
$| = 1;
my $pause = 0.15;
my $to;

sub place {
  my ($host, $port, $flags) = @_;
  my ($error, @found) = getaddrinfo($host, $port, { flags => $flags, socktype => SOCK_DGRAM });
  die "$error\n" if $error;
  return @found;
}

sub name_address {
  my ($error, $address) = getnameinfo($_[0], NI_NUMERICHOST, NIx_NOSERV);
  return $error ? '-' : $address;
}

sub find_source {
  my ($found) = @_;
  socket(my $socket, $found->{family}, SOCK_DGRAM, 0) or return '-';
  connect($socket, $found->{addr}) or return '-';
  return name_address(getsockname($socket));
}

sub open_echo {
  my ($family) = @_;
  my $protocol = $family == AF_INET6 ? 58 : 1;
  my $socket;
  socket($socket, $family, SOCK_DGRAM, $protocol) or socket($socket, $family, SOCK_RAW, $protocol)
    or die "$!\n";
  return $socket;
}

sub send_echo {
  my ($payload) = @_;
  my ($found) = place($to, '', AI_NUMERICHOST);
  my $is_six = $found->{family} == AF_INET6;
  my $packet = pack('CCnnn', $is_six ? 128 : 8, 0, 0, $$ & 0xffff, 1) . $payload;
  unless ($is_six) {
    my $sum = 0;
    $sum += $_ for unpack('n*', $packet . "\0");
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    substr($packet, 2, 2) = pack('n', ~$sum & 0xffff);
  }
  my $socket = open_echo($found->{family});
  send($socket, $packet, 0, $found->{addr}) or die "$!\n";
  return ($socket, $found);
}

sub await_echo {
  my ($left) = @_;
  my ($socket, $found) = send_echo("\0" x 8);
  my $asked = name_address($found->{addr});
  while ($left > 0) {
    my $bits = '';
    vec($bits, fileno($socket), 1) = 1;
    (my $count, $left) = select($bits, undef, undef, $left);
    last if $count < 1;
    my $sender = recv($socket, my $packet, 1500, 0);
    next unless defined $sender && name_address($sender) eq $asked;
    # A raw socket of IPv4 brings the header of IP, too (raw(7)).
    substr($packet, 0, 4 * (ord($packet) & 15), '') if length $packet && ord($packet) >> 4 == 4;
    return 1 if length $packet && ord($packet) == ($found->{family} == AF_INET6 ? 129 : 0);
  }
  return 0;
}

sub send_datagram {
  my ($port, $payload) = @_;
  my ($found) = place($to, $port, AI_NUMERICHOST);
  socket(my $socket, $found->{family}, SOCK_DGRAM, 0) or die "$!\n";
  defined send($socket, $payload, 0, $found->{addr}) or die "$!\n";
}

# Where the kernel can: a handshake that is broken off by a RST in place of its last ACK, so that no service hears of it.
# sshd holds it against a source that connects and does not log in (PerSourcePenalties in sshd_config(5)).
sub hide_connection {
  my ($socket) = @_;
  return unless $^O eq 'linux';
  setsockopt($socket, 6, 12, pack('i', 0)); # TCP_QUICKACK off: the ACK waits for data that may go with it (tcp(7))
  setsockopt($socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)); # a RST at the close (socket(7))
}

sub judge { $_[0] == 0 ? 'open' : $_[0] == ECONNREFUSED ? 'refused' : 'silent' }

sub probe {
  my ($seconds, @ports) = @_;
  my (%answer, %waiting);
  for my $port (@ports) {
    my ($found) = place($to, $port, AI_NUMERICHOST);
    socket(my $socket, $found->{family}, SOCK_STREAM, 0) or die "$!\n";
    hide_connection($socket);
    fcntl($socket, F_SETFL, fcntl($socket, F_GETFL, 0) | O_NONBLOCK);
    if (connect($socket, $found->{addr})) { $answer{$port} = 'open' }
    elsif ($! == EINPROGRESS) { $waiting{$port} = $socket }
    else { $answer{$port} = judge($!) }
  }
  my $left = $seconds;
  while (%waiting && $left > 0) {
    my $bits = '';
    vec($bits, fileno($_), 1) = 1 for values %waiting;
    (my $count, $left) = select(undef, $bits, undef, $left);
    last if $count == 0;
    for my $port ($count > 0 ? keys %waiting : ()) {
      next unless vec($bits, fileno($waiting{$port}), 1);
      $answer{$port} = judge(unpack('i', getsockopt($waiting{$port}, SOL_SOCKET, SO_ERROR)));
      close(delete $waiting{$port});
    }
  }
  return map { [$_, $answer{$_} || 'silent'] } @ports;
}

sub rest { select(undef, undef, undef, $pause) }

my %act = (
  resolve => sub { print 'address ', name_address($_->{addr}), ' ', find_source($_), "\n" for place($_[0], 9, 0) },
  echo => sub {
    for (['4', AF_INET], ['6', AF_INET6]) {
      my ($digit, $family) = @$_;
      print "echo $digit ", eval { open_echo($family); 1 } ? "yes\n" : "no $@";
    }
  },
  to => sub { ($to) = @_ },
  tcp => sub { probe($pause, $_[0]) },
  udp => sub { send_datagram($_[0], "\0" x $_[1]); rest() },
  icmp => sub { send_echo("\0" x $_[0]); rest() },
  udp_token => sub { send_datagram($_[0], pack('H*', $_[1])); rest() },
  icmp_token => sub { send_echo(pack('H*', $_[0])); rest() },
  probe => sub { print "port @$_\n" for probe(@_) },
  ping => sub { print 'ping ', await_echo(@_) ? 'answered' : 'silent', "\n" },
);

while (my $line = <DATA>) {
  my ($verb, @words) = split ' ', $line;
  next if eval { $act{$verb}->(@words); 1 };
  print "failed $. $@";
  exit;
}
print "end\n";
__END__
`;

/** Requests the addresses of a name, each with the source address of packets to it. */
export function askAddresses(host: string): string {
  return `resolve ${host}\n`;
}

/** Asks whether echo requests may be sent, over IPv4 and over IPv6. */
export const askEcho = "echo\n";

/** Sends the steps of a knock in order, each once. After each it waits for an answer, or pauses where none can come. */
export function tellKnock(address: string, steps: readonly KnockStep[]): string {
  return [`to ${address}\n`, ...steps.map(tellStep)].join("");
}

/** Probes ports, all at the same time. */
export function askPorts(address: string, ports: readonly number[], timeoutMs: number): string {
  return `to ${address}\nprobe ${timeoutMs / 1_000} ${ports.join(" ")}\n`;
}

/** Asks whether an address answers an echo request. */
export function askAlive(address: string, timeoutMs: number): string {
  return `to ${address}\nping ${timeoutMs / 1_000}\n`;
}

/** Joins the program and its request, for perl's standard input. */
export function writeProgram(request: string): string {
  return `${program.trimStart()}${request}`;
}

/** Splits the program's output into lines. `undefined` when it is not the whole output of the program. */
export function readAnswers(stdout: string): readonly string[] | undefined {
  const lines = stdout.trimEnd().split("\n");
  const last = lines.at(-1) ?? "";
  return last === "end" || last.startsWith("failed ") ? lines : undefined;
}

/** The request that failed, by its line from 1, and why; `undefined` when all were carried out. */
export function readFault(
  answers: readonly string[],
): { readonly line: number; readonly why: string } | undefined {
  const [, line = "", why = ""] = /^failed (\d+) (.*)$/.exec(answers.at(-1) ?? "") ?? [];
  return line === "" ? undefined : { line: Number(line), why };
}

function tellStep(step: KnockStep): string {
  switch (step.kind) {
    case "tcp":
      return `tcp ${step.port}\n`;
    case "udp":
      return `udp ${step.port} ${step.payloadBytes ?? 0}\n`;
    case "icmpEcho":
      return `icmp ${step.payloadBytes}\n`;
    case "token":
      return tellToken(step);
    default:
      return unreachable(step);
  }
}

function tellToken(step: TokenStep): string {
  const payload = writeTokenPayload(step).toString("hex");
  switch (step.carrier.kind) {
    case "udp":
      return `udp_token ${step.carrier.port} ${payload}\n`;
    case "icmpEcho":
      return `icmp_token ${payload}\n`;
    default:
      return unreachable(step.carrier);
  }
}
