/** The URL schemes that a database setting can have. What each is bound to is in `databases.ts`. */
export const schemes = ["embedded", "postgres", "postgresql"] as const;

export type Scheme = (typeof schemes)[number];
