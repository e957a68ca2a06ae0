// What the build leaves in dist/: nothing of development, nothing that is looked for elsewhere, and a bill of materials that says so.
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildMqlet, mqlet } from '../support/daemon-process.ts';

const checkout = path.resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(path.join(checkout, name), 'utf8');

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly unknown[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

/** Libraries try these and do without. */
const optional = ['encoding', 'bufferutil', 'utf-8-validate'];

describe('what is built', () => {
  beforeAll(buildMqlet, 60_000);

  it('given every bundle, when what it requires is read, then all of it is of Node.js or beside it', () => {
    const own = readdirSync(path.join(checkout, 'dist')).filter((name) => name.endsWith('.cjs'));
    const foreign = own.flatMap((name) => [...read(`dist/${name}`).matchAll(/\brequire\("([^"]+)"\)/g)].map(([, wanted = '']) => wanted))
      .filter((wanted) => !optional.includes(wanted) && !builtinModules.includes(wanted.replace(/^node:/, '')) && !(wanted.startsWith('./') && own.includes(wanted.slice(2))));
    expect(foreign).toEqual([]);
  });

  it('given the bill of materials, when it is read, then every npm package in it is one of the lock file, with licence and digest, and none is of development alone', () => {
    // Both files are ours.
    const { bomFormat, specVersion, components, dependencies, metadata } = JSON.parse(read('dist/sbom.cdx.json')) as {
      bomFormat: string; specVersion: string; components: Component[]; dependencies: { ref: string; dependsOn: string[] }[]; metadata: { component: { version: string } };
    };
    const lock = JSON.parse(read('package-lock.json')) as { version: string; packages: Record<string, { version?: string; dev?: boolean }> };
    expect({ bomFormat, specVersion, version: metadata.component.version }).toEqual({ bomFormat: 'CycloneDX', specVersion: '1.5', version: lock.version });
    expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['@grpc/grpc-js', 'mqtt', 'pino', 'rxjs', 'xstate', 'yaml']));
    expect(components.filter(({ licenses, hashes }) => licenses === undefined || !/^[0-9a-f]{128}$/.test(hashes?.[0]?.content ?? ''))).toEqual([]);
    const locked = new Map(Object.entries(lock.packages).map(([folder, facts]) => [`${folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${facts.version}`, facts]));
    // The page's own library is bundled and not installed.
    const development = components.filter(({ name, version }) => locked.get(`${name}@${version}`)?.dev !== undefined).map(({ name }) => name);
    expect(development).toEqual(['preact']);
    const refs = new Set(components.map((component) => component['bom-ref']));
    expect(dependencies.slice(1).flatMap(({ dependsOn }) => dependsOn).filter((ref) => !refs.has(ref))).toEqual([]);
  });

  it('given the licences, when they are read, then each package of the bill is there', () => {
    const { components } = JSON.parse(read('dist/sbom.cdx.json')) as { components: Component[] };
    const licences = read('dist/THIRD-PARTY-LICENSES.txt');
    expect(components.filter(({ name, version }) => !licences.includes(`\n${name} ${version}\n`))).toEqual([]);
  });

  it('given the command, when it is asked for its version, then it says what it was built from and what it runs on', async () => {
    const { stdout, code } = await mqlet(['version', '-o', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      version: `v${(JSON.parse(read('package.json')) as { version: string }).version}`,
      build: { commit: expect.stringMatching(/^([0-9a-f]{40})?$/), modified: expect.any(Boolean), committedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), bundler: expect.stringMatching(/^esbuild \d/) },
      runtime: { node: process.version, v8: process.versions.v8, openssl: process.versions.openssl, platform: `linux/${process.arch}` },
    });
    expect((await mqlet(['--version'])).stdout).toMatch(/^mqlet v\d+\.\d+\.\d+\n/);
  });
});
