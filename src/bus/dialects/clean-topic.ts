// Topic names from their parts, as all dialects clean them. Pure text.

/**
 * A topic from its parts, cleaned as file paths are: repeated slashes collapse, `.` and `..` are resolved,
 * a trailing slash goes, a leading slash stays.
 */
export function cleanTopic(...parts: readonly string[]): string {
  const joined = parts.filter((part) => part !== '').join('/');
  const rooted = joined.startsWith('/');
  const levels: string[] = [];
  for (const level of joined.split('/')) {
    if (level === '' || level === '.') continue;
    if (level !== '..') levels.push(level);
    else if (levels.length > 0 && levels.at(-1) !== '..') levels.pop();
    else if (!rooted) levels.push('..');
  }
  return (rooted ? '/' : '') + levels.join('/');
}
