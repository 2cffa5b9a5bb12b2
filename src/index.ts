export type { CapturedPacket, PacketReading } from "./diagnose/capture/captured-packet.js";
export { formatPackets, parsePackets } from "./diagnose/capture/packet-text.js";
export { parsePcap } from "./diagnose/capture/pcap.js";
export type { Reason } from "./diagnose/cause.js";
export { explainCounters } from "./diagnose/explain-counts.js";
export { formatSimulation } from "./diagnose/format-simulation.js";
export { explainLogLines } from "./diagnose/log/explain-log.js";
export { type LogEvent, type LogReading, parseLogLines } from "./diagnose/log/log-lines.js";
export {
  type Simulation,
  type SimulationOptions,
  simulatePackets,
  type TraceLine,
} from "./diagnose/simulate.js";
export type { GateVerdict } from "./diagnose/verdict.js";
export { type ErrorCode, KnockgateError } from "./errors.js";
export type { KnockCommands } from "./knock/clients/knock-commands.js";
export type { Profile, ProfileGate } from "./knock/clients/profile.js";
export type { SshEndpoint, SshLogin } from "./knock/clients/ssh-endpoint.js";
export { type LintFinding, lintPolicy } from "./lint/lint.js";
export type { Packet, PacketKind } from "./model/packet.js";
export type { Counts, GateCounts, UserCounts } from "./policy/counts.js";
export type { Finding } from "./policy/finding.js";
export { type PolicyReading, parsePolicy } from "./policy/parse.js";
export type { Policy, PolicyInput } from "./policy/policy.js";
export {
  randomSequence,
  type SequenceOptions,
  type SequenceStep,
  type StepKind,
} from "./policy/random-sequence.js";
export { type KeyOwner, type TokenPurpose, tokenOf, userKey } from "./policy/token.js";
export type { FleetHostArgs, KnockFleetArgs, RolloutArgs, WaveArgs } from "./pulumi/fleet/args.js";
export { KnockFleet } from "./pulumi/fleet/knock-fleet.js";
export type { HostOutcome, HostResult, WaveSummary } from "./pulumi/fleet/wave-summary.js";
export type {
  ExpectationArgs,
  ExpectedPacketArgs,
  GateArgs,
  KnockArgs,
  KnockGateArgs,
  LimitsArgs,
  LogArgs,
  PolicyArgs,
  ProtectArgs,
  StepArgs,
  TokenArgs,
  TokenSettingsArgs,
  UserArgs,
} from "./pulumi/gate/args.js";
export type { ConnectionArgs, ProxyConnectionArgs } from "./pulumi/gate/connection-args.js";
export type { GatedHost, GateKnock } from "./pulumi/gate/gated-host.js";
export type { GuardedCommand, GuardedCommandArgs } from "./pulumi/gate/guarded-command.js";
export { KnockGate } from "./pulumi/gate/knock-gate.js";
