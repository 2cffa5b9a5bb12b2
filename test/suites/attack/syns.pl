# Sends SYNs over IPv4 at a steady pace. Their sources may be forged.
# usage: syns.pl DESTINATION SOURCES COUNT PER-SECOND PORTS
# SOURCES is an address, "random", "ADDRESS+N" for N addresses in turn, or "ADDRESS/24s" for one of each /24 from there
# on. PORTS are "FIRST-LAST", up or down, one port for each packet and then from the start again, or a list "A,B,C",
# which each source sends as a whole before the next one begins. Prints how many packets were sent and how many seconds
# it took.
use strict;
use warnings;
use Socket qw(AF_INET SOCK_RAW inet_pton pack_sockaddr_in);
use Time::HiRes qw(time sleep);

my ($destination, $sources, $count, $perSecond, $portText) = @ARGV;
my ($base, $many, $stride) = ($sources, 1, 1);
($base, $many) = ($1, $2) if $sources =~ /^(.*)\+(\d+)$/;
($base, $many, $stride) = ($1, 65536, 256) if $sources =~ m{^(.*)/24s$};
$base = unpack('N', inet_pton(AF_INET, $base)) unless $base eq 'random';
my $to = inet_pton(AF_INET, $destination);
my $isRange = $portText =~ /^(\d+)-(\d+)$/;
my @ports = !$isRange ? split(/,/, $portText) : $1 <= $2 ? ($1 .. $2) : reverse($2 .. $1);

# 255 is IPPROTO_RAW: the IP header comes from us, its length and checksum from the kernel (raw(7)).
socket(my $socket, AF_INET, SOCK_RAW, 255) or die "socket: $!";
my $address = pack_sockaddr_in(0, $to);
my $begin = time;
my $sent = 0;
for my $number (0 .. $count - 1) {
    my $ahead = $number / $perSecond - (time - $begin);
    sleep($ahead) if $ahead > 0.002;
    my $turn = $isRange ? $number : int($number / @ports);
    # 20.0.0.0 to 99.255.255.255: ordinary addresses, none of them the lab's.
    my $source = $base eq 'random' ? 0x14000000 + int(rand(0x50000000)) : $base + $stride * ($turn % $many);
    my $from = pack('N', $source);
    my $port = $ports[$number % @ports];
    my $sport = 20000 + $number % 40000;
    my $header = pack('nnNNCCnnn', $sport, $port, 12345, 0, 5 << 4, 2, 64240, 0, 0);
    substr($header, 16, 2) = pack('n', checksum($from . $to . pack('nn', 6, length $header) . $header));
    my $packet = pack('CCnnnCCn', 0x45, 0, 0, $number % 65536, 0, 64, 6, 0) . $from . $to . $header;
    $sent++ if defined send($socket, $packet, 0, $address);
}
printf "%d %.3f\n", $sent, time - $begin;

sub checksum {
    my ($text) = @_;
    my $sum = 0;
    $sum += $_ for unpack('n*', $text);
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    return ~$sum & 0xffff;
}
