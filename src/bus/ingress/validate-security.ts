// Security contexts of pods and containers. Checks only; what a node can enforce is decided elsewhere.
import { notId, notSysctlName } from './field-formats.ts';
import type { PodSecurityContext, SecurityContext, SecurityProfile } from './pod-parts.ts';
import { element, field, type Path, type Problems } from './problems.ts';

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'] as const;

export function validatePodSecurity(context: PodSecurityContext, path: Path, problems: Problems): void {
  validateIds(context, ['runAsUser', 'runAsGroup', 'fsGroup'], path, problems);
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    const detail = notId(group);
    if (detail !== undefined) problems.invalid(element(field(path, 'supplementalGroups'), index), group, detail);
  }
  const policy = context.fsGroupChangePolicy;
  if (policy !== undefined && policy !== 'OnRootMismatch' && policy !== 'Always') {
    problems.unsupported(field(path, 'fsGroupChangePolicy'), policy, ['Always', 'OnRootMismatch']);
  }
  validateProfiles(context, path, problems);
  const names = new Set<string>();
  for (const [index, sysctl] of (context.sysctls ?? []).entries()) {
    const namePath = field(element(field(path, 'sysctls'), index), 'name');
    const name = sysctl.name ?? '';
    const detail = notSysctlName(name);
    if (name === '') problems.required(namePath);
    else if (detail !== undefined) problems.invalid(namePath, name, detail);
    else if (names.has(name)) problems.duplicate(namePath, name);
    names.add(name);
  }
}

export function validateContainerSecurity(context: SecurityContext, path: Path, problems: Problems): void {
  validateIds(context, ['runAsUser', 'runAsGroup'], path, problems);
  validateProfiles(context, path, problems);
  if (context.procMount !== undefined && context.procMount !== 'Default' && context.procMount !== 'Unmasked') {
    problems.unsupported(field(path, 'procMount'), context.procMount, ['Default', 'Unmasked']);
  }
  for (const list of ['add', 'drop'] as const) {
    for (const [index, capability] of (context.capabilities?.[list] ?? []).entries()) {
      if (/^[A-Za-z0-9_]{1,64}$/.test(capability)) continue;
      problems.invalid(element(field(field(path, 'capabilities'), list), index), capability, 'must be a capability such as NET_ADMIN, or ALL');
    }
  }
  if (context.allowPrivilegeEscalation !== false) return;
  const escalation = field(path, 'allowPrivilegeEscalation');
  if (context.privileged === true) problems.invalid(escalation, false, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
  if ((context.capabilities?.add ?? []).some((name) => name === 'SYS_ADMIN' || name === 'CAP_SYS_ADMIN')) {
    problems.invalid(escalation, false, 'cannot set `allowPrivilegeEscalation` to false and add SYS_ADMIN');
  }
}

function validateIds<Name extends string>(
  context: { readonly [name in Name]?: number }, names: readonly Name[], path: Path, problems: Problems,
): void {
  for (const name of names) {
    const value = context[name];
    const detail = value === undefined ? undefined : notId(value);
    if (detail !== undefined) problems.invalid(field(path, name), value, detail);
  }
}

function validateProfiles(
  context: { readonly seccompProfile?: SecurityProfile; readonly appArmorProfile?: SecurityProfile }, path: Path, problems: Problems,
): void {
  for (const name of ['seccompProfile', 'appArmorProfile'] as const) {
    const profile = context[name];
    if (profile !== undefined) validateProfile(profile, name, field(path, name), problems);
  }
}

function validateProfile(profile: SecurityProfile, name: string, path: Path, problems: Problems): void {
  const type = profile.type ?? '';
  const local = profile.localhostProfile;
  if (type === '') problems.required(field(path, 'type'));
  else if (!profileTypes.some((known) => known === type)) problems.unsupported(field(path, 'type'), type, profileTypes);
  if (type !== 'Localhost') {
    if (local !== undefined) problems.invalid(field(path, 'localhostProfile'), local, 'can only be set when type is Localhost');
    return;
  }
  const localPath = field(path, 'localhostProfile');
  if (local === undefined || local === '') problems.required(localPath, 'must be set when type is Localhost');
  // A seccomp profile is a file below the node's profile folder; an AppArmor profile is a name in the kernel.
  else if (name === 'seccompProfile' && (local.startsWith('/') || local.split('/').includes('..'))) {
    problems.invalid(localPath, local, 'must be a relative path without ".."');
  }
}
