// Placeholders for what the composition root must provide. XState ignores a missing implementation; these do not.
import { fromPromise, type PromiseActorLogic } from 'xstate';

export function unprovided<Output, Input>(name: string): PromiseActorLogic<Output, Input> {
  return fromPromise<Output, Input>(() => Promise.reject(new Error(`actor ${name} was not provided`)));
}

/** For actions: throws when it is run. */
export function unprovidedAction(name: string): () => void {
  return () => {
    throw new Error(`action ${name} was not provided`);
  };
}
