// proto/descriptors.json is committed; it must say what the .proto files say.
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { loadMethods } from '../../src/adapters/cri/cri-methods.ts';

describe('proto/descriptors.json', () => {
  it('given the .proto files, when rendered again, then the committed file is the same', () => {
    expect(() => execFileSync(process.execPath, ['scripts/proto.mjs', '--check'], { stdio: 'pipe' })).not.toThrow();
  });

  it('given CRI bytes written by hand, when a container status is decoded, then nothing of 64 bits is lost', () => {
    // ContainerStatusResponse{status(1): {id(1): "c1", state(3): 2, created_at(4): 1700000000123456789, exit_code(7): 137}}
    const bytes = Buffer.from('0a13' + '0a026331' + '1802' + '20959a97ece39fe7cb17' + '388901', 'hex');
    const decoded = loadMethods().runtime('ContainerStatus').deserialize(bytes);
    expect(decoded).toMatchObject({
      status: { id: 'c1', state: 'CONTAINER_EXITED', createdAt: '1700000000123456789', startedAt: '0', exitCode: 137, labels: {} },
    });
  });

  it('given a request with envs, when encoded, then values stand as bytes and enums as numbers', () => {
    const bytes = loadMethods().runtime('CreateContainer').serialize({
      config: { envs: [{ key: 'A', value: Buffer.from('ü') }], linux: { securityContext: { namespaceOptions: { pid: 'CONTAINER' } } } },
    });
    expect(bytes.toString('hex')).toBe('1211' + '3207' + '0a0141' + '1202c3bc' + '7a06' + '1204' + '1a02' + '1001');
  });
});
