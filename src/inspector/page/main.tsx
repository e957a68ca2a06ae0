// The page's beginning: reads the token from the address, starts the inspector and draws the page.
import { render } from 'preact';
import { Inspector } from './live/inspector.ts';
import { startTheme } from './live/theme.ts';
import { takeToken } from './live/token.ts';
import { App } from './view/app.tsx';
import { InspectorProvider } from './view/hooks.ts';

startTheme();
const token = takeToken();
const inspector = new Inspector(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/feed?token=${encodeURIComponent(token)}`);
const root = document.getElementById('app');
if (root !== null) {
  root.replaceChildren();
  render(<InspectorProvider value={inspector}><App token={token} /></InspectorProvider>, root);
}
inspector.start();
