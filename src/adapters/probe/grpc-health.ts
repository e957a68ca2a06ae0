// grpc.health.v1.Health/Check, its two small messages written by hand: one string out, one number back.
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { GrpcHealth, GrpcQuestion, ProbeFault } from '../../ports/probe-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

const path = '/grpc.health.v1.Health/Check';
/** HealthCheckRequest.service, HealthCheckResponse.status: field 1 as a length-delimited and as a varint field. */
const serviceTag = 0x0a;
const statusTag = 0x08;
const states: readonly GrpcHealth[] = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

export function askGrpcHealth({ host, port, service, timeoutMs, userAgent }: GrpcQuestion): Promise<Result<GrpcHealth, ProbeFault>> {
  const client = new Client(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials.createInsecure(), {
    'grpc.primary_user_agent': userAgent,
    'grpc.enable_channelz': 0,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // The connection is this question's alone, and closed with it.
    'grpc.use_local_subchannel_pool': 1,
  });
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, encode, decode, service, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, answer) => {
      client.close();
      if (error === null) return resolve(ok(answer ?? 'UNKNOWN'));
      const message = error.details.replace(/\s*[\r\n]+\s*/g, ' ').replace(/^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:.*$/, '$1');
      switch (error.code) {
        case status.UNIMPLEMENTED: return resolve(fail({ kind: 'unimplemented', message }));
        case status.DEADLINE_EXCEEDED: return resolve(fail({ kind: 'timeout', message: 'context deadline exceeded', afterMs: timeoutMs }));
        // The health service answers so for a service it was never told of.
        case status.NOT_FOUND: return resolve(ok('SERVICE_UNKNOWN'));
        default: return resolve(fail({ kind: 'unreachable', message }));
      }
    });
  });
}

function encode(service: string): Buffer {
  const text = Buffer.from(service);
  if (text.length === 0) return Buffer.alloc(0);
  const length: number[] = [];
  for (let rest = text.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([serviceTag, ...length]), text]);
}

/** proto3 leaves the zero out; all values fit one byte. */
function decode(bytes: Buffer): GrpcHealth {
  const value = bytes[0] === statusTag ? bytes[1] : 0;
  return states[value ?? 0] ?? 'UNKNOWN';
}
