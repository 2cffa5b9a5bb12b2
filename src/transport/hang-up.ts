import { quoteSaid } from "./quote-said.js";

/** What a server says that is no SSH server yet, or none at all: a few lines at most before its identification (RFC 4253, 4.2). */
export interface Beginning {
  /** Takes what came. */
  hear(chunk: Buffer): void;
  /** Whether it has said who it is. */
  readonly isSsh: boolean;
  /** What it said before that, on one line. */
  readonly said: string;
}

const mostBytes = 1_024;

/** Listens to the beginning of a connection. */
export function listenForBanner(): Beginning {
  let heard = "";
  return {
    hear: (chunk) => {
      if (heard.length < mostBytes) heard += chunk.subarray(0, mostBytes).toString("latin1");
    },
    get isSsh() {
      return /^SSH-/m.test(heard);
    },
    get said() {
      return heard;
    },
  };
}

/** Says why sshd takes a connection and hangs up before it has said who it is, and what to do. */
export function describeHangUp(said: string): string {
  return (
    `the host took the connection and hung up before its SSH banner${quoteSaid(said)}. ` +
    "sshd does so for a while with a source whose connections failed or did not log in (PerSourcePenalties in " +
    "sshd_config(5), OpenSSH 9.8 and newer), and when too many are logging in at once (MaxStartups). " +
    "Wait a minute, and look at sshd's log on the host."
  );
}
