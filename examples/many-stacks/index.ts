import * as pulumi from "@pulumi/pulumi";
import { declareFleet } from "./fleet";

// The program of one stack, for `pulumi up --stack web-1`.
export const { sshConfig, profiles } = declareFleet(pulumi.getStack());
