/** What stops the setup: what happened, and what the reader can do about it. */
export class SetupFailure extends Error {
  /**
   * @param {string} message
   * @param {string[]} remedies one line each, a command where there is one
   */
  constructor(message, remedies) {
    super(message);
    this.name = "SetupFailure";
    this.remedies = remedies;
  }
}
