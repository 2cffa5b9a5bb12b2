import * as pulumi from "@pulumi/pulumi";
import { KnockGate, KnockgateError, lintPolicy, parsePolicy, randomSequence } from "knockgate";
import show from "./shared.cjs";

void [KnockgateError, lintPolicy, parsePolicy];
await show({ KnockGate, randomSequence }, pulumi, (name) => import(name));
