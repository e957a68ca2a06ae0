// What mqtt.js says went wrong, in our words. Decides nothing.
import type { MqttFault } from '../../ports/faults.ts';

/** MQTT 3.1.1 knows one refusal, 0x80. */
export function suback(error: Error): number {
  const packet = 'packet' in error ? error.packet : undefined;
  const granted = typeof packet === 'object' && packet !== null && 'granted' in packet && Array.isArray(packet.granted) ? packet.granted : [];
  return granted.find((code): code is number => typeof code === 'number' && code >= 0x80) ?? 0x80;
}

export function publishFault(error: Error): MqttFault {
  const code = 'code' in error && typeof error.code === 'number' ? error.code : undefined;
  if (code !== undefined) return refusal('the broker refuses the packet', code);
  return { kind: 'not-connected', message: error.message };
}

/** @returns undefined where the error is the socket's */
export function connectionFault(error: Error, { connectTimeoutMs }: { readonly connectTimeoutMs: number }): MqttFault | undefined {
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return refusal(`the broker refuses: ${error.message.replace(/^Connection refused: /, '')}`, code);
  if (error.message === 'connack timeout') return { kind: 'timeout', message: `no answer to CONNECT in ${connectTimeoutMs / 1000} s`, afterMs: connectTimeoutMs };
  if (error.message === 'Keepalive timeout') return { kind: 'unreachable', message: 'the broker no longer answers pings' };
  return undefined;
}

export function refusal(message: string, reasonCode: number): MqttFault {
  return { kind: 'refused', message: `${message} (0x${reasonCode.toString(16).padStart(2, '0')})`, reasonCode };
}
