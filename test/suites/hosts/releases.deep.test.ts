import { testReleases } from "./play-releases";

testReleases(["systemd", "trixie"]);
