# Prints "ready". Sends the packets of a knock, then tries a door at a steady pace and prints how long it took to open.
# Ends when its stdin does. A request is a line. Its answer is a line in nanoseconds, or "closed" if the door did not
# open within 3 s:
#   knock SOURCE HOST DOOR STEP...     from just before the last packet
#   send SOURCE HOST DOOR STEP...      tries no door; the answer is "sent"
#   run SOURCE HOST DOOR WORD...       from just before a command is started; words are in hexadecimal
# A step is tcp:PORT or udp:PORT:PAYLOAD-IN-HEX. ask:PORT:PAYLOAD-IN-HEX is a datagram that the host answers: then the
# prober prints "answer PAYLOAD-IN-HEX", reads a line with the payload of the last packet, and sends that, too. If the
# host does not answer within 1 s, the answer to the request is "silent".
# Each try is a connect(2) of its own that waits for its answer. The kernel sends a dropped SYN again after 1 s. The
# next try comes sooner, so the kernel's own timer never decides.
use strict;
use warnings;
use Errno qw(EINPROGRESS ECONNREFUSED);
use POSIX qw(WNOHANG);
use Socket qw(AF_INET SOCK_STREAM SOCK_DGRAM SOCK_NONBLOCK SOL_SOCKET SO_ERROR SO_LINGER IPPROTO_IP inet_aton pack_sockaddr_in);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $pauseSeconds = 0.0005;
my $limitSeconds = 3;
my $stepPauseSeconds = 0.002;
my $answerLimitSeconds = 1;
my $none;

$| = 1;
print "ready\n";
while (defined(my $line = <STDIN>)) {
    my ($kind, $source, $host, $door, @words) = split ' ', $line;
    my $from = inet_aton($source);
    my $to = pack_sockaddr_in($door, inet_aton($host));
    my $begin = $kind eq 'run' ? startCommand(@words) : sendKnock($from, inet_aton($host), @words);
    print !defined $begin ? 'silent' : $kind eq 'send' ? 'sent' : waitForDoor($from, $to, $begin), "\n";
    # The command may go on after the door is open. It must end before the next request.
    if ($kind eq 'run') { 1 while wait() > 0 }
}

# Prepares all that can be prepared before the last step.
sub sendKnock {
    my ($from, $host, @steps) = @_;
    my @sockets = map { openSocket($from, /^tcp/ ? SOCK_STREAM : SOCK_DGRAM) } @steps;
    my $begin;
    for my $index (0 .. $#steps) {
        spin($stepPauseSeconds) if $index > 0;
        my ($kind, $port, $payload) = split /:/, $steps[$index];
        my $address = pack_sockaddr_in($port, $host);
        my $bytes = pack('H*', $payload // '');
        $begin = clock_gettime(CLOCK_MONOTONIC);
        if ($kind ne 'tcp') { defined send($sockets[$index], $bytes, 0, $address) or die "send: $!" }
        else { connect($sockets[$index], $address) or $! == EINPROGRESS or $! == ECONNREFUSED or die "connect: $!" }
        next unless $kind eq 'ask';
        my $last = askForLast($sockets[$index]) // return undef;
        $begin = clock_gettime(CLOCK_MONOTONIC);
        defined send($sockets[$index], $last, 0, $address) or die "send: $!";
    }
    return $begin;
}

# Waits for the host's answer, and asks what to send then.
sub askForLast {
    my ($socket) = @_;
    vec(my $readable = '', fileno $socket, 1) = 1;
    return undef unless select($readable, $none, $none, $answerLimitSeconds) > 0 && defined recv($socket, my $answer, 2048, 0);
    print 'answer ', unpack('H*', $answer), "\n";
    chomp(my $line = <STDIN>);
    return pack('H*', $line);
}

sub startCommand {
    my @words = map { pack('H*', $_) } @_;
    my $begin = clock_gettime(CLOCK_MONOTONIC);
    my $child = fork() // die "fork: $!";
    return $begin if $child;
    open(STDIN, '<', '/dev/null') and open(STDOUT, '>', '/dev/null') and open(STDERR, '>', '/dev/null') or POSIX::_exit(126);
    exec { $words[0] } @words or POSIX::_exit(127);
}

sub waitForDoor {
    my ($from, $to, $begin) = @_;
    my %tries;
    my $waiting = '';
    while (clock_gettime(CLOCK_MONOTONIC) < $begin + $limitSeconds) {
        my $try = openSocket($from, SOCK_STREAM);
        my $next = clock_gettime(CLOCK_MONOTONIC) + $pauseSeconds;
        if (connect($try, $to)) { return since($begin) }
        $! == EINPROGRESS or $! == ECONNREFUSED or die "connect: $!";
        $tries{fileno $try} = $try;
        vec($waiting, fileno $try, 1) = 1;
        while ((my $left = $next - clock_gettime(CLOCK_MONOTONIC)) > 0) {
            my $ready = $waiting;
            select($none, $ready, $none, $left) > 0 or last;
            my $now = since($begin);
            for my $file (keys %tries) {
                next unless vec($ready, $file, 1);
                return $now if unpack('i', getsockopt($tries{$file}, SOL_SOCKET, SO_ERROR)) == 0;
                vec($waiting, $file, 1) = 0;
                delete $tries{$file};
            }
        }
    }
    return 'closed';
}

# SO_LINGER with 0 seconds: a reset ends a connection that came through, so that nothing is left behind.
sub openSocket {
    my ($from, $type) = @_;
    socket(my $socket, AF_INET, $type | SOCK_NONBLOCK, 0) or die "socket: $!";
    setsockopt($socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) or die "setsockopt: $!" if $type == SOCK_STREAM;
    # IP_BIND_ADDRESS_NO_PORT (ip(7)): the kernel chooses the port at connect(2), when it knows the destination.
    setsockopt($socket, IPPROTO_IP, 24, pack('i', 1)) or die "setsockopt: $!";
    bind($socket, pack_sockaddr_in(0, $from)) or die "bind: $!";
    return $socket;
}

# Waits busily, so that the time to wake a sleeping processor is not measured.
sub spin {
    my $until = clock_gettime(CLOCK_MONOTONIC) + $_[0];
    1 while clock_gettime(CLOCK_MONOTONIC) < $until;
}

sub since { return sprintf '%.0f', 1e9 * (clock_gettime(CLOCK_MONOTONIC) - $_[0]) }
