# Hands packets to the kernel of the network namespace it runs in, as if they came from a link, and prints what one
# costs.
# usage: packet-pump.pl UNRELATED-PORT FIRST-STEP-PORT SECOND-STEP-PORT TOKEN-PORT      ends when its stdin does
# A request is a line "KIND MILLISECONDS", where KIND is established, unrelated, unrelatedTcp, flood1, flood100000,
# midKnock or wrongTokens.
# The pump sends for this much processor time, or until no packet of that kind is left. It begins where the last request
# of that kind ended. The answer is a line: nanoseconds of processor time for each packet, packets for each second of
# processor time.
#
# write(2) on a TUN device takes a packet through the whole of the host's receive path before it returns, in this
# process's own time (drivers/net/tun.c, tun_get_user): no work is left to another processor or to a later time. In
# turns with these packets the pump sends the same packets with a wrong IP checksum, which the kernel drops before any
# hook. Their cost is the pump's own, and is subtracted.
use strict;
use warnings;
use Fcntl qw(O_RDWR F_SETFL O_NONBLOCK);
use Socket qw(AF_INET SOCK_STREAM SOCK_DGRAM SOCK_NONBLOCK INADDR_ANY inet_aton pack_sockaddr_in unpack_sockaddr_in SOL_SOCKET SO_LINGER SO_RCVBUF);
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);

my ($unrelatedPort, $firstStepPort, $secondStepPort, $tokenPort) = @ARGV;
my ($host, $peer) = map { inet_aton($_) } '192.0.2.1', '192.0.2.2';
my $servicePort = 5001;
my $payload = 'x' x 100;
my $chunk = 100;

my $tun = openTun();
my $service = openSocket(SOCK_STREAM, $servicePort);
listen($service, 16) or die "listen: $!";
my ($unrelated, $beyondTokens) = map { openSocket(SOCK_DGRAM, $_) } $unrelatedPort, $tokenPort;
my $nextPort = 20_000;
my %made;

my %kinds = (
    established => \&pumpEstablished,
    unrelated => sub { pump($_[0], $made{unrelated} //= makeDatagrams($unrelatedPort, 100), readerOf($unrelated)) },
    wrongTokens => sub { pump($_[0], $made{wrongTokens} //= makeDatagrams($tokenPort, 16), readerOf($beyondTokens)) },
    unrelatedTcp => sub { pump($_[0], $made{unrelatedTcp} //= makeSyns($unrelatedPort, 4096, 20_000)) },
    flood1 => sub { pump($_[0], $made{flood1} //= makeSyns($firstStepPort, 1, 20_000)) },
    flood100000 => sub { pump($_[0], $made{flood100000} //= makeSyns($firstStepPort, 100_000, 100_000)) },
    midKnock => sub { pump($_[0], $made{midKnock} //= makeKnocks(10_000)) },
);

$| = 1;
print "ready\n";
while (defined(my $line = <STDIN>)) {
    my ($kind, $milliseconds) = split ' ', $line;
    printf "%.1f %.0f\n", $kinds{$kind}->($milliseconds / 1e3);
}

# Sends good and broken packets in turns, and first what goes before them, unmeasured. $read stands for the host's own program: it reads, and must find something.
sub pump {
    my ($limit, $packets, $read) = @_;
    my ($good, $broken, undef, $before) = @$packets;
    my ($cpu, $own, $sent, $taken) = (0, 0, 0, 0);
    while ($sent < @$good && $cpu < $limit) {
        my $first = $packets->[2] // 0;
        my $last = $first + $chunk - 1;
        $packets->[2] = ($last + 1) % @$good;
        if ($before) { for (grep { defined } @$before[$first .. $last]) { syswrite($tun, $_) // die "write: $!" } }
        my $begin = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
        for (@$broken[$first .. $last]) { syswrite($tun, $_) // die "write: $!" }
        my $turn = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
        if ($read) { for (@$good[$first .. $last]) { syswrite($tun, $_) // die "write: $!"; $taken++ if $read->() } }
        else { for (@$good[$first .. $last]) { syswrite($tun, $_) // die "write: $!" } }
        $cpu += clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $turn;
        $own += $turn - $begin;
        $sent += $chunk;
    }
    die "only $taken of $sent packets came through" if $read && $taken != $sent;
    return (1e9 * ($cpu - $own) / $sent, $sent / $cpu);
}

my ($connection, $buffer);
sub readConnection { return sysread($connection, $buffer, 4096) }
sub readerOf { my ($socket) = @_; return sub { defined recv($socket, $buffer, 4096, 0) } }

# One TCP connection that a program on the host reads from: each segment is the next of the stream.
sub pumpEstablished {
    my ($limit) = @_;
    my $port = $nextPort++;
    1 while sysread($tun, $buffer, 2048);
    my $sequence = 1_000;
    sendNow(segment($port, $sequence, 0, 2, ''));
    my $answer = awaitSynAck($port);
    sendNow(segment($port, $sequence + 1, $answer + 1, 16, ''));
    accept($connection, $service) or die "accept: $!";
    fcntl($connection, F_SETFL, O_NONBLOCK) or die "fcntl: $!";
    my @good = map { segment($port, $sequence + 1 + 100 * $_, $answer + 1, 24, $payload) } 0 .. 19_999;
    my @result = pump($limit, [\@good, [map { breakChecksum($_) } @good]], \&readConnection);
    setsockopt($connection, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) or die "setsockopt: $!";
    close $connection;
    return @result;
}

sub awaitSynAck {
    my ($port) = @_;
    while (1) {
        vec(my $readable = '', fileno($tun), 1) = 1;
        select($readable, undef, undef, 5) or die 'the connection was not answered';
        next unless sysread($tun, my $packet, 2048);
        my ($protocol, $to, $sequence, $flags) = unpack('x10 x9 C x10 x2 n N x5 C', $packet);
        return $sequence if $protocol == 6 && $to == $port && $flags == 18;
    }
}

# Flows of random bytes that the host never answers, so that they are never established.
sub makeDatagrams {
    my ($port, $bytes) = @_;
    my @good = map { datagram(10_000 + $_ % 4096, $port, pack('C*', map { int(rand(256)) } 1 .. $bytes)) } 0 .. 19_999;
    return [\@good, [map { breakChecksum($_) } @good]];
}

# Each SYN is a flow of its own. Sources lie far apart, so that no limit for a network applies to many of them.
sub makeSyns {
    my ($port, $sources, $count) = @_;
    my @good = map {
        my $source = $sources == 1 ? $peer : pack('N', 0x14000000 + 13_001 * ($_ % $sources));
        packet($source, 6, tcpHeader(20_000 + $_ % 40_000, $port, 1, 0, 2));
    } 0 .. $count - 1;
    return [\@good, [map { breakChecksum($_) } @good]];
}

# Each source takes the first step before. Then it takes the second one, and sends a packet that is none.
sub makeKnocks {
    my ($count) = @_;
    my (@good, @before);
    for my $index (0 .. $count - 1) {
        my $source = pack('N', 0x14000000 + 13_001 * $index);
        my ($first, @others) = map { packet($source, 6, tcpHeader(20_000 + $index, $_, 1, 0, 2)) } $firstStepPort, $secondStepPort, $unrelatedPort;
        push @good, @others;
        push @before, $first, undef;
    }
    return [\@good, [map { breakChecksum($_) } @good], 0, \@before];
}

sub segment {
    my ($port, $sequence, $acknowledged, $flags, $data) = @_;
    return packet($peer, 6, tcpHeader($port, $servicePort, $sequence, $acknowledged, $flags) . $data);
}

sub tcpHeader {
    my ($from, $to, $sequence, $acknowledged, $flags) = @_;
    return pack('nnNNCCnnn', $from, $to, $sequence % 2**32, $acknowledged % 2**32, 5 << 4, $flags, 64_240, 0, 0);
}

sub datagram {
    my ($from, $to, $data) = @_;
    return packet($peer, 17, pack('nnnn', $from, $to, 8 + length $data, 0) . $data);
}

# Before each packet goes a header that says that the checksum behind the IP header is the link's task (virtio_net_hdr).
# Most network cards do it, too.
sub packet {
    my ($source, $protocol, $content) = @_;
    my $header = pack('CCnnnCCn', 0x45, 0, 20 + length $content, 0, 0, 64, $protocol, 0) . $source . $host;
    substr($header, 10, 2) = pack('n', checksum($header));
    return pack('CCSSSS', 1, 0, 0, 0, 20, $protocol == 6 ? 16 : 6) . $header . $content;
}

sub breakChecksum {
    my ($packet) = @_;
    substr($packet, 20, 2) ^= "\x55\xaa";
    return $packet;
}

sub checksum {
    my $sum = 0;
    $sum += $_ for unpack('n*', $_[0]);
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    return ~$sum & 0xffff;
}

sub sendNow { defined syswrite($tun, $_[0]) or die "write: $!" }

# IFF_TUN, IFF_NO_PI and IFF_VNET_HDR, set by TUNSETIFF (Documentation/networking/tuntap.rst).
sub openTun {
    sysopen(my $file, '/dev/net/tun', O_RDWR) or die "/dev/net/tun: $!";
    ioctl($file, 0x400454ca, my $request = pack('a16 S x22', 'pump', 0x0001 | 0x1000 | 0x4000)) or die "TUNSETIFF: $!";
    fcntl($file, F_SETFL, O_NONBLOCK) or die "fcntl: $!";
    for ('addr add 192.0.2.1/24 dev pump', 'link set pump up', 'route add default dev pump') {
        system('ip', split ' ') == 0 or die "ip $_ failed";
    }
    return $file;
}

sub openSocket {
    my ($type, $port) = @_;
    socket(my $socket, AF_INET, $type | ($type == SOCK_DGRAM ? SOCK_NONBLOCK : 0), 0) or die "socket: $!";
    bind($socket, pack_sockaddr_in($port, INADDR_ANY)) or die "bind: $!";
    return $socket;
}
