// Pauses before a pod's end is tried again. Constants only, for whoever tells of them without running the machine.

/** After a stop that has not succeeded. */
export const stopRetryMs = 1_000;
/** After a removal that has not succeeded. */
export const removeRetryMs = 10_000;
