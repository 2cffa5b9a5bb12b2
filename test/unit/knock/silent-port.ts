import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";

/** Nobody accepts, so the kernel drops each SYN once the queue of its backlog is full (listen(2)). */
const program = `
use Socket;
socket(my $s, AF_INET, SOCK_STREAM, 0) or die;
bind($s, pack_sockaddr_in(0, inet_aton("127.0.0.1"))) or die;
listen($s, 0) or die;
$| = 1;
print((unpack_sockaddr_in(getsockname($s)))[0], "\\n");
sleep 60;
`;

/**
 * Makes a port of 127.0.0.1 that is silent until it is closed, and refuses from then on.
 *
 * @param answers whether it answers once before
 */
export async function listenSilently(
  answers = false,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const perl = spawn("perl", ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = await once(perl.stdout, "data");
  const port = Number(`${chunk}`.trim());
  const fillers = (answers ? [] : [1, 2, 3]).map(() =>
    connect(port, "127.0.0.1").on("error", () => undefined),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      const gone = once(perl, "exit");
      perl.kill();
      await gone;
    },
  };
}
