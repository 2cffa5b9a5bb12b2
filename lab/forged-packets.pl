# Sends SYNs or datagrams over IPv4 at a steady pace. Their sources may be forged.
# usage: forged-packets.pl KIND DESTINATION SOURCES PORTS COUNT PER-SECOND
# KIND is "syn", or "udp:BYTES" for datagrams with this many random bytes. SOURCES is an address, "random",
# "ADDRESS+N" for N addresses in turn, or "ADDRESS/24s" for one of each /24 from there on. PORTS are "FIRST-LAST", up or
# down, one port for each packet and then from the start again, or a list "A,B,C", which each source sends as a whole
# before the next one begins.
# Prints "ready" just before the first packet. Ends after COUNT packets, or when its stdin does, and prints how many
# packets were sent and how many seconds it took.
use strict;
use warnings;
use Socket qw(AF_INET SOCK_RAW inet_pton pack_sockaddr_in);
use Time::HiRes qw(time sleep);

my ($kind, $destination, $sources, $portText, $count, $perSecond) = @ARGV;
my $bytes = $kind =~ /^udp:(\d+)$/ ? $1 : undef;
my ($base, $many, $stride) = ($sources, 1, 1);
($base, $many) = ($1, $2) if $sources =~ /^(.*)\+(\d+)$/;
($base, $many, $stride) = ($1, 65536, 256) if $sources =~ m{^(.*)/24s$};
$base = unpack('N', inet_pton(AF_INET, $base)) unless $base eq 'random';
my $to = inet_pton(AF_INET, $destination);
my $isRange = $portText =~ /^(\d+)-(\d+)$/;
my @ports = !$isRange ? split(/,/, $portText) : $1 <= $2 ? ($1 .. $2) : reverse($2 .. $1);

# Made before the first is sent, because to make one takes longer than to send it. More than these are sent in turn: all
# ports the same number of times.
my $different = @ports > 100_000 ? @ports : @ports * int(100_000 / @ports);
my @packets = map { packet($_) } 0 .. ($count < $different ? $count : $different) - 1;

# 255 is IPPROTO_RAW: the IP header comes from us, its length and checksum from the kernel (raw(7)).
socket(my $socket, AF_INET, SOCK_RAW, 255) or die "socket: $!";
my $address = pack_sockaddr_in(0, $to);
my ($sent, $none) = (0);
$| = 1;
print "ready\n";
my $begin = time;
for my $number (0 .. $count - 1) {
    last if $number % 256 == 0 && hasEnded();
    my $ahead = $number / $perSecond - (time - $begin);
    sleep($ahead) if $ahead > 0.002;
    $sent++ if defined send($socket, $packets[$number % @packets], 0, $address);
}
printf "%d %.3f\n", $sent, time - $begin;

sub hasEnded {
    vec(my $readable = '', fileno(STDIN), 1) = 1;
    return select($readable, $none, $none, 0) > 0;
}

sub packet {
    my ($number) = @_;
    my $turn = $isRange ? $number : int($number / @ports);
    # 20.0.0.0 to 99.255.255.255: ordinary addresses, none of them the lab's.
    my $source = $base eq 'random' ? 0x14000000 + int(rand(0x50000000)) : $base + $stride * ($turn % $many);
    my $from = pack('N', $source);
    my @ends = (20000 + $number % 40000, $ports[$number % @ports]);
    my ($protocol, $content) = defined $bytes ? (17, datagram(@ends)) : (6, syn($from, @ends));
    return pack('CCnnnCCn', 0x45, 0, 0, $number % 65536, 0, 64, $protocol, 0) . $from . $to . $content;
}

# A checksum of 0: the sender made none (RFC 768).
sub datagram { return pack('nnnn', @_, 8 + $bytes, 0) . pack('C*', map { int(rand(256)) } 1 .. $bytes) }

sub syn {
    my ($from, @ends) = @_;
    my $header = pack('nnNNCCnnn', @ends, 12345, 0, 5 << 4, 2, 64240, 0, 0);
    substr($header, 16, 2) = pack('n', checksum($from . $to . pack('nn', 6, length $header) . $header));
    return $header;
}

sub checksum {
    my ($text) = @_;
    my $sum = 0;
    $sum += $_ for unpack('n*', $text);
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    return ~$sum & 0xffff;
}
