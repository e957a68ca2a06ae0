// The lite-kubelet dialect as the agent speaks it: one data topic up, one control topic down, gzip(YAML), answers by identity.
import type { InputFault } from '../../../ports/faults.ts';
import { fail, ok, type Result } from '../../../ports/result.ts';
import type { Dialect } from '../dialect.ts';
import { decodeDown, decodeStartAnswer, type DownFault } from './envelope-down.ts';
import { startFields, upFields } from './envelope-up.ts';
import { packYaml } from './payload.ts';
import { controlTopic, dataTopic, liteCredentials, type LiteFleet } from './topics.ts';

export interface LiteOptions {
  /** The up and down topics stand below it. */
  readonly rootTopic: string;
  readonly nodeName: string;
  /** How the released agent names itself; without it the client id is the node's name and the user name is left to the caller. */
  readonly fleet?: LiteFleet;
}

/** One line holds so many characters of what came from outside. */
const messageLengthMax = 1_000;

/** Nobody acknowledges a push, and a start costs some 15 bytes a minute so. */
const relistMs = 12 * 60_000;

export function liteDialect(options: LiteOptions): Dialect {
  const { rootTopic, nodeName, fleet } = options;
  const up = dataTopic(rootTopic);
  return {
    name: 'lite',
    containerStatuses: 'replaced',
    relistMs,
    connection: () => ({
      ...(fleet === undefined ? { clientId: nodeName, username: undefined, password: undefined } : liteCredentials(fleet, nodeName)),
      subscriptions: [controlTopic(rootTopic, nodeName)],
      protocols: ['MQTT 3.1.1'],
    }),
    carries: (kind) => kind !== 'TokenRequest',
    encode: (write) => {
      if (write.kind === 'TokenRequest') throw new Error('the lite dialect carries no requests for tokens');
      return { topic: up, payload: packYaml(upFields(write, nodeName)), identity: write.id, needAck: write.kind !== 'Event' };
    },
    encodeStart: (identity) => ({ topic: up, payload: packYaml(startFields(identity, nodeName)), identity, needAck: true }),
    decodeDown: (topic, payload) => withOrigin(topic, decodeDown(payload)),
    decodeStartAnswer: (topic, object) => withOrigin(topic, decodeStartAnswer(object)),
  };
}

function withOrigin<T>(origin: string, result: Result<T, DownFault>): Result<T, InputFault> {
  if (result.ok) return ok(result.value);
  const { message, line, field } = result.fault;
  return fail({
    origin,
    message: message.slice(0, messageLengthMax),
    severity: 'error',
    ...(line === undefined ? {} : { line }),
    ...(field === undefined ? {} : { field }),
  });
}
