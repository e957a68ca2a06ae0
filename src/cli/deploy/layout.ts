// Where everything of an installed mqlet stands. The Debian package and the images have the same places, with the prefix /usr.

export interface Layout {
  /** The program: launcher, bundles, its own Node.js where it has one. */
  readonly program: string;
  /** A link to the launcher. */
  readonly command: string;
  readonly unitDirectory: string;
  readonly configDirectory: string;
  readonly defaultsFile: string;
}

export const usualPrefix = '/usr/local';
export const packagePrefix = '/usr';
export const unitNames = ['mqlet.service', 'mqlet.slice'] as const;
/** What the daemon may have written outside its root directory: how long the machine waits for it. */
export const logindDropIn = '/etc/systemd/logind.conf.d/99-mqlet.conf';

/** @param options.root a directory that stands for `/`; empty for this machine */
export function layoutOf({ root, prefix }: { readonly root: string; readonly prefix: string }): Layout {
  const base = root.replace(/\/+$/, '');
  return {
    program: `${base}${prefix}/lib/mqlet`,
    command: `${base}${prefix}/bin/mqlet`,
    // What comes in packages is apart from what an administrator puts in place.
    unitDirectory: `${base}${prefix === packagePrefix ? '/usr/lib/systemd/system' : '/etc/systemd/system'}`,
    configDirectory: `${base}/etc/mqlet`,
    defaultsFile: `${base}/etc/default/mqlet`,
  };
}
