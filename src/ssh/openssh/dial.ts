import { isIPv6 } from "node:net";
import { KnockgateError } from "../../errors.js";
import { findAddresses } from "../addresses.js";
import { readPinnedKey } from "../keys/host-key.js";
import { readKeyFile } from "../keys/private-key.js";
import type { ResolvedLogin } from "../resolve.js";
import type { Addresses, SshTransport } from "../transport.js";
import { type OpensshClient, type OpensshLogin, openOpenssh } from "./client.js";
import { explainCarrier } from "./failure.js";

/** Logs in by this machine's ssh(1), as ssh_config(5) says. */
export const openssh: SshTransport<OpensshClient> = async (login, field) => {
  const { hostKey, ignoreHostKey } = login;
  const own: OpensshLogin = {
    login,
    key: await readKeyFile(login, field),
    pinned: hostKey === undefined || ignoreHostKey ? undefined : readPinnedKey(hostKey, `${field}.hostKey`),
    keySource: hostKey === undefined ? "known_hosts" : `${field}.hostKey`,
  };
  return {
    login,
    findAddresses: () => findFirstAddresses(login),
    dial: (address, name, timeoutMs) => {
      const family = isIPv6(address) ? "inet6" : "inet";
      return openOpenssh(own, { family }, name, timeoutMs);
    },
    dialHost: (name, timeoutMs) => openOpenssh(own, {}, name, timeoutMs),
    dialThrough: async (carrier, address, name, timeoutMs) => {
      const proxyCommand = carrier.carry(address, login.port);
      return openOpenssh(own, { proxyCommand }, name, timeoutMs).catch((error: unknown) => {
        throw explainCarrier(carrier.name, carrier.readLog(), address, login.port) ?? error;
      });
    },
  };
};

/**
 * ssh dials by name, so that all of ssh_config and known_hosts fits. Of a name with several addresses of one family it
 * tries the first one first.
 */
async function findFirstAddresses({ host, settings }: ResolvedLogin): Promise<Addresses> {
  const found = await findAddresses(settings?.hostName ?? host).catch((error: unknown) => {
    if (!settings?.hasProxyCommand) throw error;
    throw new KnockgateError(
      "UNREACHABLE",
      `${host}: its name has no address here. ssh_config(5) has a ProxyCommand for it, and where that leads is not ` +
        "known: a knock could not be sent. Use ProxyJump, or set connection.proxy",
      { cause: error },
    );
  });
  const family = settings?.family ?? "any";
  const fitting = found.filter((address) => family === "any" || (family === "inet6") === isIPv6(address));
  if (fitting.length === 0) {
    const message = `${host}: its name has no address of the AddressFamily that ssh_config(5) has for it`;
    throw new KnockgateError("UNREACHABLE", message);
  }
  const firsts = [false, true].flatMap((is6) => fitting.find((address) => isIPv6(address) === is6) ?? []);
  return {
    addresses: fitting.filter((address) => firsts.includes(address)),
    cutOff: fitting
      .filter((address) => !firsts.includes(address))
      .map((address) => ({ address, why: "ssh dials the first address of each family" })),
  };
}
