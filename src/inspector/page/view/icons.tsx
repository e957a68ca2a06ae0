// The few signs on buttons, drawn in one style. They say nothing to a screen reader: the button's label does.
const paths = {
  pods: 'M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.5 5 8 8.2 13.5 5M8 8.2v6',
  bus: 'M2 4.5h12M2 8h12M2 11.5h8',
  actors: 'M8 2.2v3M8 5.2H3.8v2.6M8 5.2h4.2v2.6M2.2 7.8h3.2v3H2.2zM10.6 7.8h3.2v3h-3.2zM6.4 7.8h3.2v3H6.4zM8 5.2v2.6',
  node: 'M2.5 3.5h11v4h-11zM2.5 8.8h11v4h-11zM5 5.5h.01M5 10.8h.01',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6z',
  half: 'M8 2.2a5.8 5.8 0 1 0 0 11.6zM8 2.2a5.8 5.8 0 0 1 0 11.6',
  first: 'M4 3.5v9M12.5 3.8 6.5 8l6 4.2z',
  back: 'M11 3.8 5 8l6 4.2z',
  ahead: 'M5 3.8 11 8l-6 4.2z',
  last: 'M12 3.5v9M3.5 3.8l6 4.2-6 4.2z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5 12 8l-7 4.5z',
  copy: 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7',
  save: 'M8 2v8M5 7.2 8 10l3-2.8M3 13h10',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  help: 'M6 6.2a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1.1v.4M8 12h.01',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M8 3v10M4 9l4 4 4-4',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }) {
  return <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d={paths[name]} /></svg>;
}
