// How long the node's certificate is still good, as a node condition. Pure: the time comes from outside.
import type { CertificateFacts } from '../../ports/credentials-port.ts';
import { rfc3339Seconds } from '../../ports/rfc3339.ts';

export const certificateConditionType = 'MqttCertificateExpiring';

/** `status` True: somebody has to act. */
export interface CertificateHealth {
  readonly status: 'True' | 'False';
  readonly reason: 'CertificateValid' | 'CertificateExpiring' | 'CertificateExpired' | 'CertificateNotYetValid';
  /** Names the certificate's times, the clock's where they clash, and the mend. */
  readonly message: string;
  /** When the answer changes by itself, wall milliseconds; Infinity when it does not. */
  readonly changesAtMs: number;
}

/** Before its end a certificate is expiring for a fifth of its lifetime, at most so long. */
const warningMsMax = 30 * 86_400_000;
const warningShare = 0.2;

/** When a certificate begins to count as expiring, wall milliseconds. */
export function expiringFromMs({ notBeforeMs, notAfterMs }: CertificateFacts): number {
  return notAfterMs - Math.min(warningMsMax, (notAfterMs - notBeforeMs) * warningShare);
}

export function certificateHealth(certificate: CertificateFacts, nowMs: number): CertificateHealth {
  const { subject, notBeforeMs, notAfterMs } = certificate;
  const name = `the MQTT client certificate (${subject})`;
  const clock = `the clock of this machine says ${rfc3339Seconds(nowMs)}`;
  if (nowMs < notBeforeMs) {
    return {
      status: 'True', reason: 'CertificateNotYetValid', changesAtMs: notBeforeMs,
      message: `${name} is not valid before ${rfc3339Seconds(notBeforeMs)}, and ${clock}: set the clock, or renew the certificate if the clock is right`,
    };
  }
  if (nowMs >= notAfterMs) {
    return {
      status: 'True', reason: 'CertificateExpired', changesAtMs: Number.POSITIVE_INFINITY,
      message: `${name} expired at ${rfc3339Seconds(notAfterMs)}, and ${clock}: renew it, or set the clock if it is wrong`,
    };
  }
  const warnAtMs = expiringFromMs(certificate);
  if (nowMs < warnAtMs) {
    return { status: 'False', reason: 'CertificateValid', changesAtMs: warnAtMs, message: `${name} is valid until ${rfc3339Seconds(notAfterMs)}` };
  }
  return {
    status: 'True', reason: 'CertificateExpiring', changesAtMs: notAfterMs,
    message: `${name} expires at ${rfc3339Seconds(notAfterMs)}: renew the files of --mqtt-cert-file and --mqtt-key-file; they are taken up without a restart`,
  };
}
