// The inspector of a running node: real socket, real clock, the page as it was built. Loaded only where it is asked for.
import { newAccessToken } from '../adapters/access-token.ts';
import { readBuiltPage } from '../adapters/page-files.ts';
import { PageListener } from '../adapters/page-listener.ts';
import type { Observe } from '../agent.ts';
import { Inspection, type InspectionOptions } from '../inspector/inspection.ts';
import { inspectorUrl } from '../inspector/inspector-server.ts';
import { askBytesMax } from '../inspector/protocol.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { PageAddress } from '../ports/page-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { SecretMask } from '../replay/secret-mask.ts';

export interface InspectorSettings {
  readonly address: PageAddress;
  readonly node: string;
  readonly version: string;
  readonly clock: ClockPort;
}

export interface NodeInspector {
  /** For `startAgent`. */
  readonly observe: Observe;
  /** After the agent has been started. @returns what is served at `url`, or a line for the user */
  listen(): Promise<Result<Stoppable & { readonly url: string }, string>>;
}

export function nodeInspector({ address, ...names }: InspectorSettings): NodeInspector {
  const inspection = inspectionOf({ ...names, mode: 'live', file: '' });
  return {
    observe: inspection.observe,
    listen: () => serveInspection(inspection, address),
  };
}

export function inspectionOf(options: Omit<InspectionOptions, 'mask'>): Inspection {
  return new Inspection({ ...options, mask: new SecretMask() });
}

/** @param inspection of an agent that has been started */
export async function serveInspection(inspection: Inspection, address: PageAddress): Promise<Result<Stoppable & { readonly url: string }, string>> {
  const page = readBuiltPage();
  if (!page.ok) return page;
  const token = newAccessToken();
  let bound = address;
  const listening = await new PageListener().listen(address, inspection.routes({ files: page.value, token, address: () => bound }), { frameBytesMax: askBytesMax });
  if (!listening.ok) return fail(listening.fault.message);
  bound = listening.value.address;
  return ok({
    url: inspectorUrl(bound, token),
    stop: async () => {
      inspection.stop('the node stops');
      await listening.value.stop();
    },
  });
}
