// AppArmor profiles of containers as the runtime is asked for them, in both of its ways.
import { describe, expect, test } from 'vitest';
import { appArmorAnnotation, containerSecurityContext } from '../../../src/machines/decide/security-context.ts';
import { nodeSettings } from '../../support/node-settings.ts';
import { aContainer, aPod } from '../../support/pods.ts';

interface Given {
  readonly pod?: { readonly type: string; readonly localhostProfile?: string };
  readonly container?: { readonly type: string; readonly localhostProfile?: string };
  readonly annotation?: string;
}

describe('AppArmor', () => {
  test.each<[name: string, given: Given, expected: readonly [string, string, string] | undefined]>([
    ['nothing', {}, undefined],
    ['the pod\'s default', { pod: { type: 'RuntimeDefault' } }, ['RuntimeDefault', '', 'runtime/default']],
    ['the container\'s own over the pod\'s', { pod: { type: 'RuntimeDefault' }, container: { type: 'Localhost', localhostProfile: 'tight' } }, ['Localhost', 'tight', 'localhost/tight']],
    ['none by name', { container: { type: 'Unconfined' } }, ['Unconfined', '', 'unconfined']],
    ['an annotation', { annotation: 'localhost/tight' }, ['Localhost', 'tight', 'localhost/tight']],
    ['a field over an annotation', { annotation: 'localhost/tight', container: { type: 'Unconfined' } }, ['Unconfined', '', 'unconfined']],
  ])('given %s, when mapped, then field and old text agree', (_name, given, expected) => {
    const container = aContainer('app', given.container === undefined ? {} : { securityContext: { appArmorProfile: given.container } });
    const desired = aPod(
      { containers: [container], ...(given.pod === undefined ? {} : { securityContext: { appArmorProfile: given.pod } }) },
      given.annotation === undefined ? {} : { metadata: { annotations: { [`${appArmorAnnotation}app`]: given.annotation } } },
    );
    const context = containerSecurityContext(desired, container, {}, nodeSettings);
    if (!context.ok) throw new Error(context.fault);
    const { apparmor, apparmorProfile } = context.value;
    expect(apparmor === undefined ? undefined : [apparmor.profileType, apparmor.localhostRef, apparmorProfile]).toEqual(expected);
  });
});
