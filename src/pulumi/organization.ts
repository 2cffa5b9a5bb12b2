import * as pulumi from "@pulumi/pulumi";

/** Two organizations may have a stack of the same name. A program under Pulumi's mocks may have none, which throws. */
export function nameOrganization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "";
  }
}
