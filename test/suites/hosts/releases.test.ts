import { testReleases } from "./play-releases";

// The two ends. The deep run adds those in between.
testReleases(["bullseye", "sid"]);
