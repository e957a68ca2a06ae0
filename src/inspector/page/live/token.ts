// The token comes behind `#` in the address that the node printed. It is taken from there at once, and kept for this tab so that a reload works.
const key = 'mqlet-inspector-token';

/** @returns empty where the page was opened without one */
export function takeToken(): string {
  const given = /[#&?]token=([^&/]+)/.exec(location.hash)?.[1];
  if (given === undefined) return kept();
  try {
    sessionStorage.setItem(key, given);
  } catch {
    // Without storage a reload needs the address again.
  }
  history.replaceState(null, '', `${location.pathname}#/pods`);
  return given;
}

function kept(): string {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}
