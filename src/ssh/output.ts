/** One output of a command. */
export interface Output {
  /** Finds `mark`, at any place in a line. Returns what came before it, and the rest of its line. */
  findLine(mark: string): FoundLine | undefined;
  /** If the last 80 bytes end with a line break, returns what stands between `mark` and that. */
  findEnd(mark: string): string | undefined;
  /** Drops all output up to the end of a line that was found. */
  dropThrough(line: FoundLine): void;
  /** Returns all output since the last call, without `end` where it ends with that. */
  take(end?: string): string;
}

interface FoundLine {
  readonly before: string;
  readonly rest: string;
  readonly endsAt: number;
}

/** Far more than a ruleset of a thousand gates. What a host sends beyond that is dropped. */
const maximumOutputBytes = 64 * 1024 * 1024;
/** Far more than a login prints before its command runs. `findLine` finds nothing in longer output. */
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
    findEnd: (mark) => {
      const begin = last.endsWith("\n") ? last.lastIndexOf(mark) : -1;
      return begin < 0 ? undefined : last.slice(begin + mark.length, -1);
    },
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
