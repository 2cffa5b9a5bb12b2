import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import * as engineRpc from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

const executable = join(__dirname, "..", "..", "..", "pulumi-resource-knockgate");
const credentials = grpc.credentials.createInsecure();

interface LoggedLine {
  readonly urn: string;
  readonly message: string;
}

export interface RunningPlugin {
  readonly client: ResourceProviderClient;
  /** The plugin's log, for users and for debugging. */
  readonly log: readonly LoggedLine[];
  /** All output of the process except its port, line by line. */
  readonly printed: readonly string[];
  stop(): Promise<void>;
}

/** Starts the built plugin as an engine does, with an engine that takes its log. */
export async function startPlugin(
  command: readonly [string, ...string[]] = [executable],
): Promise<RunningPlugin> {
  const log: LoggedLine[] = [];
  const printed: string[] = [];
  const engine = await serve(engineRpc.EngineService, {
    log: (call: { request: LogRequest }, answer: grpc.sendUnaryData<Empty>) => {
      log.push({ urn: call.request.getUrn(), message: call.request.getMessage() });
      answer(null, new Empty());
    },
  });
  const [program, ...args] = command;
  const plugin = spawn(program, [...args, engine.address], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<string>((resolve) => {
    plugin.once("error", (error) => resolve(error.message));
    plugin.once("close", (code, signal) => resolve(`${code ?? signal}: ${printed.join("\n")}`));
  });
  createInterface(plugin.stderr).on("line", (line) => printed.push(line));
  const port = await new Promise<string>((resolve, reject) => {
    const lines = createInterface(plugin.stdout);
    lines.once("line", (line) => {
      lines.on("line", (more) => printed.push(more));
      resolve(line);
    });
    void ended.then((how) => reject(new Error(`the plugin ended before it printed a port: ${how}`)));
  });
  if (!/^\d+$/.test(port)) throw new Error(`the plugin's first line is no port: ${port}`);
  const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials);
  return {
    client,
    log,
    printed,
    stop: async () => {
      client.close();
      plugin.kill();
      await ended;
      engine.stop();
    },
  };
}

type Answer<Response> = (error: grpc.ServiceError | null, response: Response) => void;

/** Sends a request to the plugin. Returns the answer as a promise. */
export function ask<Request, Response>(
  send: (request: Request, answer: Answer<Response>) => unknown,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    send(request, (error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

export interface Served {
  readonly address: string;
  stop(): void;
}

/** Serves some methods of a service on a port of this machine. */
export async function serve(
  service: grpc.ServiceDefinition,
  methods: grpc.UntypedServiceImplementation,
): Promise<Served> {
  const server = new grpc.Server();
  server.addService(service, methods);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
