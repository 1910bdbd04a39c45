/** What the sandbox and its thread say to each other. */
export interface JqRequest {
  readonly id: number;
  readonly program: string;
  /** The input, JSON text. */
  readonly input: string;
}

export type JqReply =
  | { readonly ready: true }
  | { readonly id: number; readonly stdout: string }
  /** `endless`: the program is still running and only the end of the thread stops it. */
  | { readonly id: number; readonly failure: string; readonly endless?: boolean };

/** What the thread is started with. */
export interface JqThreadData {
  readonly maxOutputBytes: number;
}
