// Nodes: two parts written through two paths, and the checks of taints.
import { isJsonObject } from '../../bus/dialects/json-value.ts';
import { notLabelValue, notQualifiedName } from '../../bus/ingress/field-formats.ts';
import { element, field } from '../../bus/ingress/problems.ts';
import { listAt, part, textAt } from '../objects.ts';
import { keepOtherPart, type KindRules } from './kind-rules.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

export const nodeRules: KindRules = {
  created: (object) => ({ ...object, spec: part(object, 'spec'), status: part(object, 'status') }),
  updated: keepOtherPart,
  validate(object, { current, problems }) {
    const path = field(field(undefined, 'spec'), 'taints');
    const seen = new Set<string>();
    for (const [index, taint] of listAt(part(object, 'spec'), 'taints').entries()) {
      const at = element(path, index);
      const [key, value, effect] = [textAt(taint, 'key'), textAt(taint, 'value'), textAt(taint, 'effect')];
      const wrongKey = notQualifiedName(key);
      const wrongValue = notLabelValue(value);
      if (wrongKey !== undefined) problems.invalid(field(at, 'key'), key, wrongKey);
      if (wrongValue !== undefined) problems.invalid(field(at, 'value'), value, wrongValue);
      if (!effects.some((known) => known === effect)) problems.unsupported(field(at, 'effect'), effect, effects);
      if (seen.has(`${key} ${effect}`)) problems.duplicate(at, `${key}:${effect}`);
      seen.add(`${key} ${effect}`);
    }
    const given = part(current, 'spec')['providerID'];
    const now = part(object, 'spec')['providerID'];
    if (isJsonObject(current) && typeof given === 'string' && given !== '' && now !== given) {
      problems.forbidden(field(undefined, 'spec'), 'node updates may not change the provider ID once it is set');
    }
  },
};
