// Image references as a pod spec writes them.
import { fail, ok, type Result } from '../../ports/result.ts';

const reference = /^(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$/;
const tagOrDigest = /(?::[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[a-f0-9]{64})$/;
/** An image ID instead of a name. */
const imageId = /^sha256:[a-f0-9]{64}$/;

/** The reference with `:latest` where it has neither tag nor digest; the fault is what is wrong with it. */
export function imageWithTag(image: string): Result<string, string> {
  if (imageId.test(image)) return ok(image);
  if (image.length > 512 || !reference.test(image)) return fail(`couldn't parse image name ${JSON.stringify(image)}: invalid reference format`);
  const lastSlash = image.lastIndexOf('/');
  return ok(tagOrDigest.test(image.slice(lastSlash + 1)) ? image : `${image}:latest`);
}

/** As a runtime lists it: with registry, `library/` for short names, and the tag `latest` where there is neither tag nor digest. */
export function fullImageName(image: string): string {
  if (imageId.test(image)) return image;
  const lastSlash = image.lastIndexOf('/');
  const tagged = tagOrDigest.test(image.slice(lastSlash + 1)) ? image : `${image}:latest`;
  if (lastSlash < 0) return `docker.io/library/${tagged}`;
  const first = image.slice(0, image.indexOf('/'));
  return /[.:]/.test(first) || first === 'localhost' ? tagged : `docker.io/${tagged}`;
}

/** The name without tag and digest. */
export function repositoryOf(name: string): string {
  return name.replace(/@.*$/, '').replace(/:[^:/]+$/, '');
}
