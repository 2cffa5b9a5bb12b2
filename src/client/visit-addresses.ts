/** Whether a host is given by a name, which may have several addresses. */
export function isName(host: string): boolean {
  return !host.includes(":") && !/^[\d.]+$/.test(host);
}

/**
 * Lets a shell do something for each address of the host that is its `$1`, as `$h`, and leaves the host itself in it. A
 * connection goes on to the next address where one refuses, a datagram and an echo request know the first only: and a door
 * opens for one family. Where there is no getent(1), as on macOS, the name stands for all of them.
 */
export function visitAddresses(host: string, act: string): string {
  if (!isName(host)) return act;
  const list = 'getent ahosts "$1" | while read -r a t x; do test "$t" = STREAM && echo "$a"; done';
  return `l=$(${list}); test "$l" || l=$1; for h in $l; do ${act}; done; h=$1`;
}
