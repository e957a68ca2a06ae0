// Structured log lines. `event` is a fixed, event-like name; everything variable is a field.

export type LogFields = Readonly<Record<string, unknown>>;

export interface LogPort {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
