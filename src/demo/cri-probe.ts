// Asks whether something speaks CRI v1 on a socket and is ready. Nothing more: the pod logic has its own CRI client.
import { Client, credentials } from '@grpc/grpc-js';

/** How long one question may take. */
const answerMsMax = 2_000;

/**
 * One `RuntimeService/Status` call. Its request has no field that must be set, so no schema is needed.
 * @param endpoint `unix:///…`
 * @returns undefined when CRI v1 answers, else why not, in one line
 */
export function criProblem(endpoint: string): Promise<string | undefined> {
  const client = new Client(endpoint, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      '/runtime.v1.RuntimeService/Status', asIs, asIs, Buffer.alloc(0), { deadline: Date.now() + answerMsMax },
      (error) => {
        client.close();
        resolve(error === null ? undefined : error.details || error.message);
      },
    );
  });
}
