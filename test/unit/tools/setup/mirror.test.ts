import { expect, test } from "vitest";
import { chooseMirror } from "../../../../tools/setup/mirror.mjs";

const stanzas = `Types: deb
# a comment
URIs: https://packages.example.com/debian
Suites: nodistro
Components: main

Types: deb deb-src
URIs: http://mirror.example.org/debian/
Suites: bookworm bookworm-updates
Components: main
 contrib
`;

test.each<readonly [string, Readonly<Record<string, string>>, string | undefined]>([
  [
    "one line",
    { "sources.list": "deb http://a.example/debian bookworm main contrib\n" },
    "http://a.example/debian",
  ],
  [
    "options before the address",
    { "x.list": "deb [arch=amd64 signed-by=/k.gpg] https://a.example/debian/ bookworm main # ours\n" },
    "https://a.example/debian/",
  ],
  [
    "the archive itself after its updates and fixes",
    {
      "sources.list":
        "deb http://a.example/debian bookworm-updates main\n" +
        "deb http://a.example/debian-security bookworm-security main\n" +
        "deb http://b.example/debian bookworm main\n",
    },
    "http://b.example/debian",
  ],
  ["a comment", { "sources.list": "# deb http://a.example/debian bookworm main\n" }, undefined],
  ["a CD", { "sources.list": "deb cdrom:[Debian]/ bookworm main\n" }, undefined],
  ["no main", { "sources.list": "deb http://a.example/debian bookworm contrib\n" }, undefined],
  ["a foreign archive", { "x.list": "deb https://a.example/apt stable main\n" }, undefined],
  ["another suite", { "sources.list": "deb http://a.example/debian trixie main\n" }, undefined],
  ["stanzas", { "debian.sources": stanzas }, "http://mirror.example.org/debian/"],
  [
    "a stanza that is switched off",
    { "debian.sources": stanzas.replace("Types: deb deb-src", "Enabled: no\n$&") },
    undefined,
  ],
])("the mirror that apt uses is found: %s", (_, files, mirror) => {
  expect(chooseMirror("bookworm", new Map(Object.entries(files)))).toBe(mirror);
});
