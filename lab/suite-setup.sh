# shellcheck shell=sh disable=SC2034,SC2154 # variables shared with init.sh and accounts.sh
# Sourced by init.sh: a machine that runs another Debian's files, without its init, on this machine's kernel.
# usage: suite-setup.sh ROOTFS SSH-PORT PUBLIC-KEY
rootfs=$1
sshPort=$2
publicKey=$3

step="making its disk"
mount -t tmpfs -o mode=0755 tmpfs /run
root=/run/root
mkdir "$root" /run/upper /run/work
mount -t overlay -o "lowerdir=$rootfs,upperdir=/run/upper,workdir=/run/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mkdir -m 0755 "$root/run/sshd" "$root/run/lock" "$root/run/old"

# Removes what packages left there: the tests do not need it.
step="giving it its own /var/lib, /root, /tmp"
for place in var/lib var/log root tmp usr/local/sbin; do mount -t tmpfs -o mode=0755 tmpfs "$root/$place"; done

mkdir -p "$root/etc/ssh"
usePam=no
# shellcheck source=/dev/null
. "${setup%/*}/accounts.sh"

step="changing to its disk"
cd "$root"
pivot_root . run/old
umount -l /run/old
rmdir /run/old

step="starting sshd"
if [ -x /usr/sbin/dropbear ]; then
	mkdir -m 0700 /root/.ssh
	cp /etc/ssh/authorized_keys /root/.ssh/authorized_keys
	dropbearconvert openssh dropbear /etc/ssh/ssh_host_ed25519_key /etc/ssh/dropbear_key 2>/dev/null
	dropbear -F -E -s -p "$sshPort" -r /etc/ssh/dropbear_key &
else
	sshd=/usr/sbin/sshd
	# OpenSSH 9.8 and later shut out a source that connects and leaves, as every probe does.
	if "$sshd" -t -o PerSourcePenalties=no 2>/dev/null; then echo "PerSourcePenalties no" >>/etc/ssh/sshd_config; fi
	"$sshd" -t
	"$sshd" -D -e &
fi
