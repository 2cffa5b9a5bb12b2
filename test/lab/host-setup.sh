# shellcheck shell=sh disable=SC2034,SC2154 # variables shared with init.sh
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
# First in root's and sudo's PATH: where a test may put a tool of its own in front of the real one.
[ ! -d /usr/local/sbin ] || mount -t tmpfs -o mode=0755 tmpfs /usr/local/sbin

step="making $shell its /bin/sh"
real=$(command -v "$shell")
[ "$(readlink -f "$real")" = "$(readlink -f /bin/sh)" ] || mount --bind "$real" "$(readlink -f /bin/sh)"
# Whatever a test does here, the machine's own files stay as they are.
mount -o remount,bind,ro /

step="making its users"
printf '127.0.0.1 localhost %s\n::1 localhost\n' "$name" >/etc/hosts
echo "$name" >/etc/hostname
sed -i '/^root:/d; /^ops:/d; /^plain:/d' /etc/passwd /etc/shadow
cat >>/etc/passwd <<END
root:x:0:0:root:/root:/bin/sh
ops:x:60101:60101::/home/ops:/bin/sh
plain:x:60102:60102::/home/plain:/bin/sh
END
# "*" is no password; "!" would be a locked account, which sshd refuses when it does not use PAM (sshd(8)).
printf '%s:*:19000:0:99999:7:::\n' root ops plain >>/etc/shadow
printf '%s\n' ops:x:60101: plain:x:60102: >>/etc/group
cat >/etc/sudoers <<END
Defaults env_reset, secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
ops ALL=(ALL:ALL) NOPASSWD: ALL
END
mkdir -m 0700 /home/ops /home/plain
chown 60101:60101 /home/ops
chown 60102:60102 /home/plain

step="making its host key"
rm -f /etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N "" -C "$name" -f /etc/ssh/ssh_host_ed25519_key
read -r keyType keyText _ </etc/ssh/ssh_host_ed25519_key.pub
hostKey="$keyType $keyText"

step="starting sshd"
echo "$publicKey" >/etc/ssh/authorized_keys
cat >/etc/ssh/sshd_config <<END
Port $sshPort
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 500:30:1000
MaxSessions 100
UseDNS no
PidFile /run/sshd.pid
LogLevel VERBOSE
Subsystem sftp internal-sftp
END
sshd=$(command -v sshd)
# OpenSSH 9.8 and later shut out a source that connects and leaves, as every probe does.
if "$sshd" -t -o PerSourcePenalties=no 2>/dev/null; then echo "PerSourcePenalties no" >>/etc/ssh/sshd_config; fi
"$sshd" -t
"$sshd" -D -e &

# Last, because the lab's own files may be below it.
step="giving it its own /tmp"
mount -t tmpfs -o mode=1777 tmpfs /tmp
