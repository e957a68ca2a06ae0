// The link to the broker as the daemon has it: dialect, client and the files they take their credentials from.
import { mqttClient } from '../adapters/mqtt-client.ts';
import { MqttCredentials } from '../adapters/mqtt-credentials.ts';
import { NodeFiles } from '../adapters/node-files.ts';
import type { AgentPorts } from '../agent.ts';
import { liteDialect } from '../bus/dialects/lite/lite-dialect.ts';
import type { MqttConfig } from '../config/mqtt-config.ts';

export function mqttPorts(mqtt: MqttConfig, nodeName: string): Pick<AgentPorts, 'mqtt' | 'credentials'> {
  const { identity, group, rootTopic } = mqtt;
  const dialect = liteDialect({
    rootTopic,
    nodeName,
    ...(identity.kind === 'signature'
      ? { fleet: { group, accessKey: identity.accessKey, secretKey: identity.secretKey, instance: identity.instance } }
      : {}),
  });
  const { clientId, username, password, protocols } = dialect.connection();
  const login = identity.kind === 'password' ? { username: identity.username, password: identity.password } : { username, password };
  const credentials = Object.keys(mqtt.files).length === 0 ? undefined : new MqttCredentials(new NodeFiles(), mqtt.files);
  const port = mqttClient({
    host: mqtt.host,
    port: mqtt.port,
    clientId: identity.kind === 'signature' ? clientId : `${group}@@@${nodeName}`,
    protocols,
    keepAliveMs: mqtt.keepAliveSeconds * 1000,
    ...(login.username === undefined ? {} : { username: login.username }),
    ...(login.password === undefined ? {} : { password: login.password }),
    ...(mqtt.tls === undefined ? {} : { tls: { ...mqtt.tls, servername: mqtt.tls.serverName } }),
    ...(credentials === undefined ? {} : { material: () => credentials.take() }),
  });
  const certificates = credentials !== undefined && mqtt.tls !== undefined;
  return { mqtt: { port, dialect }, ...(certificates ? { credentials } : {}) };
}
