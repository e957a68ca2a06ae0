// The keys of the page, in a dialog of the browser's own: it keeps the focus inside and gives it back.
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.tsx';
import { shortcuts } from './shortcuts.ts';

export function HelpDialog({ close }: { readonly close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onClose={close}>
      <header><h1 id="help-title">Keys</h1><button class="button quiet icon" aria-label="Close" onClick={() => dialog.current?.close()}><Icon name="close" /></button></header>
      <dl class="keys">
        {shortcuts.map(({ keys, what }) => <div key={keys.join()}><dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{what}</dd></div>)}
      </dl>
    </dialog>
  );
}
