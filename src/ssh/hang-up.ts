import { quoteSaid } from "./quote-said.js";

/** What a server sends before its SSH identification, or without one: a few lines at most (RFC 4253, 4.2). */
export interface Beginning {
  hear(chunk: Buffer): void;
  /** Whether the SSH identification has come. */
  readonly isSsh: boolean;
  /** All that the server sent so far, cut off after at most 2,047 bytes. */
  readonly said: string;
}

const mostBytes = 1_024;
const mark = "SSH-";

export function listenForBanner(): Beginning {
  let said = "";
  let isSsh = false;
  /** How the last line begins. Lines of any number and length may precede the identification. */
  let line = "";
  return {
    hear: (chunk) => {
      if (isSsh) return;
      const bytes = chunk.toString("latin1");
      if (said.length < mostBytes) said += bytes.slice(0, mostBytes);
      const heard = line + bytes;
      isSsh = new RegExp(`^${mark}`, "m").test(heard);
      const start = heard.lastIndexOf("\n") + 1;
      line = heard.slice(start, start + mark.length);
    },
    get isSsh() {
      return isSsh;
    },
    get said() {
      return said;
    },
  };
}

/** Says why sshd accepts a connection and closes it before its identification, and what to do. */
export function describeHangUp(said: string): string {
  return (
    `the host took the connection and hung up before its SSH banner${quoteSaid(said)}. ` +
    "sshd does so for a while with a source whose connections failed or did not log in (PerSourcePenalties in " +
    "sshd_config(5), OpenSSH 9.8 and newer), and when too many are logging in at once (MaxStartups). " +
    "Wait a minute, and look at sshd's log on the host."
  );
}
