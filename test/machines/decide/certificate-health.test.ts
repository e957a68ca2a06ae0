// How good a certificate is at a time: what the node's condition says of it.
import { describe, expect, it } from 'vitest';
import { certificateHealth } from '../../../src/machines/decide/certificate-health.ts';

const dayMs = 86_400_000;
const begin = Date.UTC(2026, 0, 1);

describe('the health of a certificate', () => {
  it.each([
    ['a year, on its first day', 365, 1, 'False', 'CertificateValid', 335],
    ['a year, with a month left', 365, 335, 'True', 'CertificateExpiring', 365],
    ['a year, on its last day', 365, 364, 'True', 'CertificateExpiring', 365],
    ['a day, after half of it', 1, 0.5, 'False', 'CertificateValid', 0.8],
    ['a day, in its last hours', 1, 0.9, 'True', 'CertificateExpiring', 1],
    ['a year, when it is over', 365, 365, 'True', 'CertificateExpired', Infinity],
    ['a year, before it begins', 365, -1, 'True', 'CertificateNotYetValid', 0],
    ['a year, with the clock of a machine without battery', 365, -20_000, 'True', 'CertificateNotYetValid', 0],
  ] as const)('given one of %s, when it is judged, then status, reason and the next change fit', (_name, days, atDay, status, reason, changesAtDay) => {
    const certificate = { subject: 'CN=edge-07', notBeforeMs: begin, notAfterMs: begin + days * dayMs };
    const { message, ...rest } = certificateHealth(certificate, begin + atDay * dayMs);
    expect(rest).toEqual({ status, reason, changesAtMs: begin + changesAtDay * dayMs });
    expect(message).toContain('CN=edge-07');
  });

  it.each([
    [-1, 'the MQTT client certificate (CN=edge-07) is not valid before 2026-01-01T00:00:00Z, and the clock of this machine says 2025-12-31T00:00:00Z: set the clock, or renew the certificate if the clock is right'],
    [11, 'the MQTT client certificate (CN=edge-07) expired at 2026-01-11T00:00:00Z, and the clock of this machine says 2026-01-12T00:00:00Z: renew it, or set the clock if it is wrong'],
  ])('given day %s of ten, when it is judged, then the line names both times and the mend', (day, line) => {
    expect(certificateHealth({ subject: 'CN=edge-07', notBeforeMs: begin, notAfterMs: begin + 10 * dayMs }, begin + day * dayMs).message).toBe(line);
  });
});
