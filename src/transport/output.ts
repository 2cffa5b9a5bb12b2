/** What a command writes to one of its outputs. */
export interface Output {
  /** Finds a line that begins with `mark`, wherever that stands in its line: what came before and the rest of it. */
  findLine(mark: string): FoundLine | undefined;
  /** Finds what a pattern's first group says at its end; of the last bytes only. */
  findEnd(pattern: RegExp): string | undefined;
  /** Drops what has come until the end of a line that was found. */
  dropThrough(line: FoundLine): void;
  /** All that was written since the last time, less what it ends with. */
  take(end?: string): string;
}

interface FoundLine {
  readonly before: string;
  readonly rest: string;
  readonly endsAt: number;
}

/** Far more than a ruleset of a thousand gates; a host that sends without end is cut off. */
const maximumOutputBytes = 64 * 1024 * 1024;
/** Far more than a login says before its command runs: no more than that is searched. */
const maximumGreetingBytes = 1024 * 1024;

export function collect(stream: NodeJS.ReadableStream, onMore: () => void): Output {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let last = "";
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maximumOutputBytes) chunks.push(chunk);
    last = `${last}${chunk.subarray(-80).toString("latin1")}`.slice(-80);
    onMore();
  });
  const join = (): Buffer => {
    const all = Buffer.concat(chunks);
    chunks = [all];
    return all;
  };
  return {
    findLine: (mark) => {
      if (bytes > maximumGreetingBytes) return undefined;
      const all = join();
      const begin = all.indexOf(mark);
      const end = begin < 0 ? -1 : all.indexOf("\n", begin);
      if (end < 0) return undefined;
      const rest = all.toString("utf8", begin + mark.length, end);
      return { before: all.toString("utf8", 0, begin), rest, endsAt: end + 1 };
    },
    findEnd: (pattern) => pattern.exec(last)?.[1],
    dropThrough: ({ endsAt }) => {
      const left = join().subarray(endsAt);
      [chunks, bytes, last] = [[left], left.length, left.subarray(-80).toString("latin1")];
    },
    take: (end = "") => {
      const text = join().toString("utf8");
      [chunks, bytes, last] = [[], 0, ""];
      return text.endsWith(end) ? text.slice(0, text.length - end.length) : text;
    },
  };
}
