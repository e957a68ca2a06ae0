// The twin of the API's listener keeps the contract of the real one.
import { SimApiListener } from '../../../src/adapters/sim/sim-api-listener.ts';
import { apiListenerContract } from '../../ports/api-listener-contract.ts';

apiListenerContract('the twin', () => {
  const port = new SimApiListener();
  const client = { commonName: 'me', organizations: ['a', 'b'] };
  return {
    port, client, tls: { cert: '', key: '', clientCa: '' },
    request: (_port, { known = false, ...call }) => port.request({ ...call, ...(known ? { client } : {}) }),
    async stream(_port, call) {
      const stream = await port.stream(call);
      return { said: () => stream.lines.map((line) => `${line}\n`).join(''), ended: () => stream.ended, close: () => stream.close() };
    },
    async until(condition) {
      while (!condition()) await Promise.resolve();
    },
  };
});
