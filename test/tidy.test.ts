// Style as a test: walls between the rooms, doors to the world, sizes, casts with reasons, diagrams that match the code.
import { describe, expect, test } from 'vitest';
import { settingsMarkdown } from '../src/config/describe-settings.ts';
import { leaseDiagram, linkDiagram, podDiagram } from '../src/machines/describe-machines.ts';
import {
  exportedSubjects, longFile, longFunctions, missingOpening, switchedTests, timeOperatorsOfRxjs, unexplainedCasts,
} from './tidy/habits.ts';
import { worldUses, wrongImports } from './tidy/rooms.ts';
import { checkout, parsed, textOf, typescriptFiles, writtenFiles } from './tidy/source-files.ts';

const names = writtenFiles();
const files = typescriptFiles(names);
const sources = files.filter(({ name }) => name.startsWith('src/'));
const tests = files.filter(({ name }) => name.startsWith('test/'));

describe('the rooms', () => {
  test('given every import, when rooms are compared, then none crosses a wall', () => {
    expect(sources.flatMap(wrongImports)).toEqual([]);
  });

  test('given rooms that have ports for it, when they are read, then none touches time, randomness or the process', () => {
    expect(sources.flatMap(worldUses)).toEqual([]);
  });

  test('given RxJS, when its imports are read, then there is no hidden clock and no exported Subject', () => {
    expect(sources.flatMap(timeOperatorsOfRxjs)).toEqual([]);
    expect(sources.flatMap(exportedSubjects)).toEqual([]);
  });
});

describe('the writing', () => {
  test('given every file, when it is measured, then files and functions keep their limits', () => {
    expect(files.flatMap(longFile)).toEqual([]);
    expect(files.flatMap(longFunctions)).toEqual([]);
  });

  test('given every source, when casts are looked for, then each says why it holds', () => {
    expect(sources.flatMap(unexplainedCasts)).toEqual([]);
  });

  test('given every file but suites, when its first line is read, then it says what it is for', () => {
    expect(files.filter(({ name }) => !name.endsWith('.test.ts')).flatMap(missingOpening)).toEqual([]);
  });

  test('given every test, when switches are looked for, then none is off and none runs alone', () => {
    expect(tests.flatMap(switchedTests)).toEqual([]);
  });

  test('given every text, when paths are looked for, then none is of one machine', () => {
    const ofOneMachine = /(^|[\s'"`(=:])\/(home|Users)\/[a-z]/im;
    const texts = names.filter((name) => /\.(ts|mjs|js|md|json|ya?ml|sh|txt|html)$/.test(name) || name.startsWith('bin/'));
    expect(texts.filter((name) => ofOneMachine.test(textOf(name)) || textOf(name).includes(`${checkout}/`))).toEqual([]);
  });
});

describe('the rules', () => {
  test.each([
    ['an actor that imports an adapter', wrongImports, 'src/actors/a.ts', "import { x } from '../adapters/x.ts';"],
    ['a machine that imports a library of its own', wrongImports, 'src/machines/a.ts', "import yaml from 'yaml';"],
    ['a port that imports the bus, even its types', wrongImports, 'src/ports/a.ts', "import type { BusPort } from '../bus/bus.ts';"],
    ['a file in no room', wrongImports, 'src/elsewhere/a.ts', ''],
    ['the time of day', worldUses, 'src/machines/a.ts', 'export const now = Date.now();'],
    ['a date of now', worldUses, 'src/actors/a.ts', 'export const now = new Date();'],
    ['a timer', worldUses, 'src/bus/a.ts', 'setTimeout(() => undefined, 1);'],
    ['chance', worldUses, 'src/actors/a.ts', 'export const chance = Math.random();'],
    ['the console', worldUses, 'src/agent.ts', "console.log('x');"],
    ['an operator with a clock', timeOperatorsOfRxjs, 'src/bus/a.ts', "import { debounceTime } from 'rxjs';"],
    ['an exported Subject', exportedSubjects, 'src/bus/a.ts', 'export const all = new Subject<number>();'],
    ['an unexplained cast', unexplainedCasts, 'src/bus/a.ts', 'export const x = y as number;'],
    ['an unexplained `!`', unexplainedCasts, 'src/bus/a.ts', 'export const x = y!;'],
    ['an unexplained `any`', unexplainedCasts, 'src/bus/a.ts', 'export let x: any;'],
    ['a test that runs alone', switchedTests, 'test/a.test.ts', "test.only('x', () => undefined);"],
    ['a long function', longFunctions, 'src/bus/a.ts', `function f() {${'\n'.repeat(80)}}`],
    ['a long file', longFile, 'src/bus/a.ts', `${'x;\n'.repeat(301)}`],
    ['no opening', missingOpening, 'src/bus/a.ts', 'export {};'],
  ] as const)('given %s, when it is read, then it is found', (_what, rule, name, text) => expect(rule(parsed(name, text))).toHaveLength(1));

  test.each([
    [worldUses, 'src/actors/a.ts', 'export const at = new Date(clock.nowMs()); clock.setTimeout(f, 1); type T = { process: string };'],
    [worldUses, 'src/adapters/a.ts', 'setTimeout(() => Date.now(), 1);'],
    [unexplainedCasts, 'src/bus/a.ts', '// It was checked above.\nexport const x = y as number;\nexport const z = [1] as const;'],
    [wrongImports, 'src/actors/a.ts', "import type { BusPort } from '../bus/bus.ts'; import { setup } from 'xstate';"],
  ] as const)('given what is allowed (%#), when it is read, then nothing is found', (rule, name, text) => expect(rule(parsed(name, text))).toEqual([]));
});

describe('the documents', () => {
  const lifecycle = textOf('docs/pod-lifecycle.md');

  test.each([['pod', podDiagram()], ['link', linkDiagram()], ['lease', leaseDiagram()]])(
    'given the %s machine, when its diagram is drawn, then the documents show the same', (_name, diagram) => expect(lifecycle).toContain(diagram.trim()),
  );

  test('given every machine, when the documents are written, then it is among those that are drawn', () => {
    const drawn = textOf('src/machines/describe-machines.ts');
    const machines = names.filter((name) => /^src\/machines\/[a-z-]+-machine\.ts$/.test(name)).map((name) => name.slice('src/machines'.length));
    expect(machines.filter((name) => !drawn.includes(`'.${name}'`))).toEqual([]);
  });

  test('given the table of settings, when it is described, then the documents show the same', () => {
    expect(textOf('docs/operating.md')).toContain(settingsMarkdown().trim());
  });
});
