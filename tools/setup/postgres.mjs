import { installDebianPackages } from "./debian.mjs";

/** Installs Debian's PostgreSQL server, stopped: a measurement starts one of its own. */
export async function installPostgres() {
  await installDebianPackages({ postgresql: ["pg_ctlcluster"] });
}
