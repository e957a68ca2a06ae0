// The image half of the simulated runtime: an image store, and a registry that has nearly everything.
import { createHash } from 'node:crypto';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { Result } from '../../ports/result.ts';
import { fail, ok } from '../../ports/result.ts';
import type { FilesystemUsage, ImageFacts, ImagesPort, PullAuth, SandboxConfig } from '../../ports/runtime-port.ts';
import type { SimCalls } from './sim-calls.ts';

type Answer<T> = Promise<Result<T, RuntimeFault>>;

/** Images whose path has this part exist nowhere; a pull is refused as a registry refuses. */
const missingWord = /(^|[/.])missing\b/;
/** Images whose path has this part need a user name. */
const privateWord = /(^|[/.])private\b/;
/** Digests are cheap to draw from a name; sizes too, between these bounds in bytes. */
const sizeBytesMin = 1_000_000;
const sizeBytesSpan = 100_000_000;

export class SimImages implements ImagesPort {
  readonly #calls: SimCalls;
  /** By normalised name with tag or digest. */
  readonly #images = new Map<string, ImageFacts>();

  /** @param preloaded names that need no pull */
  constructor(calls: SimCalls, preloaded: readonly string[]) {
    this.#calls = calls;
    for (const name of preloaded) this.add(name);
  }

  list(): Answer<readonly ImageFacts[]> {
    return this.#calls.run('images.list', '', () => ok([...new Set(this.#images.values())]));
  }

  status(image: string): Answer<ImageFacts | undefined> {
    return this.#calls.run('images.status', image, () => ok(this.find(image)));
  }

  pull(image: string, auth: PullAuth | undefined, _sandboxConfig: SandboxConfig | undefined, options: { readonly signal?: AbortSignal } = {}): Answer<string> {
    return unlessAborted(options.signal, this.#calls.run('images.pull', image, () => {
      if (missingWord.test(image)) {
        return fail({ kind: 'not-found', message: `failed to pull and unpack image "${normalise(image)}": ${normalise(image)}: not found` });
      }
      if (privateWord.test(image) && (auth === undefined || auth.username === '')) {
        return fail({ kind: 'rejected', message: `failed to pull and unpack image "${normalise(image)}": authorization failed`, grpcCode: 2 });
      }
      return ok(this.add(image).id);
    }));
  }

  remove(image: string): Answer<void> {
    return this.#calls.run('images.remove', image, () => {
      const found = this.find(image);
      for (const [name, facts] of this.#images) if (facts === found) this.#images.delete(name);
      return ok();
    });
  }

  fsInfo(): Answer<readonly FilesystemUsage[]> {
    return this.#calls.run('images.fsInfo', '', () => {
      const inodesUsed = new Set(this.#images.values()).size * 1_000;
      return ok([{ mountpoint: '/var/lib/mqlet-sim/snapshots', usedBytes: this.usedBytes(), inodesUsed }]);
    });
  }

  /** Of all images together. */
  usedBytes(): number {
    return [...new Set(this.#images.values())].reduce((sum, image) => sum + image.sizeBytes, 0);
  }

  /** Pulls either end or hang: what is there tells of all that got on. */
  progress(): Answer<string> {
    return this.#calls.run('images.progress', '', () => ok(String(this.#images.size)));
  }

  /** By name, tag, digest or image id. Costs no time: for the runtime's own use. */
  find(image: string): ImageFacts | undefined {
    const named = this.#images.get(normalise(image));
    if (named !== undefined) return named;
    for (const facts of this.#images.values()) {
      if (facts.id === image || facts.repoDigests.includes(image)) return facts;
    }
    return undefined;
  }

  /** Puts an image into the store, as an import does. */
  add(image: string): ImageFacts {
    const name = normalise(image);
    const known = this.#images.get(name);
    if (known !== undefined) return known;
    const digest = createHash('sha256').update(name).digest('hex');
    const repository = name.replace(/@.*$/, '').replace(/:[^:/]+$/, '');
    const facts: ImageFacts = {
      id: `sha256:${createHash('sha256').update(digest).digest('hex')}`,
      repoTags: name.includes('@') ? [] : [name],
      repoDigests: [name.includes('@') ? name : `${repository}@sha256:${digest}`],
      sizeBytes: sizeBytesMin + (parseInt(digest.slice(0, 8), 16) % sizeBytesSpan),
      pinned: false,
    };
    this.#images.set(name, facts);
    return facts;
  }
}

/** The runtime may have done it all the same. */
function unlessAborted<T>(signal: AbortSignal | undefined, call: Answer<T>): Answer<T> {
  if (signal === undefined) return call;
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(fail({ kind: 'unavailable', message: 'cancelled' })), { once: true });
    call.then(resolve, reject);
  });
}

/** Full name as a runtime lists it: registry, `library/` for short names, tag `latest` where none is given. */
function normalise(image: string): string {
  const tagged = /(:[^:/]+|@[^/]+)$/.test(image) ? image : `${image}:latest`;
  const [first = '', ...rest] = tagged.split('/');
  if (rest.length === 0) return `docker.io/library/${tagged}`;
  return /[.:]/.test(first) || first === 'localhost' ? tagged : `docker.io/${tagged}`;
}
