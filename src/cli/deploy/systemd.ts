// The few words that installing has with systemd.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Refusal } from '../refusal.ts';

/** As sd_booted(3) has it. */
export function systemdRuns(): boolean {
  return existsSync('/run/systemd/system');
}

/** @throws Refusal with systemctl's own words */
export function systemctl(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('systemctl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Refusal(`systemctl ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
