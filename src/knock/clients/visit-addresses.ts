/** Whether a host is given by a name, which may have several addresses. */
export function isName(host: string): boolean {
  return !host.includes(":") && !/^[\d.]+$/.test(host);
}

/**
 * Writes shell code that does `act` for each address of the host in `$1`, with the address in `$h`. At the end, `$h` is
 * the host itself. A connection tries the next address when one refuses, but a datagram and an echo request use only
 * the first address. A door opens for one family only. Without getent(1), as on macOS, `act` is done once, with the
 * name.
 */
export function visitAddresses(host: string, act: string): string {
  return isName(host) ? `${listAddresses(host)}; for h in $l; do ${act}; done; h=$1` : act;
}

/** Writes shell code that puts the addresses of the host in `$1` into `$l`. Without getent(1), that is the host itself. */
export function listAddresses(host: string): string {
  if (!isName(host)) return "l=$1";
  const list = 'getent ahosts "$1" | while read -r a t x; do test "$t" = STREAM && echo "$a"; done';
  return `l=$(${list}); test "$l" || l=$1`;
}
