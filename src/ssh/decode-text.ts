/** The byte order marks that a text may begin with (Unicode 15, 23.8). The mark does not belong to the text. */
const marks = [
  { bytes: [0xef, 0xbb, 0xbf], encoding: "utf-8" },
  { bytes: [0xff, 0xfe], encoding: "utf-16le" },
  { bytes: [0xfe, 0xff], encoding: "utf-16be" },
] as const;

/** Decodes bytes by their byte order mark, or as UTF-8 where there is none. Never throws. */
export function decodeText(bytes: Buffer): string {
  const mark = marks.find((one) => one.bytes.every((byte, index) => bytes[index] === byte));
  const body = bytes.subarray(mark?.bytes.length ?? 0);
  switch (mark?.encoding) {
    case "utf-16le":
      return body.toString("utf16le");
    case "utf-16be":
      // swap16() takes an even number of bytes: half a character at the end is left out.
      return Buffer.from(body.subarray(0, body.length - (body.length % 2)))
        .swap16()
        .toString("utf16le");
    default:
      return body.toString("utf8");
  }
}

/** Says why bytes can't be decoded as text; `undefined` when they can. */
export function findTextFault(bytes: Buffer): string | undefined {
  const text = decodeText(bytes);
  if (text.includes("\0")) return "is not UTF-8; if it is UTF-16, it needs a byte order mark";
  // U+FFFD replaces what can't be decoded, and that would turn a password into another one.
  const replaced = Buffer.from("\uFFFD");
  return text.includes("\uFFFD") && !bytes.includes(replaced) ? "is not UTF-8" : undefined;
}
