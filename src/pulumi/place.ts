import type * as pulumi from "@pulumi/pulumi";

/** What the SDK's resources know of themselves from their constructor on, and its own types do not say. */
interface Placed {
  readonly __pulumiType?: string;
  readonly __name?: string;
  readonly __parentResource?: Placed;
}

const stackType = "pulumi:pulumi:Stack";

/**
 * Names a component's place in its program as the end of its URN does: by the types of all that it stands in, and its
 * name. The engine takes no second resource of that place, and it is the same in each run. A URN comes too late for
 * what needs a name at once.
 */
export function namePlace(component: pulumi.ComponentResource): string {
  const own = component as unknown as Placed;
  const types: string[] = [];
  for (let one: Placed | undefined = own; one !== undefined; one = one.__parentResource) {
    if (one.__pulumiType && one.__pulumiType !== stackType) types.unshift(one.__pulumiType);
  }
  return `${types.join("$")}::${own.__name ?? ""}`;
}
