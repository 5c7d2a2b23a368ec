/** Set-up can't go on. The message is one line: what is missing or wrong, and how to mend it. */
export class SetupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SetupError';
  }
}
