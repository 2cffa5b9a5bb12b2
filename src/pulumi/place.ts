import type * as pulumi from "@pulumi/pulumi";

/** Fields that the SDK's resources have from their constructor on, and that its types leave out. */
interface Placed {
  readonly __pulumiType?: string;
  readonly __name?: string;
  readonly __parentResource?: Placed;
}

const stackType = "pulumi:pulumi:Stack";

/**
 * Names a component's place in its program as the end of its URN does: the types of its parents, its own type, and its
 * name. The engine allows only one resource in a place, and the place is the same in each run. A URN resolves too late
 * for code that needs a name at once.
 */
export function namePlace(component: pulumi.ComponentResource): string {
  const own = component as unknown as Placed;
  const types: string[] = [];
  for (let one: Placed | undefined = own; one !== undefined; one = one.__parentResource) {
    if (one.__pulumiType && one.__pulumiType !== stackType) types.unshift(one.__pulumiType);
  }
  return `${types.join("$")}::${own.__name ?? ""}`;
}
