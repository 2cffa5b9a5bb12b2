/** Shell code that interrupts bash while it waits, and code that ends this. */
interface Interruption {
  /** Starts a process beside the shell. It ends with the shell, at the latest after one more period. */
  readonly begin: string;
  readonly end: string;
}

/**
 * Writes code for bash, in which a connection has no time limit of its own: again and again a signal breaks off what the
 * shell waits for. bash then closes the socket, so the kernel does not repeat its SYN. `$f` is set by the first signal.
 *
 * The process waits for a datagram that nobody sends: a program of its own, as sleep(1) is, would take longer to start
 * than a knock takes. bash before 4.0 (macOS) knows no fractions there, so it sleeps; nor does it know `$BASHPID`, so in
 * a subshell the code is only for newer ones.
 */
export function writeInterruption(seconds: number | string): Interruption {
  const wait = `{ read -t ${seconds} -u 3; test $? -gt 128 || sleep ${seconds}; }`;
  const repeat = `exec 3<>/dev/udp/127.0.0.1/9; while ${wait} && kill -USR1 $p; do :; done`;
  return {
    // The process must not hold ssh's pipes, nor the connection.
    begin: `trap f=1 USR1; f=; p=$BASHPID; test "$p" || p=$$; { ${repeat}; } 3<&- 4<&- & v=$!`,
    end: "kill $v; wait $v",
  };
}

/**
 * How long a step waits for an answer, in seconds: less than the second after which the kernel repeats an unanswered SYN
 * (RFC 6298, 2.1), and enough to look up a name.
 */
export const stepSeconds = ".4";

/** How long a port has to answer, in seconds: longer than the kernel waits to send a lost SYN again. */
export const answerSeconds = 1.2;
