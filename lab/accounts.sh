# shellcheck shell=sh disable=SC2034,SC2154 # variables shared with init.sh and the file that sources this
# Sourced: the users and the key that may log in to a machine whose files are below $root, and its own host key.
step="making its users"
printf '127.0.0.1 localhost %s\n::1 localhost\n' "$name" >"$root/etc/hosts"
echo "$name" >"$root/etc/hostname"
sed -i '/^root:/d; /^ops:/d; /^plain:/d' "$root/etc/passwd" "$root/etc/shadow"
cat >>"$root/etc/passwd" <<END
root:x:0:0:root:/root:/bin/sh
ops:x:60101:60101::/home/ops:/bin/sh
plain:x:60102:60102::/home/plain:/bin/sh
END
# "*" is not a valid password. "!" would lock the account, which sshd refuses when it does not use PAM (sshd(8)).
printf '%s:*:19000:0:99999:7:::\n' root ops plain >>"$root/etc/shadow"
printf '%s\n' ops:x:60101: plain:x:60102: >>"$root/etc/group"
cat >"$root/etc/sudoers" <<END
Defaults env_reset, secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
ops ALL=(ALL:ALL) NOPASSWD: ALL
END
mkdir -m 0700 "$root/home/ops" "$root/home/plain"
chown 60101:60101 "$root/home/ops"
chown 60102:60102 "$root/home/plain"

step="making its host key"
rm -f "$root"/etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N "" -C "$name" -f "$root/etc/ssh/ssh_host_ed25519_key"
read -r keyType keyText _ <"$root/etc/ssh/ssh_host_ed25519_key.pub"
hostKey="$keyType $keyText"

echo "$publicKey" >"$root/etc/ssh/authorized_keys"
cat >"$root/etc/ssh/sshd_config" <<END
Port $sshPort
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
UsePAM $usePam
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
