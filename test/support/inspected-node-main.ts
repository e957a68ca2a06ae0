// Runs an inspected node until it is told to stop, and prints its URL. For scripts/inspected-node.mjs.
import { startInspectedNode } from './inspected-node.ts';

const [pods = '20', messagesPerSecond = '20', port = '0'] = process.argv.slice(2);
const node = await startInspectedNode({ pods: Number(pods), messagesPerSecond: Number(messagesPerSecond), troubles: true, port: Number(port) });
console.log(node.url);
process.once('SIGINT', () => void node.stop().then(() => process.exit(0)));
process.once('SIGTERM', () => void node.stop().then(() => process.exit(0)));
