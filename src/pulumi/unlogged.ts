import { RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb.js";

/**
 * Keeps what the engine answers to a registration out of its log. Pulumi's Node SDK puts the whole answer, with all
 * outputs and no regard to secrets, into a message for `--debug`, which also reaches the engine's log from -v=3 on
 * (registerResource in its runtime/resource.js, 3.248). An answer is turned into text for that message alone.
 */
export function keepAnswersUnlogged(): void {
  RegisterResourceResponse.prototype.toString = () => "[not logged: it may hold secrets]";
}
