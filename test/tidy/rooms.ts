// The rooms of the house: what each may import and which of the world's doors it may open. The table is the rule.
import path from 'node:path';
import ts from 'typescript';
import { nodesOf, placeOf, type SourceFile } from './source-files.ts';

interface Room {
  /** Beginnings of the names of its files, relative to `src`. */
  readonly places: readonly string[];
  /** Rooms it may import beside itself. */
  readonly rooms: readonly string[];
  /** Packages; `*` any. Those after `type:` only as types. */
  readonly packages: readonly string[];
  /** Whether it may touch time, randomness, the process and the machine directly. */
  readonly world: boolean;
}

const anyPackage = ['*'];

export const rooms: Readonly<Record<string, Room>> = {
  ports: { places: ['ports/'], rooms: [], packages: ['type:kubernetes-types'], world: false },
  machines: { places: ['machines/'], rooms: ['ports'], packages: ['xstate', 'node:crypto'], world: false },
  bus: { places: ['bus/'], rooms: ['ports'], packages: ['rxjs', 'yaml', 'node:crypto', 'node:zlib'], world: false },
  actors: { places: ['actors/'], rooms: ['bus', 'machines', 'ports'], packages: ['xstate', 'node:crypto'], world: false },
  adapters: { places: ['adapters/'], rooms: ['ports'], packages: anyPackage, world: true },
  version: { places: ['version.ts'], rooms: [], packages: [], world: false },
  config: { places: ['config/', 'config.ts'], rooms: ['ports'], packages: ['yaml'], world: false },
  agent: { places: ['agent.ts', 'agent/'], rooms: ['actors', 'bus', 'machines', 'ports'], packages: [], world: false },
  // The cloud side: its logic is a twin too, so it lives on ports; only its composition may open doors.
  bridge: { places: ['bridge/'], rooms: ['bus', 'ports', 'adapters', 'config'], packages: ['yaml', 'node:crypto', 'node:zlib', 'aedes', 'node:net', 'node:path'], world: false },
  // How a device becomes a node: its half of what docs/join.md says; the world is behind ports.
  join: { places: ['join/'], rooms: ['bus', 'ports'], packages: ['yaml'], world: false },
  // The embedded Kubernetes API: what is wanted of pods is judged with the words the node uses; the world is behind ports.
  'api-server': { places: ['api-server/'], rooms: ['bus', 'ports', 'machines', 'bridge'], packages: ['yaml', 'node:crypto'], world: false },
  // The page runs in a browser: it knows the protocol and the drawings, and nothing of the agent. What it computes stays testable without one.
  pageModel: { places: ['inspector/page/model/'], rooms: ['inspector', 'ports'], packages: [], world: false },
  page: { places: ['inspector/page/'], rooms: ['inspector', 'pageModel', 'ports'], packages: ['preact'], world: true },
  inspector: { places: ['inspector/'], rooms: ['bus', 'machines', 'ports'], packages: ['node:crypto', 'type:xstate'], world: false },
  // The cloud's way of merging patches tells what state a recorded patch led to.
  replay: { places: ['replay/'], rooms: ['bus', 'ports', 'adapters', 'agent', 'config', 'bridge'], packages: anyPackage, world: true },
  // What a doctor says is judged from facts alone, so that every fault of a machine can be written down as a test.
  doctor: { places: ['doctor/'], rooms: ['ports'], packages: [], world: false },
  // Another agent's words and files as ours; what it says is judged with the parts that would run it.
  migrate: { places: ['migrate/'], rooms: ['bus', 'config', 'machines', 'ports'], packages: ['yaml'], world: false },
  cli: { places: ['cli/'], rooms: ['migrate', 'api-server', 'ports', 'bus', 'adapters', 'config', 'bridge', 'daemon', 'demo', 'doctor', 'fleet', 'inspector', 'join', 'machines', 'replay', 'agent', 'version'], packages: anyPackage, world: true },
  demo: { places: ['demo/'], rooms: ['api-server', 'ports', 'bus', 'adapters', 'config', 'bridge', 'cli'], packages: anyPackage, world: true },
  // A fleet on one machine: whole agents on simulated machines, against a real broker and a bridge.
  fleet: { places: ['fleet/'], rooms: ['adapters', 'agent', 'bridge', 'bus', 'cli', 'demo', 'ports', 'version'], packages: anyPackage, world: true },
  daemon: {
    places: ['daemon.ts', 'daemon/'], rooms: ['actors', 'adapters', 'agent', 'bus', 'config', 'inspector', 'join', 'machines', 'ports', 'replay', 'version'],
    packages: ['node:crypto', 'node:path'], world: false,
  },
  main: { places: ['main'], rooms: ['*'], packages: anyPackage, world: true },
};

export function roomOf(name: string): string | undefined {
  const inside = name.replace(/^src\//, '');
  return Object.keys(rooms).find((room) => rooms[room]?.places.some((place) => inside === place || inside.startsWith(place.replace(/\.ts$/, '/')) || (place === 'main' && inside.startsWith('main'))));
}

interface Import {
  readonly node: ts.Node;
  readonly from: string;
  readonly typeOnly: boolean;
}

export function importsOf({ tree }: SourceFile): readonly Import[] {
  const found: Import[] = [];
  for (const node of nodesOf(tree)) {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({ node, from: node.moduleSpecifier.text, typeOnly: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({ node, from: node.moduleSpecifier.text, typeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && node.arguments[0] !== undefined && ts.isStringLiteral(node.arguments[0])) {
      found.push({ node, from: node.arguments[0].text, typeOnly: false });
    }
  }
  return found;
}

/** One line for each import that crosses a wall. */
export function wrongImports(file: SourceFile): readonly string[] {
  const name = roomOf(file.name);
  const room = name === undefined ? undefined : rooms[name];
  if (room === undefined) return [`${file.name}: stands in no room: add it to test/tidy/rooms.ts`];
  return importsOf(file).filter((one) => !mayImport(file.name, { name: name ?? '', room }, one))
    .map((one) => `${placeOf(file, one.node)}: ${name} must not import ${one.from}${one.typeOnly ? ' (even as a type)' : ''}`);
}

function mayImport(fileName: string, { name, room }: { readonly name: string; readonly room: Room }, { from, typeOnly }: Import): boolean {
  if (from.startsWith('.')) {
    const target = path.posix.normalize(`${path.posix.dirname(fileName)}/${from}`);
    if (!target.startsWith('src/')) return target === 'package.json' || (target.startsWith('proto/') && name === 'adapters');
    const other = roomOf(target);
    return other !== undefined && (other === name || room.rooms.includes('*') || room.rooms.includes(other));
  }
  const isOf = (allowed: string) => from === allowed || from.startsWith(`${allowed}/`);
  return room.packages.some((allowed) => allowed === '*' || (allowed.startsWith('type:') ? typeOnly && isOf(allowed.slice('type:'.length)) : isOf(allowed)));
}

const globals = new Set(['Date', 'performance', 'console', 'process', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'fetch', 'crypto']);

/** One line for each use of time, randomness or the process in a room that has ports for them. */
export function worldUses(file: SourceFile): readonly string[] {
  const name = roomOf(file.name);
  if (name === undefined || rooms[name]?.world !== false) return [];
  const found: string[] = [];
  for (const node of nodesOf(file.tree)) {
    if (!ts.isIdentifier(node)) continue;
    const what = worldName(node);
    if (what !== undefined) found.push(`${placeOf(file, node)}: ${what} belongs behind a port`);
  }
  return found;
}

function worldName(node: ts.Identifier): string | undefined {
  const { parent, text } = node;
  if (text === 'randomUUID' || text === 'randomBytes' || text === 'getRandomValues') return text;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return text === 'random' && parent.expression.getText() === 'Math' ? 'Math.random' : undefined;
  }
  if (!globals.has(text)) return undefined;
  // Members, parameters and types of that name are not the global.
  if (ts.isPropertyAssignment(parent) && parent.name === node) return undefined;
  if (ts.isMethodSignature(parent) || ts.isMethodDeclaration(parent) || ts.isPropertySignature(parent) || ts.isBindingElement(parent)) return undefined;
  // `new Date(value)` and `Date.parse(text)` compute; only the clock's reading is forbidden.
  if (text === 'Date') return readsTheClock(parent) ? 'the time of day' : undefined;
  return text;
}

function readsTheClock(parent: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(parent)) return parent.name.text === 'now';
  if (ts.isNewExpression(parent)) return (parent.arguments?.length ?? 0) === 0;
  return ts.isCallExpression(parent);
}
