// What our HTTP servers have in common: the body within its limit, headers as plain texts, and faults of listening. No server of its own.
import type { IncomingMessage } from 'node:http';
import type { ListenFault } from '../ports/listener-port.ts';

/** @returns `gone` when the client left before it had said all */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array | 'too-large' | 'gone'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
      else {
        chunks.length = 0;
        resolve('too-large');
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => resolve('gone'));
    request.on('close', () => resolve('gone'));
  });
}

/** By lower-case name; several of one name are joined. */
export function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));
}

/** @param error of Node's own listen or unlink @param place path or `host:port`, as the user gave it */
export function listenFault(error: unknown, place: string): ListenFault {
  const { code, message } = error as NodeJS.ErrnoException; // Node throws and emits nothing else there.
  if (code === 'EADDRINUSE') return { kind: 'in-use', message: `${place}: the address is already in use` };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'not-permitted', message: `${place}: not permitted` };
  return { kind: 'failed', message: `${place}: ${message}` };
}
