# shellcheck shell=sh disable=SC2034,SC2154 # variables shared with init.sh and accounts.sh
# Sourced by init.sh: a machine's files and its sshd. usage: host-setup.sh SSH-PORT SHELL PUBLIC-KEY
sshPort=$1
shell=$2
publicKey=$3

step="giving it its own /etc"
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -m 0755 /run/etc
mount -t tmpfs -o mode=0755 tmpfs /run/etc
cp -a /etc/. /run/etc/
mount --move /run/etc /etc
rmdir /run/etc
mkdir -m 0755 /run/sshd /run/lock

step="giving it its own /var/lib, /root, /home, /tmp"
mount -t tmpfs -o mode=0755 tmpfs /var/lib
mount -t tmpfs -o mode=0755 tmpfs /var/log
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mount -t tmpfs -o mode=0700 tmpfs /root
mount -t tmpfs -o mode=0755 tmpfs /home
# First in root's and sudo's PATH: a test may put its own version of a tool here.
[ ! -d /usr/local/sbin ] || mount -t tmpfs -o mode=0755 tmpfs /usr/local/sbin

step="making $shell its /bin/sh"
real=$(command -v "$shell")
[ "$(readlink -f "$real")" = "$(readlink -f /bin/sh)" ] || mount --bind "$real" "$(readlink -f /bin/sh)"
# Whatever a test does here, the real machine's files stay as they are.
mount -o remount,bind,ro /

root=
usePam=no
# shellcheck source=/dev/null
. "${setup%/*}/accounts.sh"

step="starting sshd"
sshd=$(command -v sshd)
# OpenSSH 9.8 and later shut out a source that connects and leaves, as every probe does.
if "$sshd" -t -o PerSourcePenalties=no 2>/dev/null; then echo "PerSourcePenalties no" >>/etc/ssh/sshd_config; fi
"$sshd" -t
"$sshd" -D -e &

# Last, because the lab's own files may be below it.
step="giving it its own /tmp"
mount -t tmpfs -o mode=1777 tmpfs /tmp
