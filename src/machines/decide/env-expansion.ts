// `$(VAR)` in commands, arguments and environment values. One pass: results are not looked at again.

/**
 * `$(NAME)` becomes the value, or stays as it is where the name is unknown; `$$` becomes `$`; any other `$` stays.
 * @see kubelet behaviour, "Environment": `$(VAR)` expansion
 */
export function expandVariables(text: string, lookup: (name: string) => string | undefined): string {
  if (!text.includes('$')) return text;
  let expanded = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const next = text.charAt(at + 1);
    const end = character === '$' && next === '(' ? text.indexOf(')', at + 2) : -1;
    if (end >= 0) {
      expanded += lookup(text.slice(at + 2, end)) ?? text.slice(at, end + 1);
      at = end;
    } else {
      expanded += character;
      if (character === '$' && next === '$') at += 1;
    }
  }
  return expanded;
}
