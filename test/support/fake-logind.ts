// systemd's commands as scripts in a folder: busctl, systemd-inhibit and systemctl, with logind's state in files beside them.
import { appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface FakeLogind {
  /** For `commandPath`: the scripts first, then the machine's own commands. */
  readonly commandPath: string;
  /** For `systemRoot`: a machine on which systemd runs. */
  readonly root: string;
  prepare(goesDown: boolean): Promise<void>;
  /** The monitor ends. */
  lose(): Promise<void>;
  delays(): Promise<number>;
  remove(): Promise<void>;
}

const signal = (goesDown: boolean) => `{"type":"signal","endian":"l","flags":1,"version":1,"cookie":2,"sender":":1.4","path":"/org/freedesktop/login1","interface":"org.freedesktop.login1.Manager","member":"PrepareForShutdown","payload":{"type":"b","data":[${goesDown}]}}\n`;

const scripts = (state: string, root: string): Readonly<Record<string, string>> => ({
  busctl: `#!/bin/sh
case "$*" in
  *monitor*) echo $$ > ${state}/monitor; echo 'Monitoring bus message stream.' >&2; exec tail -n 0 -f ${state}/signals ;;
  *InhibitDelayMaxUSec) cat ${state}/delay ;;
  *PreparingForShutdown) cat ${state}/preparing ;;
esac
`,
  // The lock is a file as long as the command runs.
  'systemd-inhibit': `#!/bin/sh
while [ "\${1#--}" != "$1" ]; do shift; done
touch ${state}/locks/$$
trap 'rm -f ${state}/locks/$$' EXIT
"$@"
`,
  systemctl: `#!/bin/sh
case "$1" in
  kill) seconds=$(sed -n 's/^InhibitDelayMaxSec=//p' ${root}/etc/systemd/logind.conf.d/99-mqlet.conf); (sleep 0.2; echo "t \${seconds}000000" > ${state}/delay) & ;;
  is-system-running) echo running ;;
esac
`,
});

export async function fakeLogind(): Promise<FakeLogind> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mqlet-logind-'));
  const [root, state, commands] = ['root', 'state', 'commands'].map((name) => path.join(directory, name)) as [string, string, string]; // Three in, three out.
  for (const made of [`${root}/run/systemd/system`, `${state}/locks`, commands]) await mkdir(made, { recursive: true });
  await writeFile(`${state}/signals`, '');
  await writeFile(`${state}/delay`, 't 5000000\n');
  await writeFile(`${state}/preparing`, 'b false\n');
  for (const [name, text] of Object.entries(scripts(state, root))) {
    await writeFile(path.join(commands, name), text);
    await chmod(path.join(commands, name), 0o755);
  }
  return {
    commandPath: `${commands}:${process.env['PATH'] ?? ''}`,
    root,
    prepare: async (goesDown) => {
      await writeFile(`${state}/preparing`, `b ${goesDown}\n`);
      await appendFile(`${state}/signals`, signal(goesDown));
    },
    lose: async () => { process.kill(Number(await readFile(`${state}/monitor`, 'utf8'))); },
    delays: async () => (await readdir(`${state}/locks`)).length,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
