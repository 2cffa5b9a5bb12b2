/** How texts begin that are not plain UTF-8 (Unicode 15, 23.8): the mark is no part of the text. */
const marks = [
  { bytes: [0xef, 0xbb, 0xbf], encoding: "utf-8" },
  { bytes: [0xff, 0xfe], encoding: "utf-16le" },
  { bytes: [0xfe, 0xff], encoding: "utf-16be" },
] as const;

/** Reads bytes as text by their byte order mark, as UTF-8 where they have none. Never throws. */
export function decodeText(bytes: Buffer): string {
  const mark = marks.find((one) => one.bytes.every((byte, index) => bytes[index] === byte));
  const body = bytes.subarray(mark?.bytes.length ?? 0);
  switch (mark?.encoding) {
    case "utf-16le":
      return body.toString("utf16le");
    case "utf-16be":
      // Half a character at the end is none.
      return Buffer.from(body.subarray(0, body.length - (body.length % 2)))
        .swap16()
        .toString("utf16le");
    default:
      return body.toString("utf8");
  }
}

/** What keeps bytes from being the text that they were meant to be; `undefined`: nothing. */
export function findTextFault(bytes: Buffer): string | undefined {
  const text = decodeText(bytes);
  if (text.includes("\0")) return "is not UTF-8; if it is UTF-16, it needs a byte order mark";
  // What can't be decoded is replaced by that character, and a password would be another one.
  const replaced = Buffer.from("\uFFFD");
  return text.includes("\uFFFD") && !bytes.includes(replaced) ? "is not UTF-8" : undefined;
}
