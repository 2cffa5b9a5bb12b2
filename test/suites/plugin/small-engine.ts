import type * as grpc from "@grpc/grpc-js";
import type { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import * as resourceRpc from "@pulumi/pulumi/proto/resource_grpc_pb";
import * as resources from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { ask, type Served, serve } from "./running-plugin";

/** Properties as they travel between processes: secrets are marked. */
export type Wire = Record<string, unknown>;

interface Registration {
  readonly type: string;
  readonly custom: boolean;
  readonly version: string;
  readonly inputs: Wire;
  readonly secretOutputs: readonly string[];
}

interface Answer {
  readonly id: string;
  readonly state: Wire;
}

/** The part of an engine that a plugin's Construct and its resource's operations use. */
export class SmallEngine {
  readonly registrations: Registration[] = [];
  readonly #plugin: ResourceProviderClient;
  #monitor: Served | undefined;

  constructor(plugin: ResourceProviderClient) {
    this.#plugin = plugin;
  }

  async start(): Promise<void> {
    this.#monitor = await serve(resourceRpc.ResourceMonitorService, {
      supportsFeature: (asked: Asked<resources.SupportsFeatureRequest>, answer: Reply) => {
        const known = ["secrets", "resourceReferences", "outputValues"].includes(asked.request.getId());
        answer(null, new resources.SupportsFeatureResponse().setHassupport(known));
      },
      registerResource: (asked: Asked<resources.RegisterResourceRequest>, answer: Reply) => {
        this.#register(asked.request).then(
          (response) => answer(null, response),
          (error: grpc.ServiceError) => answer(error),
        );
      },
      registerResourceOutputs: (_asked: unknown, answer: Reply) => answer(null, new Empty()),
    });
  }

  stop(): void {
    this.#monitor?.stop();
  }

  async #register(request: resources.RegisterResourceRequest): Promise<resources.RegisterResourceResponse> {
    const inputs = read(request.getObject());
    this.registrations.push({
      type: request.getType(),
      custom: request.getCustom(),
      version: request.getVersion(),
      inputs,
      secretOutputs: request.getAdditionalsecretoutputsList(),
    });
    const parent = request.getParent().split("::")[2];
    const type = parent === undefined ? request.getType() : `${parent}$${request.getType()}`;
    const urn = `urn:pulumi:lab::knockgate-lab::${type}::${request.getName()}`;
    const response = new resources.RegisterResourceResponse().setUrn(urn);
    if (!request.getCustom()) return response;
    const { id, state } = await this.create(urn, await this.check(urn, {}, inputs));
    return response.setId(id).setObject(write(state));
  }

  async construct(type: string, name: string, inputs: Wire): Promise<{ urn: string; state: Wire }> {
    const request = new messages.ConstructRequest()
      .setProject("knockgate-lab")
      .setStack("lab")
      .setOrganization("organization")
      .setParallel(4)
      .setMonitorendpoint(this.#monitor?.address ?? "")
      .setType(type)
      .setName(name)
      .setInputs(write(inputs))
      .setAcceptsOutputValues(true);
    const response = await ask<messages.ConstructRequest, messages.ConstructResponse>(
      (...asked) => this.#plugin.construct(...asked),
      request,
    );
    return { urn: response.getUrn(), state: read(response.getState()) };
  }

  /** Throws the plugin's check failures. */
  async check(urn: string, olds: Wire, news: Wire): Promise<Wire> {
    const request = new messages.CheckRequest().setUrn(urn).setOlds(write(olds)).setNews(write(news));
    const response = await ask<messages.CheckRequest, messages.CheckResponse>(
      (...asked) => this.#plugin.check(...asked),
      request,
    );
    const failures = response.getFailuresList().map((one) => `${one.getProperty()}: ${one.getReason()}`);
    if (failures.length > 0) throw new Error(failures.join("\n"));
    return read(response.getInputs());
  }

  async diff(id: string, urn: string, olds: Wire, news: Wire): Promise<messages.DiffResponse.AsObject> {
    const request = new messages.DiffRequest()
      .setId(id)
      .setUrn(urn)
      .setOlds(write(olds))
      .setNews(write(news));
    return (
      await ask<messages.DiffRequest, messages.DiffResponse>(
        (...asked) => this.#plugin.diff(...asked),
        request,
      )
    ).toObject();
  }

  async create(urn: string, inputs: Wire): Promise<Answer> {
    const request = new messages.CreateRequest().setUrn(urn).setProperties(write(inputs));
    const response = await ask<messages.CreateRequest, messages.CreateResponse>(
      (...asked) => this.#plugin.create(...asked),
      request,
    );
    return { id: response.getId(), state: read(response.getProperties()) };
  }

  async read(id: string, urn: string, state: Wire): Promise<Answer & { readonly inputs: Wire }> {
    const request = new messages.ReadRequest().setId(id).setUrn(urn).setProperties(write(state));
    const response = await ask<messages.ReadRequest, messages.ReadResponse>(
      (...asked) => this.#plugin.read(...asked),
      request,
    );
    return {
      id: response.getId(),
      state: read(response.getProperties()),
      inputs: read(response.getInputs()),
    };
  }

  async update(id: string, urn: string, olds: Wire, news: Wire): Promise<Wire> {
    const request = new messages.UpdateRequest().setId(id).setUrn(urn);
    const response = await ask<messages.UpdateRequest, messages.UpdateResponse>(
      (...asked) => this.#plugin.update(...asked),
      request.setOlds(write(olds)).setNews(write(news)),
    );
    return read(response.getProperties());
  }

  async delete(id: string, urn: string, state: Wire): Promise<void> {
    const request = new messages.DeleteRequest().setId(id).setUrn(urn).setProperties(write(state));
    await ask<messages.DeleteRequest, Empty>((...asked) => this.#plugin.delete(...asked), request);
  }
}

interface Asked<Request> {
  readonly request: Request;
}
type Reply = (error: Partial<grpc.ServiceError> | null, response?: unknown) => void;

/** The form of a secret between processes (specialSigKey and specialSecretSig in @pulumi/pulumi's runtime/rpc). */
export function secret(value: unknown): Wire {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

function write(properties: Wire): Struct {
  return Struct.fromJavaScript(properties as Parameters<typeof Struct.fromJavaScript>[0]);
}

function read(properties: Struct | undefined): Wire {
  return properties?.toJavaScript() ?? {};
}
