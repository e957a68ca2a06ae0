// The operations a simulated world may be put to. Names only, so that options can weigh what operations.ts carries out.

export const operationNames = [
  'applyPod', 'updatePod', 'deletePod', 'forceDeletePod', 'replacePod',
  'writeManifest', 'changeManifest', 'removeManifest', 'renameManifest', 'halfManifest', 'brokenManifest', 'moveAway', 'strayFile',
  'applyByHand', 'deleteByHand',
  'killContainer', 'outOfMemory', 'loseSandbox', 'restartRuntime', 'rebootMachine',
  'cutLink', 'cutCloud', 'restartBroker', 'restartDaemon', 'killDaemon', 'jumpClock', 'diskTrouble', 'badPacket',
] as const;

export type OperationName = (typeof operationNames)[number];
