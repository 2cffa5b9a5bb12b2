import type { AnyAuthMethod, AuthHandlerMiddleware, ParsedKey } from "ssh2";
import { KnockgateError } from "../../errors.js";
import { fingerprintKey } from "../keys/host-key.js";
import type { ResolvedLogin } from "../resolve.js";

/** The ways to log in to one machine, tried in order, and their results. */
export interface LoginAttempt {
  readonly next: AuthHandlerMiddleware;
  /** Notes an agent's error, for the message of `refuse`. Another way may still work. */
  blameAgent(why: string): void;
  /** Makes the error that says that the machine accepted none of the ways. */
  refuse(name: string, cause: unknown): KnockgateError;
}

interface AuthMethod {
  /** Its name in messages; never the secret itself. */
  readonly words: string;
  /** RFC 4252's name of the method. */
  readonly method: "publickey" | "password" | "keyboard-interactive";
  readonly auth: AnyAuthMethod;
}

/**
 * Plans the same ways to log in as @pulumi/command: the private key before the password, and the password also answers
 * keyboard-interactive prompts. The agent of SSH_AUTH_SOCK comes last when the arguments name none: some machines hang
 * up after a few wrong keys, and must see the given key and password before that.
 */
export function planLogin(login: ResolvedLogin, key: ParsedKey | undefined, field: string): LoginAttempt {
  const ways = listWays(login, key, field);
  const waiting = new Set(ways);
  const refused: string[] = [];
  let offered: readonly string[] | undefined;
  let agentFault = "";
  return {
    next: (methods, _isPartial, answer) => {
      // The server lists its methods only in its answer to the first try, for which "none" is meant (RFC 4252, 5.2). Where
      // a key is all that was given, the key is that try, and saves a round trip.
      const isSure = methods === null && key !== undefined && login.password === undefined;
      if (methods === null && !isSure) return answer({ type: "none", username: login.user });
      offered = methods ?? undefined;
      const way = isSure ? ways[0] : [...waiting].find(({ method }) => methods?.includes(method));
      // `false` ends the login; the types leave it out.
      if (way === undefined) return answer(false as unknown as AnyAuthMethod);
      waiting.delete(way);
      refused.push(way.words);
      return answer(way.auth);
    },
    blameAgent: (why) => {
      agentFault = ` The agent could not be asked: ${why}.`;
    },
    refuse: (name, cause) => {
      const took = offered === undefined ? "" : ` It takes ${offered.join(", ") || "nothing"}.`;
      const tried =
        ways.length === 0
          ? ` Neither a key, a password nor an agent was given: set ${field}.privateKey, .password or .agentSocketPath, or start an agent.`
          : ` Tried: ${refused.join(", ") || "nothing, because none of these was given"}.`;
      const hint = offered?.includes("publickey")
        ? " If it trusts only certificates: those need the transport `openssh`."
        : "";
      const message = `${name}: it accepted none of the ways to log in.${took}${tried}${agentFault}${hint} Check user, privateKey, password and agent.`;
      return new KnockgateError("LOGIN_REFUSED", message, { cause });
    },
  };
}

function listWays(login: ResolvedLogin, key: ParsedKey | undefined, field: string): readonly AuthMethod[] {
  const { user: username, password, agentSocketPath } = login;
  const ambient = process.env["SSH_AUTH_SOCK"];
  const agentWay = (agent: string, words: string): AuthMethod => {
    return { words, method: "publickey", auth: { type: "agent", username, agent } };
  };
  const answerAll = (prompts: readonly unknown[]) => prompts.map(() => password ?? "");
  return [
    ...(key === undefined
      ? []
      : [
          {
            words: `${field}.privateKey (${key.type} ${fingerprintKey(key.getPublicSSH())})`,
            method: "publickey",
            auth: { type: "publickey", username, key },
          } satisfies AuthMethod,
        ]),
    ...(agentSocketPath ? [agentWay(agentSocketPath, `the keys of ${field}.agentSocketPath`)] : []),
    ...(password === undefined
      ? []
      : [
          {
            words: `${field}.password`,
            method: "password",
            auth: { type: "password", username, password },
          } satisfies AuthMethod,
          {
            words: `${field}.password (interactively)`,
            method: "keyboard-interactive",
            auth: {
              type: "keyboard-interactive",
              username,
              prompt: (_name, _instructions, _language, prompts, finish) => finish(answerAll(prompts)),
            },
          } satisfies AuthMethod,
        ]),
    ...(agentSocketPath === undefined && ambient ? [agentWay(ambient, "the keys of SSH_AUTH_SOCK")] : []),
  ];
}
