import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { HealthCheck } from "../../change/health.js";
import type { WrittenPolicy } from "../../policy/written-policy.js";

/**
 * What inputs and state keep in one secret property. A secret costs some 120 bytes besides its text, so all secrets
 * stand in one, with all else that nobody needs to see in a preview.
 */
export interface Sealed {
  readonly connection?: unknown;
  readonly policy?: WrittenPolicy;
  readonly proveFrom?: unknown;
  readonly behind?: unknown;
  readonly hopProfiles?: unknown;
  readonly undoAfterSeconds?: number;
  readonly adopt?: boolean;
  readonly deleteUnreachable?: boolean;
  readonly health?: HealthCheck;
  readonly recordFailure?: boolean;
  readonly keepFormer?: boolean;
  readonly origin?: string;
  readonly redactionKey?: string;
  readonly digest?: string;
  readonly obstacles?: readonly string[];
  readonly former?: readonly WrittenPolicy[];
  /** The redacted ruleset, if it is not that of the policy. */
  readonly ruleset?: string;
  /** Of inputs: what `digestHidden` makes of the arguments that the inputs do not have. */
  readonly hidden?: string;
}

/** Texts that most sealed properties have. Never change it: a state that was made with it could not be read any more. */
const dictionary = Buffer.from(
  [
    '"proxy":{"host":"","perDialTimeout":15,"dialErrorLimit":10,"sudoPassword":"","password":"","transport":"openssh",',
    '"agentSocketPath":"","ignoreHostKey":true,"icmpEcho":true,"icmpPayloadBytes":77,"udpPayloadBytes":,"deployAs":"',
    '"log":{"events":["opened","accepted","dropped","reset"],"prefix":"knockgate","perMinute":30},"from":["',
    '"knock":{"token":{"udp":62201}},"users":[{"name":"ada","key":"","gates":["ssh"]}],"afterSeconds":,"isOpen":false',
    '{"ruleset":"","obstacles":[],"adopt":true,"deleteUnreachable":true,"keepFormer":true,"proveFrom":{"behind":[',
    '"health":{"command":"","timeoutSeconds":30},"hostKey":"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI',
    'bmlzdHAyNTYAAABB","hostKey":"ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB","privateKey":"-----BEGIN OPENSSH PRIVATE KEY-----',
    "\\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACB\\n",
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABA",
    '\\n-----END OPENSSH PRIVATE KEY-----\\n","privateKeyPassword":"","port":22,"user":"root"},"connection":{"host":"',
    '","hostKey":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI","policy":{"name":"edge","gates":[{"name":"ssh","protect":',
    '[{"tcp":"22"}],"knock":{"steps":[{"tcp":7000},{"udp":8000},{"tcp":9000}],"stepTimeoutSeconds":5,"strict":true},',
    '"openForSeconds":30,"singleConnection":false}],"users":[],"tokens":{"slotSeconds":60,"horizonDays":7,',
    '"graceSeconds":120},"allowFrom":[],"denyFrom":[],"backend":"nftables","scope":"input","stealth":false,',
    '"limits":{"sources":65536,"firstStepsPerSecond":20},"acceptRisks":[],"expect":[]},"undoAfterSeconds":60,',
    '"recordFailure":true,"origin":"organization/urn:pulumi:prod::infra::knockgate:index:KnockFleet::',
    'knockgate:index:KnockGate::","digest":"","obstacles":[],"former":[],"redactionKey":"","hidden":"',
  ].join(""),
);

/** Hex digits, which are stored as base64. */
const hexNames = ["redactionKey", "digest", "hidden"] as const;

/** Makes one short text, which is as secret as what is in it. */
export function seal(sealed: Sealed): string {
  const text = JSON.stringify({ ...sealed, ...mapHex(sealed, "hex", "base64") });
  return format + deflateRawSync(text, { dictionary, level: 9 }).toString("base64");
}

/** Reads what `seal` wrote. Returns `undefined` for anything else. */
export function unseal(text: unknown): Sealed | undefined {
  if (typeof text !== "string" || !text.startsWith(format)) return undefined;
  try {
    const bytes = Buffer.from(text.slice(format.length), "base64");
    const sealed: Sealed = JSON.parse(inflateRawSync(bytes, { dictionary }).toString());
    return { ...sealed, ...mapHex(sealed, "base64", "hex") };
  } catch {
    return undefined;
  }
}

function mapHex(sealed: Sealed, from: "hex" | "base64", to: "hex" | "base64"): Sealed {
  const set = hexNames.flatMap((name) => {
    const text = sealed[name];
    return text === undefined ? [] : [[name, Buffer.from(text, from).toString(to)]];
  });
  return Object.fromEntries(set);
}

/** Another dictionary would be another format. */
const format = "1:";
