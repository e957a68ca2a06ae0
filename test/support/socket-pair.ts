// Two ends of one TCP connection on loopback.
import net, { type AddressInfo } from 'node:net';

export interface SocketPair {
  readonly near: net.Socket;
  readonly far: net.Socket;
  stop(): void;
}

export async function socketPair(): Promise<SocketPair> {
  const server = net.createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  const near = net.connect((server.address() as AddressInfo).port, '127.0.0.1'); // A server on a port has one.
  const far = await accepted;
  for (const socket of [near, far]) socket.on('error', () => socket.destroy());
  return {
    near, far,
    stop: () => {
      near.destroy();
      far.destroy();
      server.close();
    },
  };
}
