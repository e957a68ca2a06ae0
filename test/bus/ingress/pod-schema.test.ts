import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { type FieldType, type ObjectType, podType } from '../../../src/bus/ingress/pod-schema.ts';

/** `path.to.field` to type, as the table has it. */
function tableFields(type: ObjectType, at: string, seen: ReadonlySet<ObjectType> = new Set()): string[] {
  if (seen.has(type)) return [];
  return [...type].flatMap(([name, field]) => {
    const here = `${at}.${name}${field.list ? '[]' : ''}`;
    return typeof field.value === 'string' ? [`${here} ${wordOf(field)}`] : tableFields(field.value, here, new Set([...seen, type]));
  });
}

function wordOf({ value }: FieldType): string {
  switch (value) {
    case 'int':
    case 'long': return 'number';
    case 'bool': return 'boolean';
    case 'port': return 'port';
    case 'map':
    case 'quantities': return 'map';
    case 'unread': return 'unread';
    default: return 'string';
  }
}

/** The same, as the published types have it. */
function typeFields(checker: ts.TypeChecker, type: ts.Type, at: string): string[] {
  return type.getProperties().flatMap((property) => {
    const declared = checker.getNonNullableType(checker.getTypeOfSymbol(property));
    const isList = checker.isArrayType(declared);
    const inner = isList ? checker.getNonNullableType(checker.getTypeArguments(declared as ts.TypeReference)[0] ?? declared) : declared;
    const here = `${at}.${property.name}${isList ? '[]' : ''}`;
    if (property.name === 'managedFields') return [`${at}.managedFields unread`];
    if (inner.flags & ts.TypeFlags.StringLike) return [`${here} string`];
    if (inner.flags & ts.TypeFlags.NumberLike) return [`${here} number`];
    if (inner.flags & ts.TypeFlags.BooleanLike) return [`${here} boolean`];
    if (inner.isUnion()) return [`${here} ${inner.types.every((one) => one.flags & ts.TypeFlags.BooleanLike) ? 'boolean' : 'port'}`];
    if (inner.getStringIndexType() !== undefined) return [`${here} map`];
    return typeFields(checker, inner, here);
  });
}

describe('podType', () => {
  it('given the published types of Kubernetes 1.30, when compared field by field, then the table has the same', () => {
    const source = path.resolve('node_modules/kubernetes-types/core/v1.d.ts');
    const program = ts.createProgram([source], { strict: true });
    const checker = program.getTypeChecker();
    const file = program.getSourceFile(source);
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
    const pod = module === undefined ? undefined : checker.getExportsOfModule(module).find(({ name }) => name === 'Pod');
    if (pod === undefined) throw new Error('kubernetes-types has no Pod');
    const expected = typeFields(checker, checker.getDeclaredTypeOfSymbol(pod), 'Pod').sort();
    expect(expected.length).toBeGreaterThan(500);
    expect(tableFields(podType(), 'Pod').sort()).toEqual(expected);
  });
});
