import type { Socket } from "node:net";

/**
 * Sends together what is written to a socket in one turn of the event loop. ssh2 writes each SSH packet in three pieces.
 * Without Nagle's algorithm each of them would be a packet of TCP, and wake the server up.
 */
export function joinWrites(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let isJoining = false;
  socket.write = ((...args: unknown[]): boolean => {
    if (!isJoining) {
      isJoining = true;
      socket.cork();
      process.nextTick(() => {
        isJoining = false;
        socket.uncork();
      });
    }
    return write(...args);
  }) as Socket["write"];
  return socket;
}
