# Carries packets between two links that it makes, each after a delay, and counts them. Ends when its stdin does.
# usage: slow-link.pl NEAR FAR MILLISECONDS
# A line of input asks what was carried since the last such line. The answer is one line:
# PACKETS BYTES PACKETS-BACK BYTES-BACK CONNECTIONS TURNS
# PACKETS and BYTES went from near to far, the BACK ones from far to near. CONNECTIONS counts accepted connections.
# TURNS counts how often a packet with content (more than an acknowledgement) went from near to far after one had come
# back.
use strict;
use warnings;
use Fcntl qw(O_RDWR);
use Time::HiRes qw(time);

my $TUNSETIFF = 0x400454ca;
my $kind = 0x0001 | 0x1000; # IFF_TUN, IFF_NO_PI: nothing but IP packets

my ($near, $far, $ms) = @ARGV;
my @links = map { open_link($_) } $near, $far;
my ($SYN, $RST, $ACK) = (0x02, 0x04, 0x10);
my (@waiting, @packets, @bytes, $connections, $turns);
my $has_come_back = 0;
reset_counts();
$| = 1;
print "ready\n";

while (1) {
    my $left = @waiting ? $waiting[0][0] - time : undef;
    my $readable = "";
    vec($readable, fileno($_), 1) = 1 for @links, \*STDIN;
    select($readable, undef, undef, defined $left && $left < 0 ? 0 : $left);
    for my $from (0, 1) {
        next unless vec($readable, fileno($links[$from]), 1);
        sysread($links[$from], my $packet, 65_536) or next;
        count($from, $packet);
        push @waiting, [time + $ms / 1_000, $links[1 - $from], $packet];
    }
    while (@waiting && $waiting[0][0] <= time) {
        my (undef, $to, $packet) = @{shift @waiting};
        syswrite($to, $packet); # a link that is not up yet loses it, as a cable would
    }
    next unless vec($readable, fileno(STDIN), 1);
    sysread(STDIN, my $line, 4_096) or exit;
    print "$packets[0] $bytes[0] $packets[1] $bytes[1] $connections $turns\n";
    reset_counts();
}

sub open_link {
    my ($name) = @_;
    sysopen(my $link, '/dev/net/tun', O_RDWR) or die "/dev/net/tun: $!";
    my $request = pack('a16 S x22', $name, $kind);
    ioctl($link, $TUNSETIFF, $request) or die "$name: $!";
    return $link;
}

sub reset_counts { @packets = @bytes = (0, 0); $connections = $turns = 0 }

sub count {
    my ($from, $packet) = @_;
    my ($version, $length, $protocol) = unpack('C x n x5 C', $packet);
    return unless $version >> 4 == 4;
    $packets[$from] += 1;
    $bytes[$from] += $length;
    my $is_more = 1;
    if ($protocol == 6) {
        my $header = 4 * ($version & 15);
        my ($offset, $flags) = unpack("x$header x12 C C", $packet);
        $connections += 1 if $from == 1 && ($flags & ($SYN | $ACK)) == ($SYN | $ACK);
        $is_more = ($flags & ($SYN | $RST)) || $length > $header + 4 * ($offset >> 4);
    }
    return unless $is_more;
    $turns += 1 if $from == 0 && $has_come_back;
    $has_come_back = $from;
}
