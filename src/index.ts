export type { Counts, GateCounts } from "./backends/backend.js";
export { type LintFinding, lintPolicy } from "./check/lint.js";
export type { KnockCommands } from "./client/knock-commands.js";
export type { Profile, ProfileGate } from "./client/profile.js";
export type { Login, Way } from "./client/way.js";
export { type ErrorCode, KnockgateError } from "./errors.js";
export type { Packet, PacketKind } from "./model/packet.js";
export { explainCounters } from "./plan/explain-counts.js";
export type { HostOutcome, HostResult, WaveSummary } from "./plan/wave-summary.js";
export type { Finding } from "./policy/finding.js";
export { type PolicyReading, parsePolicy } from "./policy/parse.js";
export type { Policy, PolicyInput } from "./policy/policy.js";
export {
  randomSequence,
  type SequenceOptions,
  type SequenceStep,
  type StepKind,
} from "./policy/random-sequence.js";
export type {
  ConnectionArgs,
  ExpectationArgs,
  ExpectedPacketArgs,
  GateArgs,
  KnockArgs,
  KnockGateArgs,
  LimitsArgs,
  LogArgs,
  PolicyArgs,
  ProtectArgs,
  ProxyConnectionArgs,
  StepArgs,
} from "./pulumi/args.js";
export type { FleetHostArgs, KnockFleetArgs, RolloutArgs, WaveArgs } from "./pulumi/fleet-args.js";
export type { GatedHost, GateKnock } from "./pulumi/gated-host.js";
export type { GuardedCommand, GuardedCommandArgs } from "./pulumi/guarded-command.js";
export { KnockFleet } from "./pulumi/knock-fleet.js";
export { KnockGate } from "./pulumi/knock-gate.js";
export type { CapturedPacket, PacketReading } from "./simulate/captured-packet.js";
export type { Reason } from "./simulate/cause.js";
export { explainLogLines } from "./simulate/explain-log.js";
export { formatSimulation } from "./simulate/format-simulation.js";
export { type LogEvent, type LogReading, parseLogLines } from "./simulate/log-lines.js";
export { formatPackets, parsePackets } from "./simulate/packet-text.js";
export { parsePcap } from "./simulate/pcap.js";
export {
  type Simulation,
  type SimulationOptions,
  simulatePackets,
  type TraceLine,
} from "./simulate/simulate.js";
export type { GateVerdict } from "./simulate/verdict.js";
