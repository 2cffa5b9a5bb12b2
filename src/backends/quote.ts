/**
 * Quotes text as an nftables string.
 *
 * nft's scanner has no escapes inside a quoted string (nftables `src/scanner.l`). So text with a character that can't
 * be quoted is refused, not changed.
 *
 * @throws Error when the text is longer than a rule's comment can be (128 bytes with its end, nftables
 *   `NFTNL_UDATA_COMMENT_MAXLEN`), or holds anything but printable ASCII without `"` and `\`.
 */
export function quoteNftables(text: string): string {
  if (!/^[ !#-[\]-~]{0,127}$/.test(text))
    throw new Error(`not a string for nftables: ${JSON.stringify(text)}`);
  return `"${text}"`;
}

/**
 * Checks that a text is an nftables identifier (a table's, chain's or set's name) that needs no quoting.
 *
 * @throws Error when it is not. Identifiers are made from checked names, so this is a defect of the caller.
 */
export function identifier(text: string): string {
  if (!isIdentifier(text)) throw new Error(`not an identifier for nftables: ${JSON.stringify(text)}`);
  return text;
}

export function isIdentifier(text: string): boolean {
  return /^[a-zA-Z][a-zA-Z0-9_-]{0,126}$/.test(text);
}

/**
 * Quotes text for iptables-restore, which splits its lines at spaces and knows double quotes.
 *
 * @throws Error when the text is longer than 127 characters, or holds anything but printable ASCII without `"` and `\`.
 */
export function quoteIptables(text: string): string {
  if (!/^[ !#-[\]-~]{0,127}$/.test(text))
    throw new Error(`not a string for iptables: ${JSON.stringify(text)}`);
  return `"${text}"`;
}
