# Puts whole Ethernet frames on a link and prints the frames that come back. Ends when its stdin does.
# usage: frame-pump.pl LINK
# It reads one frame from each line, in hexadecimal. A line ". BYTES" asks for all frames that came back since the last
# such line, up to the first frame that contains these bytes. The answer has one frame on each line, and then a line
# ".".
use strict;
use warnings;
use Socket qw(SOCK_RAW SOL_SOCKET);

my $AF_PACKET = 17;
my $SO_RCVBUFFORCE = 33;
my $SIOCGIFINDEX = 0x8933;
my $MSG_DONTWAIT = 0x40;
my $everything = unpack('S', pack('n', 3)); # ETH_P_ALL (packet(7))

socket(my $link, $AF_PACKET, SOCK_RAW, $everything) or die "socket: $!";
setsockopt($link, SOL_SOCKET, $SO_RCVBUFFORCE, pack('i', 32 << 20)) or die "setsockopt: $!";
my $request = pack('a16 x24', $ARGV[0]);
ioctl($link, $SIOCGIFINDEX, $request) or die "no link $ARGV[0]: $!";
my $address = pack('S n i S C C x8', $AF_PACKET, 3, unpack('x16 i', $request), 0, 0, 0);
bind($link, $address) or die "bind: $!";

$| = 1;
my @back;
while (defined(my $line = <STDIN>)) {
    chomp $line;
    if ($line =~ /^\. (\w+)$/) {
        my $last = pack('H*', $1);
        my $isFound = grep { index($_, $last) >= 0 } @back;
        until ($isFound) {
            vec(my $readable = '', fileno($link), 1) = 1;
            select($readable, undef, undef, 10) or die 'the last frame was not answered within 10 s';
            $isFound ||= index($_, $last) >= 0 for receive();
        }
        print map({ unpack('H*', $_) . "\n" } @back), ".\n";
        @back = ();
    } else {
        defined send($link, pack('H*', $line), 0) or die "send: $!";
        receive();
    }
}

sub receive {
    my @new;
    while (defined recv($link, my $frame, 2048, $MSG_DONTWAIT)) { push @new, $frame }
    push @back, @new;
    return @new;
}
