// Light or dark: what the system says, unless the reader chose. The choice is kept in the browser, where it may.
export type ThemeChoice = 'system' | 'light' | 'dark';

const key = 'mqlet-inspector-theme';
const darkQuery = '(prefers-color-scheme: dark)';

export function themeChoice(): ThemeChoice {
  try {
    const kept = localStorage.getItem(key);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    return 'system';
  }
}

export function chooseTheme(choice: ThemeChoice): void {
  try {
    if (choice === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, choice);
  } catch {
    // Storage may be forbidden: the choice holds until the page is closed.
  }
  show(choice);
}

/** Applies the choice now, and follows the system when it changes. */
export function startTheme(): void {
  show(themeChoice());
  matchMedia(darkQuery).addEventListener('change', () => show(themeChoice()));
}

function show(choice: ThemeChoice): void {
  const dark = choice === 'dark' || (choice === 'system' && matchMedia(darkQuery).matches);
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
}
