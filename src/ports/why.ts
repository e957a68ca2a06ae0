// Why a pod or the node is where it is, for a person. What the admin API, the command line and the inspector show. Data only.

/** Times are wall milliseconds, 0 when unknown. */
export interface Why {
  /** One sentence that says all of the rest, with its full stop. */
  readonly sentence: string;
  /** What is waited for, a few words; empty when nothing is. */
  readonly waitingFor: string;
  /** Since when it has been waited for; of something at rest, since when it has been so. */
  readonly sinceMs: number;
  /** Guard of the pod's machine, condition of the API object or of the node, or reason of the container that is false; empty when none is. */
  readonly falseGuardOrCondition: string;
  /** What happens next, and when at the earliest; both empty and 0 when nothing is due. */
  readonly next: { readonly what: string; readonly atMs: number };
}
