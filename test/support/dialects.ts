// The dialects as tests speak them: one fleet, one node.
import type { Dialect } from '../../src/bus/dialects/dialect.ts';
import { liteDialect } from '../../src/bus/dialects/lite/lite-dialect.ts';
import { mqletDialect } from '../../src/bus/dialects/mqlet/mqlet-dialect.ts';

export const dialectNames = ['lite', 'mqlet'] as const;
export type DialectName = (typeof dialectNames)[number];

export function testDialect(name: DialectName): Dialect {
  const common = { rootTopic: 'fleet', nodeName: 'edge-07' };
  return name === 'lite' ? liteDialect(common) : mqletDialect({ ...common, software: 'mqlet test' });
}
