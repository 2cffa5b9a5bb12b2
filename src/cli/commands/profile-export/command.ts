import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "profile export",
  summary: "Print a profile, with its knock or key",
  description: [
    "Prints the profile's file. Of the `profile` commands, only this one shows a knock or a key. `knockgate profile add` reads the output. Send it to others only in a way in which you would send a key.",
    "`--as sh` prints a script instead that opens one gate without Knockgate: with sh, nc and, for echo requests, ping. For a token it also needs sha256sum or shasum, and it asks the gate's port until a token is taken. It can be the command that an app runs before it connects.",
    "`--as wg-quick` prints a line for the section `[Interface]` of wg-quick(8). wg-quick then opens the gate before it brings the tunnel up. It needs bash and coreutils.",
    "`--as qr` draws a QR code, for the camera of another machine. The code holds the profile as one line of JSON, and `knockgate profile add` reads that line. Whoever sees the picture can open the gates; a warning on standard error says so. With `--json`, it prints the line instead of the picture.",
  ],
  arguments: [{ name: "NAME", about: "The profile.", completion: "profile" }],
  options: [
    {
      name: "as",
      value: "FORM",
      choices: ["sh", "wg-quick", "qr"],
      about: "Print a program that opens a gate, or a picture, instead of the profile.",
    },
    {
      name: "gate",
      value: "GATE",
      about: "With `--as`: the gate. Default: the only one; with `--as qr` all gates.",
    },
  ],
  examples: [
    {
      line: "(umask 077; knockgate profile export edge >edge.json)",
      about: "Into a file that only you can read",
    },
    {
      line: "(umask 077; knockgate profile export edge --gate ssh --as sh >open-edge; chmod u+x open-edge)",
      about: "A script for a machine without Knockgate",
    },
    {
      line: "knockgate profile export edge --gate wg --as wg-quick",
      about: "A line for /etc/wireguard/wg0.conf, which only root can read",
    },
    {
      line: "knockgate profile export edge --gate ssh --as qr",
      about: "A picture for the camera of another machine",
    },
  ],
  run: async (invocation, context) => (await import("./run.js")).exportProfile(invocation, context),
};
