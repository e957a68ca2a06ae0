import { describe, expect, it } from 'vitest';
import { containerdLayout, freeSubnet } from '../../src/demo/containerd-config.ts';
import { parseDemoOptions } from '../../src/demo/demo-options.ts';

describe('parseDemoOptions', () => {
  it('given no arguments, when parsed, then it stays up on a containerd that it may find', () => {
    expect(parseDemoOptions([])).toEqual({ ok: true, value: { once: false, privateContainerd: false, nodeName: 'demo-node', help: false } });
  });

  it.each([
    [['--onse'], /'--onse'/],
    [['stray'], /'stray'/],
    [['--node-name', 'Upper_Case'], /^--node-name: 'Upper_Case' is not a node name/],
  ])('given %j, when parsed, then the fault names it', (argv, message) => {
    expect(parseDemoOptions(argv)).toEqual({ ok: false, fault: expect.stringMatching(message) });
  });
});

describe('containerdLayout', () => {
  it('given a directory, when laid out twice, then the names are the same and the bridge fits Linux', () => {
    const layout = containerdLayout('/tmp/mqlet-demo-abcdef/c');
    expect(containerdLayout('/tmp/mqlet-demo-abcdef/c')).toEqual(layout);
    expect(layout.bridge.length).toBeLessThanOrEqual(15);
    expect(containerdLayout('/tmp/mqlet-demo-abcdeg/c').bridge).not.toBe(layout.bridge);
  });
});

describe('freeSubnet', () => {
  it('given two directories, when a subnet is chosen for each, then they differ and lie on /22 borders of 10.0.0.0/8', () => {
    const [first, second] = [freeSubnet('/tmp/one'), freeSubnet('/tmp/two')];
    expect(first).not.toBe(second);
    for (const subnet of [first, second]) {
      expect(subnet).toMatch(/^10\.\d+\.\d+\.0\/22$/);
      expect(Number(subnet.split('.')[2]) % 4).toBe(0);
    }
  });
});
