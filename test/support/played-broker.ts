// A broker played by a test over real sockets: it answers each packet as the test says, also as no broker should.
import net from 'node:net';
import mqttPacket from 'mqtt-packet';
import { freePort } from './mosquitto.ts';

export interface PlayedBroker {
  readonly port: number;
  /** Packets received, over all connections. */
  readonly received: mqttPacket.Packet[];
  /** What is answered from now on. */
  play(answer: Answer): void;
  stop(): Promise<void>;
}

/** `end` closes the connection; undefined says nothing. */
export type Answer = (packet: mqttPacket.Packet) => mqttPacket.Packet | 'end' | undefined;

export async function startPlayedBroker(answer: Answer): Promise<PlayedBroker> {
  const received: mqttPacket.Packet[] = [];
  const sockets = new Set<net.Socket>();
  let current = answer;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).on('error', () => undefined).on('close', () => sockets.delete(socket));
    let protocolVersion = 4;
    const parser = mqttPacket.parser();
    parser.on('packet', (packet) => {
      received.push(packet);
      if (packet.cmd === 'connect') protocolVersion = packet.protocolVersion ?? 4;
      const said = current(packet);
      if (said === 'end') socket.destroy();
      else if (said !== undefined) socket.write(mqttPacket.generate(said, { protocolVersion }));
    });
    parser.on('error', () => socket.destroy());
    socket.on('data', (bytes) => void parser.parse(bytes));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    received,
    play: (next) => {
      current = next;
    },
    stop: () => new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    }),
  };
}

/** Says yes to everything. */
export const wellBehaved: Answer = (packet) => {
  switch (packet.cmd) {
    case 'connect': return connack(0);
    case 'subscribe': return { cmd: 'suback', messageId: packet.messageId ?? 0, granted: packet.subscriptions.map(({ qos }) => qos) };
    case 'publish': return packet.qos === 0 ? undefined : { cmd: 'puback', messageId: packet.messageId ?? 0 };
    case 'pingreq': return { cmd: 'pingresp' };
    default: return undefined;
  }
};

export function connack(code: number, properties: NonNullable<mqttPacket.IConnackPacket['properties']> = {}): mqttPacket.Packet {
  return { cmd: 'connack', sessionPresent: false, returnCode: code, reasonCode: code, properties };
}
