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

/** Two organizations may have a stack of the same name. A program under Pulumi's mocks may have none, which throws. */
function nameOrganization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "";
  }
}
