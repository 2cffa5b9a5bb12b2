import { quoteSaid } from "./quote-said.js";

/** What sudo and sudo-rs print in the C locale, and what it means for a login without a terminal. */
const reasons: readonly { readonly says: RegExp; readonly why: string }[] = [
  {
    says: /must have a tty|no tty present/,
    why: "sudo needs a terminal: switch requiretty off for this user (`Defaults:USER !requiretty` in sudoers)",
  },
  {
    says: /is not in the sudoers file|not allowed to (execute|run)|may not run sudo|I'm afraid I can't do that/,
    why: "sudo does not allow this user to run `sh`: see the host's sudoers",
  },
  {
    says: /account validation failure|account (has )?expired|account is locked/i,
    why: "sudo says that this user's account is not valid: it may be locked or have expired",
  },
  {
    says: /password (has )?expired|password change required|new password required/i,
    why: "sudo says that this user's password has expired: log in once by hand",
  },
  {
    says: /incorrect (password|authentication)|try again|no password was provided|Authentication fail/i,
    why: "sudo did not take the password. It was tried once. Check connection.sudoPassword",
  },
];

/** Whether sudo refused only because it needs a password. It was told not to ask for one (`-n`). */
export function wantsPassword(said: string): boolean {
  return said.trim() === "" || (/password|authentication/i.test(said) && findReason(said) === undefined);
}

/** Says why sudo refused, before any password was sent. */
export function explainSudo(said: string): string {
  return findReason(said) ?? `sudo did not let this user run \`sh\`${quoteSaid(said)}`;
}

/** Says why sudo refused after a password was sent. Its output could hold the password, so it is never quoted. */
export function explainPasswordRefusal(said: string): string {
  const unknown =
    "sudo did not let this user run `sh` with the password. It was tried once. Its message is not shown, because it " +
    "could hold the password: run `sudo sh` there by hand to see them";
  return findReason(said) ?? unknown;
}

/**
 * Says why doas refused, where there is no sudo. doas is never sent a password: it takes one from a terminal only
 * (doas(1)).
 */
export function explainDoas(said: string): string {
  const why = /authentication required|a tty is required/i.test(said)
    ? "doas asks for a password, and reads it only from a terminal, so none can be given: let this user run `sh` " +
      "without one (`permit nopass USER as root cmd sh` in doas.conf)"
    : `doas did not let this user run \`sh\`${quoteSaid(said)}`;
  return `there is no sudo there, and ${why}`;
}

function findReason(said: string): string | undefined {
  return reasons.find(({ says }) => says.test(said))?.why;
}
