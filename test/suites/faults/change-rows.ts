import {
  acceptBeforeOurs,
  acceptWithinOurs,
  beforeConfirmAnswers,
  cut,
  cutFor,
  enterOther,
  inTurn,
  kill,
  loseStep,
  otherUps,
  redirectPastOurs,
} from "./acts";
import { endSessions, killSessionGroups, slowConfirm, takeAway, takeAwayFor } from "./host-acts";
import { type Row, undoneOnce, unnamedStep } from "./row";

const on = "namespace";
const promisedUndo = "the error promised an undo, though the host may have confirmed the change";
const mayHaveConfirmed =
  /if it has confirmed the new ruleset, it keeps that and opens only for the new knock; else the host's own timer/;
const from = "update";

const deployers: readonly Row[] = [
  {
    id: "two-deployers-second-refused",
    done: "two deployers, one host, one policy: the second tries while the first is between arm and load",
    on,
    from,
    // A second engine must start and be refused meanwhile, on a machine that is busy with other rows.
    armedSeconds: 240,
    before: enterOther,
    within: { after: "arm", act: otherUps(/\[CHANGE_PENDING\]/) },
    ends: "new",
  },
  {
    id: "two-deployers-second-between-look-and-stage",
    done: "two deployers: the second makes its whole change after the first has looked at the host",
    on,
    from,
    before: enterOther,
    within: { after: "connect", act: otherUps("well") },
    ends: "new",
    isDeep: true,
  },
  {
    id: "two-deployers-second-between-stage-and-arm",
    done: "two deployers: the second makes its whole change after the first has staged its own",
    on,
    from,
    before: enterOther,
    within: { after: "stage", act: otherUps("well") },
    ends: "new",
    up: { at: "arm", code: "HOST_FAILED", state: "untouched", why: /is not staged/ },
    knownTo: "second deployer's state",
    isDeep: true,
  },
];

const proofs: readonly Row[] = [
  {
    id: "new-knock-does-not-open",
    done: "the ruleset loads, but a step of the new knock gets lost on its way",
    on,
    from,
    before: loseStep,
    ends: "old",
    // All tries of the proof fail, and on a busy machine they take longer than 15 s.
    armedSeconds: 60,
    up: {
      at: "prove",
      code: "NOT_CONFIRMED",
      state: ["undone", "undoneByItself"],
      why: /did not reach the gate|[Dd]oes a step get lost/,
    },
    mended: [unnamedStep],
  },
  {
    id: "opens-without-a-knock-iptables",
    done: "backend iptables: after load somebody's rule before ours accepts everybody",
    on,
    from,
    backend: "iptables",
    within: { after: "load", act: acceptBeforeOurs },
    ends: "old",
    up: { at: "prove", code: "NOT_CONFIRMED", state: "undone", why: /answers before the knock \(open\)/ },
    mended: [unnamedStep],
    isDeep: true,
  },
  {
    id: "opens-without-a-knock-nftables",
    done: "backend nftables: after load somebody puts an accept into our own table",
    on,
    from,
    within: { after: "load", act: acceptWithinOurs },
    ends: "old",
    up: { at: "prove", code: "NOT_CONFIRMED", state: "undone", why: /answers before the knock \(open\)/ },
    isDeep: true,
    mended: [unnamedStep],
  },
  {
    id: "opens-without-a-knock-nat",
    done: "after load somebody's NAT redirects port 22 to another one, where SSH listens, too",
    on,
    from,
    within: { after: "load", act: redirectPastOurs },
    ends: "old",
    up: { at: "prove", code: "NOT_CONFIRMED", state: "undone", why: /answers before the knock \(open\)/ },
    isDeep: true,
    mended: [unnamedStep],
  },
  {
    id: "opens-without-a-knock-at-another-address",
    done: "a host with two addresses, reached by IPv6: after load somebody's NAT redirects port 22 of the IPv4 address to another one, where SSH listens, too",
    on,
    from,
    by: "name",
    within: { after: "load", act: redirectPastOurs },
    ends: "old",
    up: {
      at: "prove",
      code: "NOT_CONFIRMED",
      state: "undone",
      why: /answers at 10\.\S+ before the knock \(open\)/,
    },
    mended: ["one of the host's addresses was tried, and the other one called closed"],
  },
];

const confirms: readonly Row[] = [
  {
    id: "confirm-answer-lost-for-a-while",
    done: "the host confirms, its answer is lost, and the network is back after 20 s",
    on,
    from,
    within: { after: "prove", act: beforeConfirmAnswers(cutFor(20)) },
    ends: "new",
    mended: [
      "the deployer gave up asking just before the network was back, and the state kept the old knock",
    ],
    isDeep: true,
  },
  {
    id: "timer-meets-confirm",
    done: "the host confirms, and its disk is so slow that the timer's time is over before that counts",
    on,
    from,
    within: { after: "prove", act: slowConfirm(20) },
    ends: "new",
  },
  {
    id: "confirm-answer-lost",
    done: "the host confirms, its answer is lost, and the network stays cut until `up` has given up",
    on,
    from,
    within: { after: "prove", act: beforeConfirmAnswers(cut) },
    ends: "new",
    up: { at: "confirm", code: "NOT_CONFIRMED", state: "timer", why: mayHaveConfirmed },
    mended: [unnamedStep, promisedUndo],
  },
  {
    id: "confirm-answer-lost-first",
    done: "first change: the host confirms, its answer is lost, and the network stays cut until `up` has given up",
    on,
    from: "first",
    within: { after: "prove", act: beforeConfirmAnswers(cut) },
    ends: "new",
    up: { at: "confirm", code: "NOT_CONFIRMED", state: "timer", why: mayHaveConfirmed },
    isDeep: true,
    mended: [unnamedStep, promisedUndo],
  },
];

const timers: readonly Row[] = [
  {
    id: "timer-outlives-session",
    done: "no systemd: after load the deployer and all processes of its SSH sessions are killed",
    on,
    from,
    within: { after: "load", act: inTurn(endSessions, kill) },
    ends: "old",
    up: "killed",
  },
  {
    id: "timer-outlives-control-group",
    done: "systemd: after load the deployer and the control groups of its SSH sessions are killed",
    on: "booted",
    from,
    within: { after: "load", act: inTurn(killSessionGroups, kill) },
    ends: "old",
    up: "killed",
  },
  {
    id: "no-systemd-run",
    done: "systemd without systemd-run: after load the deployer and the control groups of its SSH sessions are killed",
    on: "booted",
    from,
    before: takeAway("systemd-run"),
    within: { after: "load", act: inTurn(killSessionGroups, kill) },
    ends: "old",
    up: "killed",
    mended: ["the change failed, because no other timer was tried where systemd runs"],
    isDeep: true,
  },
];

const undoing: readonly Row[] = [
  {
    id: "undo-fails-at-first",
    done: "no systemd: after load the deployer is killed and nft can't be run for 25 s, so that the timer's first undo fails",
    on,
    from,
    within: { after: "load", act: inTurn(takeAwayFor("nft", 25), kill) },
    ends: "old",
    up: "killed",
    mended: [undoneOnce],
  },
  {
    id: "undo-fails-at-first-systemd",
    done: "systemd: after load the deployer is killed and nft can't be run for 25 s, so that the timer's first undo fails",
    on: "booted",
    from,
    within: { after: "load", act: inTurn(takeAwayFor("nft", 25), kill) },
    ends: "old",
    up: "killed",
    isDeep: true,
    mended: [undoneOnce],
  },
];

/** Faults of the change itself: its timer, its proof, its confirmation, and other deployers. */
export const changeFaults: readonly Row[] = [...timers, ...undoing, ...deployers, ...proofs, ...confirms];
