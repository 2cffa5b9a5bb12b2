/**
 * The program that ssh asks for secrets (SSH_ASKPASS in ssh(1)). It answers the ssh process that the keeper started and
 * no other: the ssh of a ProxyCommand has the same environment, and talks to another machine. It answers with
 * the login's password. It never agrees to a host key, opens no key of ssh_config, and sets no new password.
 */
export const askpassProgram = `#!/bin/sh
dir=\${0%/*}
case \${SSH_ASKPASS_PROMPT-} in
none)
  if [ -t 0 ] || { : </dev/tty; } 2>/dev/null; then
    printf '%s\\n' "$1" >/dev/tty
  else
    printf '%s\\n' "$1" >&2
  fi
  exit 0
  ;;
confirm) exit 1 ;;
esac
read -r pid <"$dir/pid" && [ "$PPID" = "$pid" ] || exit 1
case $1 in
*'(yes/no'* | *'new password'* | *'New password'* | *'old password'* | 'Enter PIN'* | 'Enter passphrase'*) exit 1 ;;
esac
[ -r "$dir/password" ] && exec cat "$dir/password"
exit 1
`;
