import type { Policy } from "../../../../src/policy/policy";
import type { HostRow } from "../row";
import { dockers } from "./docker";
import type { Engine } from "./engine";
import { libvirt } from "./libvirt";
import { podman, rootlessPodman } from "./podman";

export const engines: readonly Engine[] = [...dockers, podman, rootlessPodman, libvirt];

/** The acts of one engine on a host with a gate of one backend, in the order in which they are played. */
export function listActs(engine: Engine): readonly { readonly id: string; readonly act: string }[] {
  const { name, scope } = engine;
  return [
    ...(scope === "prerouting" ? [{ id: "input", act: "gate with scope `input`, by mistake" }] : []),
    { id: "made", act: `gate made while ${name} runs (scope \`${scope}\`)` },
    ...engine.acts,
    { id: "reboot-before", act: `reboot, ${name} enabled before the gate` },
    { id: "removed", act: "gate removed" },
    { id: "start", act: `start of ${name} after the gate` },
    { id: "reboot-after", act: `reboot, ${name} enabled after the gate` },
  ];
}

export function makeRow(
  engine: Engine,
  backend: Policy["backend"],
  { id, act }: { readonly id: string; readonly act: string },
): HostRow {
  return {
    id: `${engine.id}-${backend}-${id}`,
    section: "Other firewalls and container engines",
    on: `Debian 12 with ${engine.on}, ${backend}`,
    act,
  };
}

export const containerRows: readonly HostRow[] = engines.flatMap((engine) =>
  engine.backends.flatMap((backend) => listActs(engine).map((act) => makeRow(engine, backend, act))),
);
