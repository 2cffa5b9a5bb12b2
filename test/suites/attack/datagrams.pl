# Sends UDP datagrams of random bytes over IPv4 at a steady pace. Their sources may be forged.
# usage: datagrams.pl DESTINATION SOURCES COUNT PER-SECOND PORT PAYLOAD-BYTES
# SOURCES is an address, or "random". Prints how many datagrams were sent and how many seconds it took.
use strict;
use warnings;
use Socket qw(AF_INET SOCK_RAW inet_pton pack_sockaddr_in);
use Time::HiRes qw(time sleep);

my ($destination, $sources, $count, $perSecond, $port, $bytes) = @ARGV;
my $to = inet_pton(AF_INET, $destination);
my $fixed = $sources eq 'random' ? undef : inet_pton(AF_INET, $sources);

# 255 is IPPROTO_RAW: the IP header comes from us, its length and checksum from the kernel (raw(7)).
socket(my $socket, AF_INET, SOCK_RAW, 255) or die "socket: $!";
my $address = pack_sockaddr_in(0, $to);
my $begin = time;
my $sent = 0;
for my $number (0 .. $count - 1) {
    my $ahead = $number / $perSecond - (time - $begin);
    sleep($ahead) if $ahead > 0.002;
    # 20.0.0.0 to 99.255.255.255: ordinary addresses, none of them the lab's.
    my $from = $fixed // pack('N', 0x14000000 + int(rand(0x50000000)));
    my $payload = pack('N*', map { int(rand(0xffffffff)) } 0 .. $bytes / 4);
    # A checksum of 0: the sender made none (RFC 768).
    my $datagram = pack('nnnn', 20000 + $number % 40000, $port, 8 + $bytes, 0) . substr($payload, 0, $bytes);
    my $packet = pack('CCnnnCCn', 0x45, 0, 0, $number % 65536, 0, 64, 17, 0) . $from . $to . $datagram;
    $sent++ if defined send($socket, $packet, 0, $address);
}
printf "%d %.3f\n", $sent, time - $begin;
