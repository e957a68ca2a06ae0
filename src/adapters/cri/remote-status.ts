// How a runtime says that a command has ended: a metav1.Status as JSON (remote command protocol, version 4). Pure.

/** What came is the runtime's; where it cannot be read, it is told as it is. */
export function exitIn(text: string): { readonly exitCode?: number; readonly message?: string } {
  if (text === '') return { message: 'the runtime did not say how it ended' };
  try {
    // JSON of unknown shape; every step below asks before it reads.
    const status = JSON.parse(text) as { readonly status?: unknown; readonly reason?: unknown; readonly message?: unknown; readonly details?: { readonly causes?: unknown } } | null;
    if (status?.status === 'Success') return { exitCode: 0 };
    if (status?.reason === 'NonZeroExitCode' && Array.isArray(status.details?.causes)) {
      const causes = status.details.causes as readonly { readonly reason?: unknown; readonly message?: unknown }[]; // Each is asked for its reason first.
      const exitCode = Number(causes.find((cause) => cause?.reason === 'ExitCode')?.message);
      if (Number.isSafeInteger(exitCode)) return { exitCode };
    }
    return { message: typeof status?.message === 'string' ? status.message : text };
  } catch {
    return { message: text };
  }
}
