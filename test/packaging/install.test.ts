// mqlet install and uninstall into a directory that stands for a machine: what is where, what stays, and what is refused.
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/demo/child-process.ts';
import { buildMqlet, mqlet } from '../support/daemon-process.ts';

describe('mqlet install', () => {
  let root = '';
  const at = (name: string): string => path.join(root, name);
  beforeAll(buildMqlet, 60_000);
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'mqlet-install-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('given a bare machine, when it is installed, then program, unit and settings are in place, and the program runs', async () => {
    expect(await mqlet(['install', '--root', root])).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(at('etc/systemd/system')).sort()).toEqual(['mqlet.service', 'mqlet.slice']);
    const unit = readFileSync(at('etc/systemd/system/mqlet.service'), 'utf8');
    expect(unit).toMatch(/^ExecStart=\/usr\/local\/bin\/mqlet run --config \/etc\/mqlet\/config\.yaml \$MQLET_FLAGS$/m);
    expect(unit).not.toMatch(/^(Protect|Private|ReadOnly|Inaccessible|Mount|Root)/m);
    expect(readlinkSync(at('usr/local/lib/mqlet/runtime/bin/node'))).toBe(process.execPath);
    expect((lstatSync(at('etc/mqlet/pki')).mode & 0o777).toString(8)).toBe('700');
    expect(readdirSync(at('usr/local/lib/mqlet/dist')).filter((name) => name.endsWith('.map'))).toEqual([]);
    expect(await runCommand(at('usr/local/bin/mqlet'), ['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^mqlet v/) });
  });

  it('given settings of an administrator, when it is installed again and taken away, then they stay until they are purged', async () => {
    await mqlet(['install', '--root', root]);
    writeFileSync(at('etc/mqlet/config.yaml'), 'kind: KubeletConfiguration # mine\n');
    expect(await mqlet(['install', '--root', root])).toMatchObject({ code: 0, stdout: expect.stringContaining('as they were') });
    expect(readFileSync(at('etc/mqlet/config.yaml'), 'utf8')).toContain('# mine');
    expect(readdirSync(at('usr/local/lib'))).toEqual(['mqlet']);

    expect(await mqlet(['uninstall', '--root', root])).toMatchObject({ code: 0, stderr: '' });
    expect(['usr/local/lib/mqlet', 'usr/local/bin/mqlet', 'etc/systemd/system/mqlet.service'].filter((name) => existsSync(at(name)))).toEqual([]);
    expect(existsSync(at('etc/mqlet/config.yaml'))).toBe(true);
    await mqlet(['install', '--root', root]);
    expect((await mqlet(['uninstall', '--root', root, '--purge'])).code).toBe(0);
    expect([existsSync(at('etc/mqlet')), existsSync(at('etc/default/mqlet'))]).toEqual([false, false]);
  });

  it('given a user whose files are for nobody else, when it is installed, then everybody may run the program', async () => {
    const launcher = path.resolve(import.meta.dirname, '../../bin/mqlet');
    expect(await runCommand('sh', ['-c', 'umask 077; exec "$@"', 'sh', launcher, 'install', '--root', root])).toMatchObject({ code: 0 });
    const modes = ['usr', 'usr/local/lib/mqlet', 'usr/local/bin', 'etc/systemd/system'].map((name) => (lstatSync(at(name)).mode & 0o777).toString(8));
    expect(modes).toEqual(['755', '755', '755', '755']);
  });

  it.each([
    [['install', '--prefix', 'here'], 2, /^mqlet install: --prefix must be an absolute path\n$/],
    [['install', '--start'], 2, /^mqlet install: Unknown option '--start'.*see mqlet install --help\)\n$/],
    [['uninstall', '--pods', 'kill'], 2, /^mqlet uninstall: --pods must be stop or leave, not "kill"\n$/],
    [['uninstall', '--prefix', '/nowhere'], 1, /^mqlet uninstall: there is no mqlet in \/nowhere\/lib\/mqlet; .*apt-get purge mqlet/],
    [['reset', '--grace-period', 'long'], 2, /^mqlet reset: --grace-period must be whole seconds, not "long"\n$/],
    [['reset', '--nonsense'], 2, /^mqlet reset: --nonsense is not a flag of mqlet run/],
    [['install-cni'], 1, /^mqlet install-cni: this installation brings no CNI plugins: /],
  ])('given %j, when it is said, then it is refused in one line', async (words, code, said) => {
    expect(await mqlet(words)).toEqual({ code, stdout: '', stderr: expect.stringMatching(said) });
  });
});
