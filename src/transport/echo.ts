import { execFile } from "node:child_process";

/**
 * Node has no ICMP sockets, and ping(8) takes the payload's size, a secret, as an argument that every user of the
 * machine can read. So perl, which is part of Debian's base system and of macOS, sends the echo request; what is
 * secret comes to it by standard input. It tries a ping socket first, which needs no privilege where the kernel allows
 * it (icmp(7), ping_group_range), then a raw one.
 */
const program = `
use Socket qw(AF_INET AF_INET6 SOCK_DGRAM SOCK_RAW inet_pton pack_sockaddr_in pack_sockaddr_in6);
my ($address, $size) = split ' ', <STDIN>;
my $six = $address =~ /:/;
my ($family, $protocol, $type) = $six ? (AF_INET6, 58, 128) : (AF_INET, 1, 8);
my $socket;
socket($socket, $family, SOCK_DGRAM, $protocol) or socket($socket, $family, SOCK_RAW, $protocol) or die "$!\\n";
my $packet = pack('CCnnn', $type, 0, 0, $$ & 0xffff, 1) . "\\0" x $size;
unless ($six) {
  my $sum = 0;
  $sum += $_ for unpack('n*', $packet . "\\0");
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  substr($packet, 2, 2) = pack('n', ~$sum & 0xffff);
}
my $ip = inet_pton($family, $address);
my $to = $six ? pack_sockaddr_in6(0, $ip) : pack_sockaddr_in(0, $ip);
send($socket, $packet, 0, $to) or die "$!\\n";
`;

/** Sends one echo request with that many bytes of payload. */
export function sendEcho(address: string, payloadBytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile("perl", ["-e", program], { timeout: 5_000 }, (error, _stdout, stderr) => {
      if (error === null) return resolve();
      const why = "code" in error && error.code === "ENOENT" ? "perl is not installed here" : stderr.trim();
      reject(new Error(`an echo request could not be sent: ${why}`, { cause: error }));
    });
    child.stdin?.on("error", () => undefined); // perl's own end says more
    child.stdin?.end(`${address} ${payloadBytes}\n`);
  });
}
