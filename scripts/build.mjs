// Bundles the sources into dist/: one CommonJS file for the agent, one for the other commands, one for each part they load later.
// The inspector's page goes to dist/inspector/. A dynamic import of a source file is a file boundary: what is imported so becomes a bundle of its own, loaded when it is reached.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildFacts } from './build-facts.mjs';
import { runMain, ScriptFailure, step } from './progress.mjs';
import { billOfMaterials, licenceTexts, npmComponents, npmDependencies, packagesIn } from './sbom.mjs';
import { home, setUp } from './setup.mjs';

const sources = path.join(home, 'src');
const output = path.join(home, 'dist');
/** Bundles are made here and moved when all are there: whoever runs the old ones is not left without. */
const workshop = path.join(home, 'build', `dist-${process.pid}`);
/** The browser page: built for browsers, and no part of any bundle of ours. */
const pageSources = path.join(sources, 'inspector', 'page');
const stampName = 'build.json';
/** Beside the bundles: what they are made of, and the licences of that. */
const sbomName = 'sbom.cdx.json';
const licencesName = 'THIRD-PARTY-LICENSES.txt';

/** Entry points, and the bundles' names. The rest is found by following dynamic imports. */
const entries = [
  { file: 'main.ts', name: 'agent', agent: true },
  { file: 'cli/main.ts', name: 'cli', agent: false },
];

/** Modules of our dependencies that we never call, and what stands in for them: memory and start-up time of the daemon. */
const stubs = new Map([
  ['ws', 'module.exports = class WebSocket {}; module.exports.createWebSocketStream = () => undefined;'],
  ['socks', 'module.exports = {};'],
  ['worker-timers', 'module.exports = { setInterval, clearInterval, setTimeout, clearTimeout };'],
  ['debug', 'const off = () => { const log = () => undefined; log.enabled = false; log.extend = off; return log; }; module.exports = off; off.enable = () => undefined; off.disable = () => ""; off.enabled = () => false;'],
  ['readable-stream', 'module.exports = require("node:stream");'],
  ['thread-stream', 'module.exports = class ThreadStream { constructor() { throw new Error("log transports are not part of the bundle"); } };'],
]);
/** Others do call these. */
const notForMqtt = new Set(['ws', 'socks']);
/** proto-loader describes every message in protobuf's own terms, for reflection that nobody asks for: 1.5 MiB and 20 ms at start. */
const noDescriptors = `
const protobuf = require('protobufjs');
const nothing = { $type: { toObject: () => ({}) } };
protobuf.Root.prototype.toDescriptor = () => ({ file: [] });
for (const kind of [protobuf.Type, protobuf.Enum]) kind.prototype.toDescriptor = () => nothing;
module.exports = { FileDescriptorProto: {}, FileDescriptorSet: {} };`;
const noGoogleTypes = 'module.exports = { nested: { google: { nested: { protobuf: { nested: {} } } } } };';
const rxjsModules = path.join(home, 'node_modules', 'rxjs', 'dist', 'esm', 'index.js');
const noTransport = 'module.exports = () => { throw new Error("log transports are not part of the bundle"); };';
/** The agent is a gRPC client only. */
const noServer = `
class Absent { constructor() { throw new Error("the gRPC server is not part of this bundle"); } }
module.exports = new Proxy({ __esModule: true }, { get: (target, name) => (name in target ? target[name] : Absent) });`;

function stubPlugin({ agent }) {
  return {
    name: 'stubs',
    setup(build) {
      build.onResolve({ filter: /^(ws|socks|worker-timers|debug|readable-stream|thread-stream)$/ }, ({ path: name, importer }) => {
        // The inspector's server speaks WebSocket, and the Kubernetes client through proxies; the MQTT client does neither.
        if (notForMqtt.has(name) && !/[\\/]node_modules[\\/]mqtt[\\/]/.test(importer)) return undefined;
        return { path: name, namespace: 'stub', pluginData: stubs.get(name) };
      });
      build.onResolve({ filter: /^rxjs$/ }, () => ({ path: rxjsModules, sideEffects: false }));
      build.onResolve({ filter: /(^|\/)transport(\.js)?$/ }, ({ importer }) => (/[\\/]pino[\\/]/.test(importer) ? { path: 'pino-transport', namespace: 'stub', pluginData: noTransport } : undefined));
      build.onResolve({ filter: /^protobufjs\/ext\/descriptor$/ }, () => ({ path: 'protobufjs-descriptor', namespace: 'stub', pluginData: noDescriptors }));
      build.onResolve({ filter: /^protobufjs\/google\/protobuf\/.*\.json$/ }, ({ path: name }) => ({ path: name, namespace: 'stub', pluginData: noGoogleTypes }));
      if (agent) {
        build.onResolve({ filter: /^\.\/(server|server-interceptors|orca)$/ }, ({ importer, path: name }) =>
          /@grpc[\\/]grpc-js[\\/]build/.test(importer) ? { path: `grpc-${name.slice(2)}`, namespace: 'stub', pluginData: noServer } : undefined);
      }
      build.onLoad({ filter: /.*/, namespace: 'stub' }, ({ pluginData }) => ({ contents: pluginData, loader: 'js', resolveDir: home }));
    },
  };
}

/** Turns dynamic imports of our sources into requires of their own bundles, and reports them. */
function boundaryPlugin(found) {
  return {
    name: 'boundaries',
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ kind, path: imported, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined;
        const file = path.relative(sources, path.resolve(resolveDir, imported));
        found.push(file);
        return { path: `./${bundleName(file)}.cjs`, external: true };
      });
    },
  };
}

/** `demo/demo.ts` → `demo`, `cli/get-pods.ts` → `cli-get-pods`. */
function bundleName(file) {
  const parts = file.replace(/\.ts$/, '').split(path.sep);
  return parts.filter((part, index) => part !== parts[index - 1]).join('-');
}

async function bundle(esbuild, { file, name, agent }, facts) {
  const found = [];
  const result = await esbuild.build({
    entryPoints: [path.join(sources, file)],
    outfile: path.join(workshop, `${name}.cjs`),
    absWorkingDir: home,
    bundle: true,
    platform: 'node',
    // On Node 22 and newer an ES module that imports node:http loads the whole of undici; CommonJS does not.
    format: 'cjs',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    loader: { '.html': 'text', '.css': 'text' },
    define: { 'process.env.NODE_ENV': '"production"', mqletBuild: JSON.stringify(facts) },
    supported: { 'dynamic-import': false },
    plugins: [stubPlugin({ agent }), boundaryPlugin(found)],
    logLevel: 'silent',
    metafile: true,
  }).catch((error) => {
    throw new ScriptFailure(esbuild.formatMessagesSync(error.errors ?? [], { kind: 'error' }).join('\n') || String(error));
  });
  return { found, inputs: Object.keys(result.metafile.inputs).length, packages: packagesIn(result.metafile) };
}

/** The inspector's page: three files that need nothing from elsewhere, so that its server may forbid everything else. */
async function bundlePage(esbuild) {
  const folder = path.join(workshop, 'inspector');
  const result = await esbuild.build({
    entryPoints: [{ in: path.join(pageSources, 'main.tsx'), out: 'page' }, { in: path.join(pageSources, 'style', 'page.css'), out: 'page' }],
    outdir: folder,
    absWorkingDir: home,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: ['chrome109', 'firefox115', 'safari16.4'],
    minify: true,
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
    metafile: true,
  }).catch((error) => {
    throw new ScriptFailure(esbuild.formatMessagesSync(error.errors ?? [], { kind: 'error' }).join('\n') || String(error));
  });
  copyFileSync(path.join(pageSources, 'index.html'), path.join(folder, 'index.html'));
  const bytes = ['page.js', 'page.css', 'index.html'].map((name) => readFileSync(path.join(folder, name)));
  return {
    file: 'src/inspector/page/main.tsx',
    bytes: bytes.reduce((sum, { length }) => sum + length, 0),
    gzipBytes: bytes.reduce((sum, one) => sum + gzipSync(one, { level: 9 }).length, 0),
    modules: Object.keys(result.metafile.inputs).length,
    packages: packagesIn(result.metafile),
  };
}

/** Builds everything. @returns sizes of the bundles in bytes, by name */
export async function build() {
  const esbuild = await import('esbuild');
  rmSync(workshop, { recursive: true, force: true });
  mkdirSync(workshop, { recursive: true });
  // The agent's own copy of a part is made with the agent's stubs, so the agent comes first.
  const waiting = [...entries];
  const done = new Map();
  const packages = new Map();
  const facts = buildFacts();
  const { version: _version, ...told } = facts;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (done.has(next.name)) continue;
    const { found, inputs, packages: used } = await bundle(esbuild, next, { ...told, bundler: `esbuild ${esbuild.version}` });
    packages.set(`${next.name}.cjs`, used);
    const bytes = readFileSync(path.join(workshop, `${next.name}.cjs`));
    done.set(next.name, { file: `src/${next.file}`, bytes: bytes.length, gzipBytes: gzipSync(bytes, { level: 9 }).length, modules: inputs });
    // Only the agent itself does without the gRPC server: a part may be loaded by both.
    for (const file of found) waiting.push({ file, name: bundleName(file), agent: false });
  }
  const { packages: ofPage, ...page } = await bundlePage(esbuild);
  packages.set('inspector/page.js', ofPage);
  done.set('inspector/page', page);
  writeMaterials(facts, packages);
  const sizes = Object.fromEntries(done);
  writeFileSync(path.join(workshop, stampName), `${JSON.stringify({ ...facts, bundler: `esbuild ${esbuild.version}`, bundles: sizes }, null, 2)}\n`);
  replaceOutput();
  return sizes;
}

/** @param {Map<string, Set<string>>} packages folders of npm packages by the bundle that has code of them */
function writeMaterials(facts, packages) {
  const lock = JSON.parse(readFileSync(path.join(home, 'package-lock.json'), 'utf8'));
  const folders = new Set([...packages.values()].flatMap((set) => [...set]));
  const parts = { facts, components: npmComponents(lock, packages), dependencies: npmDependencies(lock, folders) };
  writeFileSync(path.join(workshop, sbomName), billOfMaterials(parts));
  writeFileSync(path.join(workshop, licencesName), licenceTexts(home, lock, folders));
}

function replaceOutput() {
  const former = `${workshop}-former`;
  if (existsSync(output)) renameSync(output, former);
  renameSync(workshop, output);
  rmSync(former, { recursive: true, force: true });
}

/** Whether anything that goes into the bundles is newer than they are. */
export function isStale() {
  const stampFile = path.join(output, stampName);
  if (!existsSync(stampFile)) return true;
  const builtMs = statSync(stampFile).mtimeMs;
  const inputs = ['src', 'proto', 'scripts/build.mjs', 'package-lock.json', 'package.json'].map((name) => path.join(home, name));
  return inputs.some((input) => newestMs(input) > builtMs);
}

/** A directory's own time tells of removed files. */
function newestMs(file) {
  const { mtimeMs } = statSync(file);
  if (!statSync(file).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(file).map((name) => newestMs(path.join(file, name))));
}

/** One step with its line; does nothing when the bundles are newer than their sources. */
export async function buildIfStale() {
  if (!isStale()) return;
  await step('bundles', async () => {
    const sizes = await build();
    return Object.entries(sizes).map(([name, { bytes }]) => `${name} ${Math.round(bytes / 1000)} kB`).join(', ');
  });
}

async function main() {
  await setUp({ system: 'no' });
  const sizes = await build();
  console.log('bundle                   kB   gzip kB   modules');
  for (const [name, { bytes, gzipBytes, modules }] of Object.entries(sizes)) {
    console.log(`${(name.includes('/') ? name : `${name}.cjs`).padEnd(20)} ${(bytes / 1000).toFixed(1).padStart(6)} ${(gzipBytes / 1000).toFixed(1).padStart(9)} ${String(modules).padStart(9)}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(main);
