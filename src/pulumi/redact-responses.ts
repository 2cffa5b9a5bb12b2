import { RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb.js";

/**
 * Keeps the engine's answers to registrations out of its log. Pulumi's Node SDK puts each whole answer, with all
 * outputs, secret or not, into a message for `--debug`, which also reaches the engine's log from -v=3 on
 * (registerResource in its runtime/resource.js, 3.248). The SDK turns an answer into text only for that message.
 */
export function keepAnswersUnlogged(): void {
  RegisterResourceResponse.prototype.toString = () => "[not logged: it may hold secrets]";
}
