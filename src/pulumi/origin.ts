import * as pulumi from "@pulumi/pulumi";

/**
 * Names a place in a program: the same in each run, and another in any other program, stack and organization.
 *
 * @param part what tells it from others in the same component
 */
export function nameOrigin(component: pulumi.ComponentResource, part?: string): Promise<string> {
  // An output of the component would make whoever has it depend on all of the component's children.
  return new Promise((resolve) => {
    component.urn.apply((urn) =>
      resolve([nameOrganization(), urn, ...(part === undefined ? [] : [part])].join("/")),
    );
  });
}

/** The name of the resource that an origin stands for, in its program: of a host of a fleet `FLEET-HOST`. */
export function nameResource(origin: unknown): string | undefined {
  const [, , types, ...rest] = `${origin ?? ""}`.split("::");
  if (types === undefined || rest.length === 0) return undefined;
  const name = rest.join("::");
  return types.endsWith(":KnockFleet") ? name.replace(/\/([^/]*)$/, "-$1") : name;
}

/** Two organizations may have a stack of the same name. A program under Pulumi's mocks may have none, which throws. */
function nameOrganization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "";
  }
}
