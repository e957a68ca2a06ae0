// What only streams need of the machine: the runtime's streaming server, and the log files. Loaded with the first stream.
import { criStreams, type StreamUrls } from '../adapters/cri/cri-streams.ts';
import { NodeLogReader } from '../adapters/node-log-reader.ts';
import { nodeUsage } from '../adapters/node-usage.ts';
import type { StreamWorld } from '../agent/stream-door.ts';

export function streamWorld(urls: StreamUrls, { rootDirectory }: { readonly rootDirectory: string }): StreamWorld {
  return { pipes: criStreams(urls), logs: new NodeLogReader(), usage: nodeUsage({ rootDirectory }) };
}
