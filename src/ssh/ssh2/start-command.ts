import type { Client, ClientChannel } from "ssh2";
import { tellLost, unreachableError } from "../deadline.js";
import type { RemoteCommand, SshLink } from "../link.js";
import { refuseCommand, startPauseMs, startTries } from "../max-sessions.js";

/** Starts a command on a connection of ssh2. */
export function startCommand(client: Client, link: SshLink, command: string): Promise<RemoteCommand> {
  return new Promise((resolve, reject) => {
    const begin = (tries: number): void => {
      try {
        client.exec(command, (error, channel) => {
          if (error === undefined) return resolve(carry(channel));
          if (!("reason" in error)) return reject(unreachableError(link.name, error.message, error));
          if (tries < startTries) return void setTimeout(() => begin(tries + 1), startPauseMs);
          reject(refuseCommand(link.name, error));
        });
      } catch {
        // ssh2 throws when the connection is closed already.
        reject(tellLost(link, "before a command ran"));
      }
    };
    begin(1);
  });
}

function carry(channel: ClientChannel): RemoteCommand {
  channel.on("error", () => undefined); // the close event that follows says more
  return {
    stdout: channel,
    stderr: channel.stderr,
    write: (input) => void channel.write(input),
    end: (input) => void channel.end(input),
    close: () => channel.close(),
    onEnd: (listener) =>
      channel.once("close", (code?: number | null, signal?: string) =>
        listener({ code: code ?? undefined, signal }),
      ),
  };
}
