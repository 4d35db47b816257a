/** The part of `vscode.LogOutputChannel` that we use. Never log tokens, or text that users or models wrote. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
