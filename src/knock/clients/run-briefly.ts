/**
 * Shell code of bash and of any POSIX sh that runs a command in the background for half a second at most. This is less
 * than the second after which the kernel repeats an unanswered SYN (RFC 6298, 2.1), and enough to look up a name. macOS
 * has no `timeout`. A command that a POSIX sh starts in the background reads nothing (POSIX, 2.11 of "Shell Command
 * Language"), so its input comes by another file descriptor.
 */
export const runBriefly = {
  bash: 's(){ "$@" & p=$!; for i in 1 2 3 4 5; do kill -0 $p || break; sleep .1; done; kill $p; wait $p; }',
  sh: 's(){ "$@" <&3 & p=$!; for i in 1 2 3 4 5; do kill -0 $p || break; sleep .1; done; kill $p; wait $p; } 3<&0',
} as const;
