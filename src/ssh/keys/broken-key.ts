/** A common reason why a private key can't be read. */
interface Breakage {
  isSeenIn(text: string): boolean;
  /** What is wrong, and what to give instead. Never quotes the key. */
  readonly words: string;
}

const header = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/;

/** The clearest sign comes first: the first match is reported. */
const breakages: readonly Breakage[] = [
  { isSeenIn: (text) => text.trim() === "", words: "it is empty" },
  {
    isSeenIn: (text) => /^\s*PuTTY-User-Key-File-/.test(text),
    words:
      "it is in PuTTY's form (.ppk): convert it to OpenSSH's by `puttygen KEY.ppk -O private-openssh -o KEY`",
  },
  {
    isSeenIn: (text) =>
      /^\s*\S+-cert-v\d\d@openssh\.com\s/.test(text) || /-----BEGIN CERTIFICATE-----/.test(text),
    words: "it is a certificate: give the private key",
  },
  {
    isSeenIn: (text) => /^\s*sk-\S+@openssh\.com\s+AAAA/.test(text) || holdsSecurityKey(text),
    words:
      "it belongs to a security key, which works only with an agent, or as a file with the transport openssh: leave it out and start an agent",
  },
  {
    isSeenIn: (text) =>
      /^\s*(ssh-|ecdsa-)\S+\s+AAAA/.test(text) || /---- ?BEGIN [A-Z0-9 ]*PUBLIC KEY/.test(text),
    words: "it is a public key: give the private key",
  },
  {
    isSeenIn: (text) => header.test(text) && text.includes("\\n"),
    words: "its line breaks are lost: in their place are the two characters \\ and n",
  },
  {
    isSeenIn: (text) => header.test(text) && !/PRIVATE KEY-----\s*[\r\n]/.test(text.trim()),
    words: "its line breaks are lost",
  },
  {
    isSeenIn: (text) => header.test(text) && !/-----END [A-Z0-9 ]*PRIVATE KEY-----/.test(text),
    words: "its end is missing",
  },
  {
    isSeenIn: (text) => header.test(text) && /^[ \t]+\S/m.test(text),
    words: "its lines are indented: remove the blanks before them",
  },
  {
    isSeenIn: (text) => /^\s*["']/.test(text) && header.test(text),
    words: "it is in quotes: remove them",
  },
  {
    isSeenIn: (text) => header.test(decodeBase64(text)) || decodeBase64(text).startsWith("openssh-key-v1\0"),
    words: "it is base64 of a key: decode it, or give the file as it is",
  },
  {
    isSeenIn: (text) => isPath(text.trim()),
    words: "it is a path, not a key: read the file and give its text",
  },
];

/** Says why a text that is not encrypted can't be read as a private key. */
export function explainBrokenKey(text: string): string {
  const found = breakages.find((breakage) => breakage.isSeenIn(text));
  return found?.words ?? "it is not an ed25519, ECDSA or RSA key in OpenSSH's form or PEM";
}

/** OpenSSH's form (its PROTOCOL.key) names the kind of key in plain text where it has the public half. */
export function holdsSecurityKey(text: string): boolean {
  const [, body = ""] = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)/.exec(text) ?? [];
  return /sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com/.test(decodeBase64(body));
}

function decodeBase64(text: string): string {
  const word = text.replace(/\s/g, "");
  return /^[A-Za-z0-9+/_-]{16,}={0,2}$/.test(word) ? Buffer.from(word, "base64").toString("latin1") : "";
}

function isPath(text: string): boolean {
  if (/[\r\n]/.test(text) || text.length > 4_096) return false;
  return (
    /^(~|\.{1,2}[/\\]|[/\\]|[A-Za-z]:[/\\]|file:)/.test(text) ||
    /(^|[/\\])(id_\w+|[\w.-]+\.(pem|key))$/.test(text)
  );
}
