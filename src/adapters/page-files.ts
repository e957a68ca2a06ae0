// The inspector's page as it was built, read from beside the program.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fail, ok, type Result } from '../ports/result.ts';

const files = [
  { at: '/', name: 'index.html', contentType: 'text/html; charset=utf-8' },
  { at: '/page.js', name: 'page.js', contentType: 'text/javascript; charset=utf-8' },
  { at: '/page.css', name: 'page.css', contentType: 'text/css; charset=utf-8' },
] as const;

export type BuiltPage = ReadonlyMap<string, { readonly contentType: string; readonly body: Uint8Array }>;

/** @param home where the program is installed; the launcher tells it @returns files by path; a line for the user where one is missing */
export function readBuiltPage(home = process.env['MQLET_HOME'] ?? path.dirname(path.dirname(process.argv[1] ?? ''))): Result<BuiltPage, string> {
  const directory = path.join(home, 'dist', 'inspector');
  try {
    return ok(new Map(files.map(({ at, name, contentType }) => [at, { contentType, body: readFileSync(path.join(directory, name)) }])));
  } catch (error) {
    return fail(`the inspector's page cannot be read: ${error instanceof Error ? error.message : String(error)}; run npm run build`);
  }
}
