// Fetches a window of entries as a recording and hands it to the browser to keep.

export interface ExportOptions {
  /** Numbers of the first and the last entry. */
  readonly from: number;
  readonly to: number;
  readonly token: string;
}

/** @returns what went wrong, in a few words; empty when the file is there */
export async function exportWindow({ from, to, token }: ExportOptions): Promise<string> {
  try {
    const response = await fetch(`export?from=${from}&to=${to}`, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) return `Refused (${response.status})`;
    const address = URL.createObjectURL(await response.blob());
    const link = document.createElement('a');
    link.href = address;
    link.download = `mqlet-${from}-${to}.jsonl`;
    link.click();
    URL.revokeObjectURL(address);
    return '';
  } catch {
    return 'No answer';
  }
}
