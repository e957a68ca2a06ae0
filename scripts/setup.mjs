// Makes a fresh machine able to build, test and run the demo: Node's version, npm packages, Debian packages.
// Installs only what is missing, starts no service, and says what is missing where it may not install.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, runMain, ScriptFailure, step } from './progress.mjs';

export const home = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const nodeOldest = [20, 10];
const cniDirectories = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

/** What must be found, and the Debian package that brings it. */
const needs = [
  { what: 'containerd', packageName: 'containerd', found: () => onPath('containerd') && onPath('ctr') },
  { what: 'runc', packageName: 'runc', found: () => onPath('runc') },
  {
    what: `CNI plugins (bridge, host-local, portmap, loopback in one of ${cniDirectories.join(', ')})`,
    packageName: 'containernetworking-plugins',
    found: () => cniDirectories.some((directory) => ['bridge', 'host-local', 'portmap', 'loopback'].every((plugin) => existsSync(path.join(directory, plugin)))),
  },
  { what: 'a static busybox', packageName: 'busybox-static', found: () => existsSync('/bin/busybox') || existsSync('/usr/bin/busybox') },
  { what: 'catatonit', packageName: 'catatonit', found: () => onPath('catatonit') },
  { what: 'mosquitto', packageName: 'mosquitto', found: () => onPath('mosquitto') },
  { what: 'iptables', packageName: 'iptables', found: () => onPath('iptables') },
  { what: 'ip', packageName: 'iproute2', found: () => onPath('ip') },
];

/** What only tests use. */
const testNeeds = [
  { what: 'docker-registry', packageName: 'docker-registry', found: () => existsSync('/usr/bin/docker-registry') },
  { what: 'chromium', packageName: 'chromium', found: () => onPath('chromium') },
  { what: 'systemd-notify', packageName: 'systemd', found: () => onPath('systemd-notify') },
  { what: 'zstd', packageName: 'zstd', found: () => onPath('zstd') },
  { what: 'openssl', packageName: 'openssl', found: () => onPath('openssl') },
  { what: 'kubectl', packageName: 'kubernetes-client', found: () => onPath('kubectl') },
];

/** Units that Debian's packages would start and enable; they stay as they were. */
const units = { containerd: 'containerd.service', mosquitto: 'mosquitto.service', 'docker-registry': 'docker-registry.service' };

/**
 * @param {{system: 'required' | 'wanted' | 'no'}} options `required`: fail when a system package is missing and cannot be installed;
 *   `wanted`: warn and go on (tests that need it then say why they skip); `no`: npm packages only
 * @param {boolean} options.tests what only tests use is wanted too
 */
export async function setUp({ system, tests = false }) {
  checkNode();
  await installNpmPackages();
  if (system !== 'no') await installSystemPackages({ required: system === 'required', wanted: tests ? [...needs, ...testNeeds] : needs });
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = nodeOldest;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new ScriptFailure(`Node.js ${nodeOldest.join('.')} or newer is needed, this is ${process.versions.node}.`);
}

async function installNpmPackages() {
  const installed = path.join(home, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(path.join(home, 'package-lock.json')).mtimeMs) return;
  await step('npm packages', async () => {
    const { code, output } = await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], { quiet: true, directory: home });
    if (code !== 0) throw new ScriptFailure(`npm ci failed:\n${output.trimEnd()}`);
    return 'installed';
  });
}

async function installSystemPackages({ required, wanted }) {
  const missing = wanted.filter((need) => !need.found());
  if (missing.length === 0) return;
  const names = missing.map((need) => need.packageName);
  const reason = await cannotInstall();
  if (reason !== undefined) {
    const lines = [
      `Missing on this machine: ${missing.map((need) => need.what).join(', ')}.`,
      reason === 'no apt-get'
        ? `There is no apt-get here: install them with your system's package manager (Debian calls the packages ${names.join(', ')}).`
        : `Run as root, or first: sudo apt-get install --no-install-recommends ${names.join(' ')}`,
    ];
    if (required) throw new ScriptFailure(lines.join('\n'));
    console.log(lines.join('\n'));
    return;
  }
  await step(`system packages (${names.join(' ')})`, async () => {
    await withoutServices(names, () => aptInstall(names));
    return 'installed; their services were not started';
  });
}

async function cannotInstall() {
  if (!onPath('apt-get')) return 'no apt-get';
  return process.getuid() === 0 ? undefined : 'not root';
}

/** The package lists of a fresh machine may be absent or old: fetch them only when the install fails without. */
async function aptInstall(names) {
  const apt = (...args) => run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
    quiet: true,
    // RUNLEVEL=1 keeps invoke-rc.d from starting services where there is no systemd.
    environment: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', NEEDRESTART_MODE: 'l' },
  });
  const install = () => apt('install', '--yes', '--no-install-recommends', ...names);
  let installed = await install();
  if (installed.code !== 0) {
    const updated = await apt('update');
    installed = await install();
    if (installed.code !== 0) throw new ScriptFailure(`apt-get update:\n${updated.output.trimEnd()}\napt-get install failed:\n${installed.output.trimEnd()}`);
  }
}

/** With systemd, a unit masked for the moment of the install is not started; disabled afterwards, it is not started at boot either. */
async function withoutServices(names, install) {
  const masked = existsSync('/run/systemd/system') ? names.flatMap((name) => units[name] ?? []) : [];
  if (masked.length > 0) await run('systemctl', ['mask', '--runtime', '--quiet', ...masked], { quiet: true });
  try {
    await install();
  } finally {
    if (masked.length > 0) {
      await run('systemctl', ['unmask', '--runtime', '--quiet', ...masked], { quiet: true });
      await run('systemctl', ['disable', '--quiet', ...masked], { quiet: true });
    }
  }
}

function onPath(program) {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return directories.some((directory) => existsSync(path.join(directory, program)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(() => setUp({ system: 'required' }));
