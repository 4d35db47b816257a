/** The part of `vscode.LogOutputChannel` in use. What users and models wrote is never logged, nor is a token. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
