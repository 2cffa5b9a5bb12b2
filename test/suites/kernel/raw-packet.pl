# Sends one TCP packet that no socket would send: with any flags, and in fragments if asked.
# usage: raw-packet.pl SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT FLAGS [BYTES-OF-THE-FIRST-FRAGMENT]
# FLAGS is a number: 2 is SYN, 16 is ACK.
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_RAW inet_pton pack_sockaddr_in pack_sockaddr_in6);

my ($source, $destination, $sport, $dport, $flags, $first) = @ARGV;
my $family = $destination =~ /:/ ? AF_INET6 : AF_INET;
my ($from, $to) = map { inet_pton($family, $_) } $source, $destination;
my $protocol = 6;

# Options (NOP) make the packet long enough for a first fragment that holds the whole header: the kernel itself drops a
# shorter one (RFC 8200, 4.5).
my $header = pack('nnNNCCnnn', $sport, $dport, 12345, 0, 8 << 4, $flags, 64240, 0, 0) . ("\x01" x 12);
my $pseudo = $from . $to . pack('NN', length $header, $protocol);
substr($header, 16, 2) = pack('n', checksum($pseudo . $header));

# 255 is IPPROTO_RAW: the IP header comes from us (raw(7)).
socket(my $socket, $family, SOCK_RAW, 255) or die "socket: $!";
my $address = $family == AF_INET6 ? pack_sockaddr_in6(0, $to) : pack_sockaddr_in(0, $to);
my @parts = defined $first ? ([0, 1, substr($header, 0, $first)], [$first, 0, substr($header, $first)]) : ([0, 0, $header]);
for my $part (@parts) {
    my ($offset, $more, $bytes) = @$part;
    my $packet = $family == AF_INET6 ? ipv6($offset, $more, $bytes) : ipv4($offset, $more, $bytes);
    defined send($socket, $packet, 0, $address) or die "send: $!";
}

# The kernel fills in length and checksum.
sub ipv4 {
    my ($offset, $more, $bytes) = @_;
    return pack('CCnnnCCn', 0x45, 0, 0, 4711, ($more << 13) | ($offset / 8), 64, $protocol, 0) . $from . $to . $bytes;
}

sub ipv6 {
    my ($offset, $more, $bytes) = @_;
    my $fragment = defined $first ? pack('CCnN', $protocol, 0, $offset | $more, 4711) : '';
    my $next = defined $first ? 44 : $protocol;
    return pack('NnCC', 6 << 28, length($fragment . $bytes), $next, 64) . $from . $to . $fragment . $bytes;
}

sub checksum {
    my ($text) = @_;
    my $sum = 0;
    $sum += $_ for unpack('n*', $text);
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    return ~$sum & 0xffff;
}
