# Listens on a TCP port and ends each connection at once. usage: door.pl PORT
use strict;
use warnings;
use Socket qw(AF_INET SOCK_STREAM SOL_SOCKET SO_REUSEADDR INADDR_ANY pack_sockaddr_in);

socket(my $door, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
bind($door, pack_sockaddr_in($ARGV[0], INADDR_ANY)) or die "bind: $!";
listen($door, 1024) or die "listen: $!";
$| = 1;
print "ready\n";
while (1) {
    accept(my $connection, $door) or next;
    close $connection;
}
