import * as pulumi from "@pulumi/pulumi";

/**
 * Names a component's place in its program. The name is the same in each run, and different in each other program,
 * stack and organization.
 *
 * @param part distinguishes several places in one component
 */
export function nameOrigin(component: pulumi.ComponentResource, part?: string): Promise<string> {
  // A promise, because a resource that uses an output of the component would depend on all of the component's children.
  return new Promise((resolve) => {
    component.urn.apply((urn) =>
      resolve([nameOrganization(), urn, ...(part === undefined ? [] : [part])].join("/")),
    );
  });
}

/**
 * Two organizations may have a stack of the same name. Under Pulumi's mocks there may be no organization, and the SDK
 * throws.
 */
function nameOrganization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "";
  }
}
