// The link to the broker as the daemon has it: dialect, client and the files they take their credentials from.
import { mqttClient } from '../adapters/mqtt-client.ts';
import { MqttCredentials } from '../adapters/mqtt-credentials.ts';
import { NodeFiles } from '../adapters/node-files.ts';
import { SystemRandom } from '../adapters/system-random.ts';
import type { AgentPorts } from '../agent/agent-world.ts';
import type { Dialect } from '../bus/dialects/dialect.ts';
import { liteDialect } from '../bus/dialects/lite/lite-dialect.ts';
import { liteCredentials } from '../bus/dialects/lite/topics.ts';
import type { ReportingDialect } from '../bus/dialects/reporting-dialect.ts';
import type { MqttConfig } from '../config/mqtt-config.ts';
import type { IdentityPort } from '../ports/identity-port.ts';
import { version } from '../version.ts';

export async function mqttPorts(mqtt: MqttConfig, nodeName: string): Promise<Pick<AgentPorts, 'mqtt' | 'credentials' | 'identity'>> {
  const { identity, clientGroup } = mqtt;
  const dialect = await dialectOf(mqtt, nodeName);
  const { clientId, username, password, protocols } = dialect.connection();
  const login = identity.kind === 'password' ? { username: identity.username, password: identity.password } : { username, password };
  const credentials = Object.keys(mqtt.files).length === 0 ? undefined : new MqttCredentials(new NodeFiles(), mqtt.files);
  const port = mqttClient({
    host: mqtt.host,
    port: mqtt.port,
    clientId: identity.kind === 'signature' || clientGroup === undefined ? clientId : `${clientGroup}@@@${clientId}`,
    protocols,
    keepAliveMs: mqtt.keepAliveSeconds * 1000,
    ...(login.username === undefined ? {} : { username: login.username }),
    ...(login.password === undefined ? {} : { password: login.password }),
    ...(mqtt.tls === undefined ? {} : { tls: { ...mqtt.tls, servername: mqtt.tls.serverName } }),
    ...(credentials === undefined ? {} : { material: () => credentials.take() }),
  });
  const certificates = credentials !== undefined && mqtt.tls !== undefined;
  const renewal = mqtt.renewsCertificate ? renewsItself(mqtt, nodeName) : undefined;
  return { mqtt: { port, dialect }, ...(certificates ? { credentials } : {}), ...(renewal === undefined ? {} : { identity: renewal }) };
}

/** Loaded when it is due, which is once in a year. */
function renewsItself(mqtt: MqttConfig, nodeName: string): IdentityPort {
  return { spread: new SystemRandom().fraction(), renew: async () => (await import('./renew-certificate.ts')).renewCertificate(mqtt, nodeName) };
}

/** lite shares nearly all it is made of with manifests; the others are loaded where they are spoken. */
async function dialectOf({ dialect, rootTopic, identity, clientGroup = '', heartbeatMs }: MqttConfig, nodeName: string): Promise<Dialect | ReportingDialect> {
  const fleet = identity.kind === 'signature' ? { group: clientGroup, accessKey: identity.accessKey, secretKey: identity.secretKey, instance: identity.instance } : undefined;
  switch (dialect) {
    case 'lite': return liteDialect({ rootTopic, nodeName, ...(fleet === undefined ? {} : { fleet }) });
    case 'kole': {
      const { koleDialect } = await import('../bus/dialects/kole/kole-dialect.ts');
      return koleDialect({ nodeName, reportPeriodMs: heartbeatMs, ...(fleet === undefined ? {} : { fleet }) });
    }
    case 'mqlet': {
      const { mqletDialect } = await import('../bus/dialects/mqlet/mqlet-dialect.ts');
      const credentials = fleet === undefined ? undefined : liteCredentials(fleet, nodeName);
      return mqletDialect({ rootTopic, nodeName, software: `mqlet ${version}`, ...(credentials === undefined ? {} : { credentials }) });
    }
  }
}
