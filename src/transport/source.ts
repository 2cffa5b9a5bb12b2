import { isIP } from "node:net";

/**
 * Reads what a kernel says packets to an address would leave with. Where a machine has no other address of that family it
 * takes the loopback's, from which nothing comes back.
 */
export function readSource(said: string, target: string): string | undefined {
  const isLoopback = (address: string) => address === "::1" || address.startsWith("127.");
  const isNone = said === "-" || said === "::" || said === "0.0.0.0";
  return isNone || (isLoopback(said) && !isLoopback(target)) ? undefined : said;
}

/** Finds the address that packets to another one leave this machine with; `undefined` where there is no way to it. Sends nothing. */
export async function findSource(address: string): Promise<string | undefined> {
  const { createSocket } = await import("node:dgram");
  const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
  try {
    // To connect a datagram's socket asks the kernel for a route, and sends nothing (connect(2)).
    return await new Promise<string | undefined>((resolve) => {
      socket.once("error", () => resolve(undefined));
      // The types leave out what it is told when there is no route.
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

/** RFC 863: any port would do. */
const discardPort = 9;
