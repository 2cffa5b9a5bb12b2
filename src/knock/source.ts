import { isIP } from "node:net";

/**
 * Reads the source address that a kernel would use towards a target. A machine without another address of that family
 * uses the loopback address, to which no answer comes back: that counts as none.
 */
export function readSource(said: string, target: string): string | undefined {
  const isLoopback = (address: string) => address === "::1" || address.startsWith("127.");
  const isNone = said === "-" || said === "::" || said === "0.0.0.0";
  return isNone || (isLoopback(said) && !isLoopback(target)) ? undefined : said;
}

/**
 * Finds the source address of this machine's packets to an address; `undefined` when there is no route. Sends nothing.
 */
export async function findSource(address: string): Promise<string | undefined> {
  const { createSocket } = await import("node:dgram");
  const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
  try {
    // connect() on a datagram socket looks up a route, and sends nothing (connect(2)).
    return await new Promise<string | undefined>((resolve) => {
      socket.once("error", () => resolve(undefined));
      // The types leave out the error that the callback gets when there is no route.
      socket.connect(discardPort, address, (error?: unknown) =>
        resolve(
          error === undefined || error === null ? readSource(socket.address().address, address) : undefined,
        ),
      );
    });
  } finally {
    socket.close();
  }
}

/** The discard port (RFC 863). Any port would do. */
const discardPort = 9;
