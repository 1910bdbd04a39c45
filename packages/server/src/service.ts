/** Everything long-lived starts and stops this way. `stop` is safe to call twice, and without `start`. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}
