// A CRI server that says of itself what a test wants to hear: version, conditions, its own configuration. It runs nothing.
import grpc from '@grpc/grpc-js';

export interface ToldRuntime {
  readonly version: string;
  readonly networkReady: boolean;
  /** What `info.config` says, as containerd 1.6 does. */
  readonly config: object;
  readonly images: readonly string[];
  /** False: it answers, and knows no CRI. */
  readonly cri: boolean;
}

/** @returns how to stop it */
export async function serveToldRuntime(endpoint: string, told: ToldRuntime): Promise<() => Promise<void>> {
  const server = new grpc.Server();
  if (told.cri) {
    serve(server, '/runtime.v1.RuntimeService/Version', () => message(text(1, '0.1.0'), text(2, 'containerd'), text(3, told.version), text(4, 'v1')));
    serve(server, '/runtime.v1.RuntimeService/Status', () => message(
      bytes(1, message(condition('RuntimeReady', true, '', ''), condition('NetworkReady', told.networkReady, 'NetworkPluginNotReady', 'cni plugin not initialized'))),
      bytes(2, message(text(1, 'config'), text(2, JSON.stringify(told.config)))),
    ));
    serve(server, '/runtime.v1.ImageService/ImageStatus', (request) => {
      const asked = told.images.find((image) => request.includes(image));
      return asked === undefined ? Buffer.alloc(0) : message(bytes(1, message(text(1, 'sha256:1'), text(2, asked))));
    });
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(endpoint, grpc.ServerCredentials.createInsecure(), (error) => (error === null ? resolve() : reject(error)));
  });
  return () => new Promise((resolve) => {
    server.forceShutdown();
    resolve();
  });
}

function serve(server: grpc.Server, path: string, answer: (request: Buffer) => Buffer): void {
  const asIs = (buffer: Buffer): Buffer => buffer;
  server.register(path, (call: grpc.ServerUnaryCall<Buffer, Buffer>, reply: grpc.sendUnaryData<Buffer>) => reply(null, answer(call.request)), asIs, asIs, 'unary');
}

function condition(type: string, status: boolean, reason: string, said: string): Buffer {
  return bytes(1, message(text(1, type), ...(status ? [Buffer.from([0x10, 1])] : []), text(3, reason), text(4, said)));
}

function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

/** A length-delimited field. */
function bytes(field: number, content: Buffer): Buffer {
  const length: number[] = [];
  for (let left = content.length; ; left = Math.floor(left / 128)) {
    if (left < 128) {
      length.push(left);
      break;
    }
    length.push((left % 128) | 0x80);
  }
  return Buffer.concat([Buffer.from([field * 8 + 2, ...length]), content]);
}
