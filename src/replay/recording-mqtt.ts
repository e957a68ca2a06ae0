// MqttPort around another: every packet and every change of the connection is told, nothing is changed. Streams are left out: what
// somebody types into a container, and what it shows him, is nothing for a file; and a replay has no container to show it.
import type { ClockPort } from '../ports/clock-port.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import { isOfStream } from '../bus/streams/stream-topics.ts';
import { linkLine, packetLine } from './packets.ts';

export function recordingMqtt(port: MqttPort, clock: ClockPort, tell: (line: string) => void): MqttPort {
  let up = false;
  const changed = (now: boolean, reason: string): void => {
    if (now === up) return;
    up = now;
    tell(linkLine(clock.nowMs(), now ? 'up' : 'down', reason));
  };
  return {
    connect: async (handlers, opening) => {
      const connected = await port.connect({
        message: (packet) => {
          if (!isOfStream(packet)) tell(packetLine({ atMs: clock.nowMs(), direction: 'down', packet }));
          handlers.message(packet);
        },
        closed: (fault) => {
          changed(false, fault.message);
          handlers.closed(fault);
        },
      }, opening);
      if (connected.ok) changed(true, '');
      else tell(linkLine(clock.nowMs(), 'down', connected.fault.message));
      return connected;
    },
    subscribe: (filter, qos) => port.subscribe(filter, qos),
    publish: (packet) => {
      if (!isOfStream(packet)) tell(packetLine({ atMs: clock.nowMs(), direction: 'up', packet }));
      return port.publish(packet);
    },
    disconnect: async () => {
      await port.disconnect();
      changed(false, '');
    },
  };
}
