// The kole dialect as the node speaks it: heartbeats on one topic for all nodes, answers and pods on two topics of its own, plain JSON.
import type { InputFault } from '../../../ports/faults.ts';
import { fail, ok, type Result } from '../../../ports/result.ts';
import { liteCredentials, type LiteFleet } from '../lite/topics.ts';
import type { ReportAnswer, ReportingDialect } from '../reporting-dialect.ts';
import { decodeControl, decodeData, type KoleFault } from './down-messages.ts';
import { heartbeatText } from './heartbeat.ts';
import { hashAnnotation } from './pod-spec.ts';

export interface KoleOptions {
  readonly nodeName: string;
  /** The Signature scheme; without it the user name is left to the caller. */
  readonly fleet?: LiteFleet;
  readonly reportPeriodMs: number;
}

/** A constant of the protocol. */
const rootTopic = 'kole/lite';
export const heartbeatTopic = `${rootTopic}/HEARTBEAT`;
export const controlTopicOf = (nodeName: string): string => `${rootTopic}/CTL/${nodeName}`;
export const dataTopicOf = (nodeName: string): string => `${rootTopic}/DATA/${nodeName}`;

/** As published, for MQTT 5. */
const sessionExpirySeconds = 3_600;

export function koleDialect({ nodeName, fleet, reportPeriodMs }: KoleOptions): ReportingDialect {
  const clientName = `${nodeName}-sub`;
  const data = dataTopicOf(nodeName);
  return {
    name: 'kole',
    reportPeriodMs,
    connection: () => ({
      ...(fleet === undefined ? { clientId: clientName, username: undefined, password: undefined } : liteCredentials(fleet, clientName)),
      subscriptions: [controlTopicOf(nodeName), data],
      protocols: ['MQTT 5', 'MQTT 3.1.1'],
      cleanStart: true,
      sessionExpirySeconds,
    }),
    carries: () => false,
    encodeReport: (report) => ({
      topic: heartbeatTopic, payload: new TextEncoder().encode(heartbeatText(report, nodeName)), identity: report.identity, needAck: !report.registered,
    }),
    versionOf: ({ pod }) => pod.metadata.annotations?.[hashAnnotation],
    decodeDown: (topic, payload) => withOrigin(topic, topic === data ? decodeData(payload, nodeName) : decodeControl(payload)),
  };
}

function withOrigin(origin: string, result: Result<ReportAnswer, KoleFault>): Result<ReportAnswer, InputFault> {
  return result.ok ? ok(result.value) : fail({ origin, severity: 'error', ...result.fault });
}
