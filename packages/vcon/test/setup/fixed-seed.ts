import fc from "fast-check";

/** Property tests draw the same examples in every run. `FC_SEED=1 npm test` looks at others. */
fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20_261_123) });
