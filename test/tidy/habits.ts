// Habits of writing that a machine can check: sizes, casts with a reason, opening comments. Each rule answers one line a finding.
import ts from 'typescript';
import { lineOf, nodesOf, placeOf, type SourceFile } from './source-files.ts';

export const fileLinesMax = 300;
/** Suites and their tables are flat: a little more of the same is no second idea. */
export const testLinesMax = 350;
export const functionLinesMax = 70;

export function longFile({ name, text }: SourceFile): readonly string[] {
  const lines = text.trimEnd().split('\n').length;
  const linesMax = name.startsWith('test/') ? testLinesMax : fileLinesMax;
  return lines > linesMax ? [`${name}: ${lines} lines, the limit is ${linesMax}`] : [];
}

/** A suite is a list of tests, not a function with a thought of its own. */
export function longFunctions(file: SourceFile): readonly string[] {
  const found: string[] = [];
  for (const node of nodesOf(file.tree)) {
    if (!isFunction(node) || isSuite(node)) continue;
    const lines = lineOf(file.tree, node.end) - lineOf(file.tree, node.getStart()) + 1;
    if (lines > functionLinesMax) found.push(`${placeOf(file, node)}: a function of ${lines} lines, the limit is ${functionLinesMax}`);
  }
  return found;
}

function isFunction(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isArrowFunction(node)
    || ts.isFunctionExpression(node) || ts.isConstructorDeclaration(node) || ts.isAccessor(node);
}

/** The callback of a `describe`, or a function whose statements are tests: a contract that several suites run. */
function isSuite(node: ts.FunctionLikeDeclaration): boolean {
  if (ts.isCallExpression(node.parent) && /^describe\b|describe$/.test(node.parent.expression.getText())) return true;
  const statements = node.body !== undefined && ts.isBlock(node.body) ? node.body.statements : [];
  return statements.some((statement) => ts.isExpressionStatement(statement) && /^(describe|test|it)\b/.test(statement.getText()));
}

/** `any`, `!` and `as` without a comment on their line, the line above, or above the statement they stand in. */
export function unexplainedCasts(file: SourceFile): readonly string[] {
  const commented = commentLines(file);
  const found: string[] = [];
  for (const node of nodesOf(file.tree)) {
    const what = castOf(node);
    if (what === undefined || isExplained(file, node, commented)) continue;
    found.push(`${placeOf(file, node)}: ${what} needs a comment that says why it holds`);
  }
  return found;
}

function castOf(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return '`any`';
  if (ts.isNonNullExpression(node)) return '`!`';
  if (ts.isTypeAssertionExpression(node)) return 'a cast';
  if (!ts.isAsExpression(node)) return undefined;
  return node.type.getText() === 'const' ? undefined : '`as`';
}

function isExplained({ tree }: SourceFile, node: ts.Node, commented: ReadonlySet<number>): boolean {
  let outer: ts.Node = node;
  while (!ts.isStatement(outer) && !ts.isClassElement(outer) && !ts.isPropertyAssignment(outer) && outer.parent !== undefined) outer = outer.parent;
  const [own, last, first] = [lineOf(tree, node.getStart()), lineOf(tree, node.end), lineOf(tree, outer.getStart())];
  return [own, last, own - 1, first - 1].some((line) => commented.has(line));
}

/** Lines that a comment stands on, wholly or at their end. */
function commentLines({ text, tree }: SourceFile): ReadonlySet<number> {
  const lines = new Set<number>();
  const seen = new Set<number>();
  for (const node of nodesOf(tree)) {
    for (const range of ts.getLeadingCommentRanges(text, node.pos) ?? []) note(range);
    for (const range of ts.getTrailingCommentRanges(text, node.end) ?? []) note(range);
  }
  return lines;

  function note(range: ts.CommentRange): void {
    if (seen.has(range.pos)) return;
    seen.add(range.pos);
    for (let line = lineOf(tree, range.pos); line <= lineOf(tree, range.end); line += 1) lines.add(line);
  }
}

export function missingOpening({ name, text }: SourceFile): readonly string[] {
  return /^(#!.*\n)?(\/\/|\/\*)/.test(text) ? [] : [`${name}: opens without a comment that says what it is for`];
}

/** Subjects are local to the bus: who holds one could publish past it. */
export function exportedSubjects(file: SourceFile): readonly string[] {
  return [...nodesOf(file.tree)]
    .filter((node) => ts.isVariableStatement(node) && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true)
    .filter((node) => /\b(Behavior|Replay|Async)?Subject\b/.test(node.getText()))
    .map((node) => `${placeOf(file, node)}: exports a Subject`);
}

const timeOperators = new Set([
  'timer', 'interval', 'delay', 'delayWhen', 'debounceTime', 'throttleTime', 'auditTime', 'sampleTime', 'bufferTime', 'windowTime',
  'timeout', 'timeoutWith', 'timeInterval', 'timestamp', 'asyncScheduler', 'animationFrames', 'repeat', 'retry',
]);

/** RxJS' time operators read a clock of their own. */
export function timeOperatorsOfRxjs(file: SourceFile): readonly string[] {
  const found: string[] = [];
  for (const node of nodesOf(file.tree)) {
    if (!ts.isImportDeclaration(node) || !/^'rxjs/.test(node.moduleSpecifier.getText())) continue;
    const bindings = node.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) found.push(`${placeOf(file, node)}: import RxJS by name`);
    else for (const { name } of bindings.elements) if (timeOperators.has(name.text)) found.push(`${placeOf(file, name)}: ${name.text} uses a hidden clock`);
  }
  return found;
}

/** Tests that are switched off, or that switch the others off. */
export function switchedTests(file: SourceFile): readonly string[] {
  return [...nodesOf(file.tree)]
    .filter((node) => ts.isPropertyAccessExpression(node) && ['only', 'skip', 'todo'].includes(node.name.text))
    .filter((node) => /^(describe|it|test|suite)\b/.test(node.getText()))
    .map((node) => `${placeOf(file, node)}: ${node.getText()}`);
}
